import { basename } from "node:path"
import { errorMessage, type Namespace, type SessionStore } from "@orra/core"
import { Documents } from "@orra/documents"
import { embedder } from "@orra/search"
import { HERALD, OWNER, principals } from "../config/load.ts"
import type { Config } from "../config/settings.ts"
import type { Spend } from "../outlay.ts"
import { personOf } from "../tools/person.ts"
import { chargedEmbedder, EMBEDDING_USD } from "./charged.ts"
import { type Folder, FolderSync } from "./folders.ts"

/** Documents of folders that everybody may search. */
const SHARED = HERALD.child("documents")
/** Below a person: what was deleted and can come back. */
const BIN = "deleted-documents"
/** How long a deleted document can be brought back, in ms. */
const UNDO_MS = 10 * 60_000
const TICK_MS = 60_000

/** The documents of everybody who may talk to this Herald: what they gave it, and folders. */
export interface Library {
  readonly documents: Documents
  /** Whose the folders are that are not shared. */
  readonly owner: Namespace
  readonly folders: readonly Folder[]
  readonly sync: FolderSync
  /** The embedding model; undefined where words alone are searched for. */
  readonly model: string | undefined
  /** Whose documents a session is answered from; the first is the person's own. */
  scope(session: Namespace): readonly [Namespace, ...Namespace[]]
  /** Takes a document away. @returns false when there is none. */
  remove(person: Namespace, id: string): Promise<boolean>
  /** Brings back what was taken away. @returns false when it is too late. */
  restore(person: Namespace, id: string): Promise<boolean>
  /** Reads the folders, and gives a meaning to what its service has missed. Never throws. */
  refresh(): Promise<void>
  /** Does so, in the background and then from time to time, and drops what nobody wants back. */
  start(): void
  close(): Promise<void>
}

/**
 * @param told hears what has become of folders, one line each.
 * @param spend for an embedding model that costs money; the owner pays. Without it nothing is charged.
 */
export function openLibrary(
  config: Config,
  store: SessionStore,
  told: (line: string) => void,
  spend?: Spend,
): Library {
  const { embeddings, sync_minutes } = config.documents
  const model = embeddings.model
  const meaning =
    model === undefined
      ? undefined
      : embedder({
          model,
          apiKey: embeddings.api_key,
          ...(embeddings.api_url !== undefined && { url: embeddings.api_url }),
        })
  const price =
    embeddings.usd_per_million_tokens ??
    (embeddings.api_url === undefined ? EMBEDDING_USD[model ?? ""] : undefined)
  const paid =
    meaning && spend && price !== undefined
      ? chargedEmbedder(meaning, { payer: OWNER, usdPerMillion: price, spend })
      : meaning
  const documents = new Documents({ store, embedder: paid })
  // What is in the bin need not be found.
  const bin = new Documents({ store })
  const folders = config.documents.folders.map(
    ({ path, name, shared }): Folder => ({
      path,
      name: name ?? basename(path),
      namespace: shared ? SHARED : OWNER,
    }),
  )
  const person = personOf(config)
  const hasShared = folders.some(({ namespace }) => namespace.equals(SHARED))
  const now = async (): Promise<number> => (await store.now?.()) ?? Date.now()
  const sync = new FolderSync({ documents, folders, namespaces: [OWNER, SHARED], told, now })
  /** In whose bins there may be something. */
  const bins = new Map(principals(config).map((owner) => [owner.key, owner]))
  const stop = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let minutes = 0

  const empty = async (owner: Namespace): Promise<void> => {
    const deleted = owner.child(BIN)
    const old = (await now()) - UNDO_MS
    const there = await bin.list(deleted)
    if (there.length === 0) bins.delete(owner.key)
    for (const { id, updatedAt } of there) if (updatedAt <= old) await bin.remove(deleted, id)
  }

  let complaint: string | undefined
  const all = async (): Promise<void> => {
    await sync.run()
    if (!paid) return
    try {
      for (const each of [...principals(config), SHARED]) await documents.embed(each, { signal: stop.signal })
      complaint = undefined
    } catch (error) {
      // A service that is down is asked again, and not complained of, each time.
      if (!stop.signal.aborted && complaint !== errorMessage(error)) told(`documents: ${errorMessage(error)}`)
      complaint = errorMessage(error)
    }
  }
  let running: Promise<void> | undefined
  /** Who asks meanwhile waits for the same. */
  const refresh = (): Promise<void> => {
    running ??= all().finally(() => {
      running = undefined
    })
    return running
  }

  return {
    documents,
    refresh,
    owner: OWNER,
    folders,
    sync,
    model,
    scope(session) {
      const own = person(session) ?? session
      return hasShared ? [own, SHARED] : [own]
    },
    async remove(owner, id) {
      await empty(owner)
      bins.set(owner.key, owner)
      return await bin.move(owner, owner.child(BIN), id)
    },
    async restore(owner, id) {
      await empty(owner)
      return await documents.move(owner.child(BIN), owner, id)
    },
    start() {
      void refresh()
      timer = setInterval(() => {
        minutes++
        if (sync_minutes > 0 && minutes % sync_minutes === 0) void refresh()
        for (const owner of bins.values()) void empty(owner).catch((error) => told(errorMessage(error)))
      }, TICK_MS)
      timer.unref()
    },
    async close() {
      clearInterval(timer)
      stop.abort()
      await sync.close()
      await running
    },
  }
}
