import { realpath } from "node:fs/promises"
import { errorMessage, type Namespace } from "@orra/core"
import type { Documents } from "@orra/documents"

/** A folder whose files are documents. */
export interface Folder {
  /** What the ids of its documents begin with, before a "/". */
  readonly name: string
  /** Absolute. */
  readonly path: string
  /** Whose documents they are. */
  readonly namespace: Namespace
}

/** How a folder stands. */
export interface FolderState {
  readonly state: "waiting" | "reading" | "read" | "failed"
  /** When it was last read to the end, ms since 1970. */
  readonly at?: number
  /** Why it could not be read at all. */
  readonly error?: string
  /** Files that could not be read, the first of them. */
  readonly failed: readonly { readonly path: string; readonly error: string }[]
  readonly failedCount: number
  readonly warnings: readonly string[]
}

const MAX_SHOWN = 20
const NEW: FolderState = { state: "waiting", failed: [], failedCount: 0, warnings: [] }

/** Keeps documents in step with folders: at the start, from time to time, and when somebody asks. */
export class FolderSync {
  readonly #documents: Documents
  readonly #folders: readonly Folder[]
  readonly #namespaces: readonly Namespace[]
  readonly #told: (line: string) => void
  readonly #now: () => Promise<number>
  readonly #states = new Map<string, FolderState>()
  readonly #stop = new AbortController()
  #running: Promise<void> | undefined

  constructor(options: {
    readonly documents: Documents
    readonly folders: readonly Folder[]
    /** Where there may be documents of folders, of former ones too. */
    readonly namespaces: readonly Namespace[]
    readonly told: (line: string) => void
    readonly now: () => Promise<number>
  }) {
    this.#documents = options.documents
    this.#folders = options.folders
    this.#namespaces = options.namespaces
    this.#told = options.told
    this.#now = options.now
  }

  stateOf({ name }: Folder): FolderState {
    return this.#states.get(name) ?? NEW
  }

  /** Reads all folders, one after the other; who asks meanwhile waits for the same. Never throws. */
  run(): Promise<void> {
    this.#running ??= this.#all()
      .catch((error: unknown) => this.#told(`documents: ${errorMessage(error)}`))
      .finally(() => {
        this.#running = undefined
      })
    return this.#running
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #all(): Promise<void> {
    for (const folder of this.#folders) {
      if (this.#stop.signal.aborted) return
      await this.#read(folder)
    }
    for (const namespace of this.#namespaces)
      if (!this.#stop.signal.aborted) await this.#forgetOthers(namespace)
  }

  async #read(folder: Folder): Promise<void> {
    const { name, path, namespace } = folder
    const before = this.stateOf(folder)
    this.#states.set(name, { ...before, state: "reading" })
    try {
      const { signal } = this.#stop
      const report = await this.#documents.ingest(namespace, path, { prefix: `${name}/`, signal })
      const { added, changed, removed, failed, failure, warnings } = report
      this.#states.set(name, {
        state: "read",
        at: await this.#now(),
        failed: failed.slice(0, MAX_SHOWN).map(({ path, error }) => ({ path, error: error.message })),
        failedCount: failed.length,
        warnings: [...(failure ? [failure.message] : []), ...warnings].slice(0, MAX_SHOWN),
      })
      if (added.length + changed.length + removed.length > 0)
        this.#told(
          `documents of ${name}: ${added.length} new, ${changed.length} changed, ${removed.length} gone, ${failed.length} unreadable`,
        )
    } catch (error) {
      if (this.#stop.signal.aborted) return
      this.#states.set(name, { ...before, state: "failed", error: errorMessage(error) })
      if (before.error === undefined) this.#told(`documents of ${name}: ${errorMessage(error)}`)
    }
  }

  /** What was read from a folder that the configuration no longer names goes. */
  async #forgetOthers(namespace: Namespace): Promise<void> {
    const roots = await Promise.all(this.#folders.map(({ path }) => realpath(path).catch(() => undefined)))
    // Where one leads that is not there just now is not known: nothing is taken for gone.
    if (roots.includes(undefined)) return
    for (const { id, path } of await this.#documents.list(namespace)) {
      if (path !== undefined && !roots.some((root) => path === root || path.startsWith(`${root}/`)))
        await this.#documents.remove(namespace, id)
    }
  }
}
