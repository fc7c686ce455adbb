import { readFile, rename, rm } from "node:fs/promises"
import { dirname, join } from "node:path"
import {
  type AppendOptions,
  busyBelow,
  type Entry,
  frozenCopy,
  InvalidInput,
  type Json,
  keyOf,
  type Lease,
  type ListOptions,
  MemoryLeases,
  Namespace,
  type NewEntry,
  needsLease,
  OrraError,
  type Page,
  type ReadOptions,
  type Records,
  randomId,
  type SessionInfo,
  type SessionStore,
  StoreError,
  VersionConflict,
} from "@orra/core"
import { makeFolder, removeEmpty, replaceFile, syncFolder, unlinkIfThere } from "./durable.ts"
import { isMissing, storeError } from "./errors.ts"
import { type Lock, lock } from "./lock.ts"
import { toNames } from "./path-name.ts"
import { RecordFile } from "./record-file.ts"
import { readSummary, SessionFiles, SUMMARY, sizes } from "./session-files.ts"
import { namespacesIn, SessionIndex, takeIndex, writeIndex } from "./session-index.ts"

export interface FileStoreOptions {
  /** The folder. It is made when it is missing. */
  readonly path: string
  /**
   * `always` (default): what was acknowledged is there after the machine loses power. `never`: after the process was
   * killed; the operating system writes when it likes.
   */
  readonly sync?: "always" | "never"
  /** The clock leases expire by, in ms since 1970. Default `Date.now`. */
  readonly now?: () => number
}

/** What this version writes, and the newest it reads. */
const FORMAT = 1
const FORMAT_FILE = "format.json"
const LOCK_FILE = "lock.db"
/** All summaries, written when the store is closed: a store that was closed well need not look at every folder. */
const INDEX_FILE = "sessions.json"
/** What is being erased is moved here first, so that all of it is gone at once. No session can have this name. */
const ERASED = ".erased"

/** Tokens of leases grow also from one process to the next: no process takes as many. */
const TOKENS_PER_OPENING = 2 ** 32

/** Sessions whose files are open, besides those at work. */
const MAX_OPEN = 128
/** Folders read at the same time. */
const PARALLEL = 16

interface Open {
  files: Promise<SessionFiles>
  /** Ends when all that was asked of the session is done. Never rejects. */
  idle: Promise<unknown>
  /** What is asked of the session and not yet done. */
  pending: number
}

/**
 * Opens a folder of sessions: a directory for each, with its log as JSON lines. It belongs to this process until it is
 * closed.
 *
 * ```ts
 * const store = await fileStore({ path: "data/sessions" })
 * const runtime = new Runtime({ provider, store })
 * ```
 *
 * @throws StoreError: `store_locked` when another store has it open, `store_newer` when a later version of this package
 *   wrote it, `store_not_writable`; InvalidInput without a path.
 */
export async function fileStore(options: FileStoreOptions): Promise<FileStore> {
  const { path, sync = "always" } = options
  if (!path) throw new InvalidInput("The file store needs the path of a folder.")
  try {
    await makeFolder(path, sync === "always")
    await assertFormat(path, sync === "always")
    const taken = lock(join(path, LOCK_FILE))
    try {
      await rm(join(path, ERASED), { recursive: true, force: true })
      const records = await RecordFile.open(path, sync === "always", options.now ?? Date.now)
      return new FileStore(options, taken, records, await takeIndex(join(path, INDEX_FILE)))
    } catch (error) {
      taken.release()
      throw error
    }
  } catch (error) {
    throw storeError(path, error)
  }
}

async function assertFormat(path: string, sync: boolean): Promise<void> {
  const file = join(path, FORMAT_FILE)
  let version: unknown
  try {
    version = JSON.parse(await readFile(file, "utf8")).sessions
  } catch (error) {
    if (!isMissing(error) && !(error instanceof SyntaxError)) throw error
    if (isMissing(error)) return await replaceFile(file, `${JSON.stringify({ sessions: FORMAT })}\n`, sync)
  }
  if (version === FORMAT) return
  const isNewer = typeof version === "number" && version > FORMAT
  throw new StoreError(
    isNewer ? "store_newer" : "store_corrupt",
    isNewer
      ? `This folder has format ${version} and this version knows ${FORMAT}: update @orra/store-file. Nothing was changed.`
      : `"${FORMAT_FILE}" does not say which format this folder has: restore the file.`,
    { path },
  )
}

/** Sessions as directories of files. */
export class FileStore implements SessionStore {
  readonly #base: string
  readonly #sync: boolean
  readonly #lock: Lock
  readonly #records: RecordFile
  readonly #leases: MemoryLeases
  readonly #open = new Map<string, Open>()
  /** All sessions, once somebody asked for a list. */
  #index: Promise<SessionIndex> | undefined
  /** What changed while the index was being made: newer than what it finds. */
  #changed: Map<string, SessionInfo | undefined> | undefined
  /** The leases that were taken last and not given back. */
  readonly #leased = new Map<string, Lease>()
  /** While something is erased. Never rejects. */
  #erasing: Promise<unknown> | undefined
  #closed: Promise<void> | undefined

  /** Use `fileStore`. */
  constructor(options: FileStoreOptions, taken: Lock, records: RecordFile, index: SessionIndex | undefined) {
    this.#records = records
    this.#base = options.path
    this.#sync = options.sync !== "never"
    this.#lock = taken
    this.#leases = new MemoryLeases(options.now ?? Date.now, taken.epoch * TOKENS_PER_OPENING)
    this.#index = index && Promise.resolve(index)
  }

  async info(namespace: Namespace): Promise<SessionInfo | undefined> {
    return await this.#on(namespace, async (files) => files.info)
  }

  async append(
    namespace: Namespace,
    entries: readonly NewEntry[],
    options: AppendOptions,
  ): Promise<readonly Entry[]> {
    // At once: whoever wrote it may change it while it waits for its turn.
    const copies = frozenCopy(entries as unknown as Json) as unknown as readonly NewEntry[]
    return await this.#on(namespace, async (files) => {
      const { expected, lease, dropDeltas } = options
      if (dropDeltas || copies.some(needsLease)) this.#leases.assertHeld(namespace, lease)
      const actual = files.info?.version ?? 0
      if (actual !== expected) throw new VersionConflict(expected, actual)
      if (copies.length === 0 && !dropDeltas) return []
      const written = copies.map((entry, index): Entry => ({ seq: expected + index + 1, ...entry }))
      await files.append(written, dropDeltas)
      await this.#listed(namespace, files.info)
      return written
    })
  }

  async read(namespace: Namespace, options: ReadOptions = {}): Promise<readonly Entry[]> {
    return await this.#on(namespace, (files) => files.read(options))
  }

  async list(prefix: Namespace, options: ListOptions = {}): Promise<Page<SessionInfo>> {
    this.#assertOpen()
    keyOf(prefix)
    while (this.#erasing) await this.#erasing
    this.#index ??= this.#scan()
    return (await this.#index).page(prefix, options)
  }

  async delete(namespace: Namespace): Promise<boolean> {
    return await this.#on(namespace, async (files) => {
      const existed = files.info !== undefined
      await files.remove()
      this.#open.delete(namespace.key)
      await this.#listed(namespace, undefined)
      return existed
    })
  }

  async acquire(namespace: Namespace, owner: string, ttlMs: number): Promise<Lease | undefined> {
    this.#assertOpen()
    const lease = this.#leases.acquire(namespace, owner, ttlMs)
    if (lease) this.#leased.set(namespace.key, lease)
    return lease
  }

  async renew(lease: Lease, ttlMs: number): Promise<Lease> {
    this.#assertOpen()
    return this.#leases.renew(lease, ttlMs)
  }

  async release(lease: Lease): Promise<void> {
    this.#assertOpen()
    this.#leases.release(lease)
    const { key } = lease.namespace
    if (this.#leased.get(key)?.token === lease.token) this.#leased.delete(key)
  }

  records(collection: string): Records {
    return this.#records.collection(collection, () => this.#assertOpen())
  }

  async collections(prefix: Namespace): Promise<readonly string[]> {
    this.#assertOpen()
    keyOf(prefix)
    return this.#records.collections(prefix)
  }

  async erase(prefix: Namespace): Promise<void> {
    this.#assertOpen()
    keyOf(prefix)
    while (this.#erasing) await this.#erasing
    const erasing = this.#erase(prefix).catch((error: unknown) => {
      throw storeError(this.#folder(prefix), error)
    })
    this.#erasing = erasing
      .catch(() => {})
      .finally(() => {
        this.#erasing = undefined
      })
    await erasing
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    try {
      await this.#erasing
      await Promise.all([...this.#open.values()].map(({ idle }) => idle))
      await Promise.all([...this.#open.values()].map(async ({ files }) => (await files).close()))
      await this.#records.close()
      if (this.#index) await writeIndex(join(this.#base, INDEX_FILE), (await this.#index).values())
    } catch (error) {
      throw storeError(this.#base, error)
    } finally {
      this.#lock.release()
    }
  }

  /** While it is under way nothing new is begun in any session. */
  async #erase(prefix: Namespace): Promise<void> {
    await this.#index?.catch(() => {})
    const below = [...this.#open].filter(([key]) => prefix.contains(Namespace.parse(key)))
    await Promise.all(below.map(([, { idle }]) => idle))
    this.#assertNoLease(prefix)
    await Promise.all(below.map(async ([, { files }]) => (await files).close()))
    for (const [key] of below) this.#open.delete(key)
    const folder = this.#folder(prefix)
    const erased = join(this.#base, ERASED)
    await rm(erased, { recursive: true, force: true })
    try {
      await rename(folder, erased)
      if (this.#sync) for (const changed of [dirname(folder), this.#base]) await syncFolder(changed)
      await rm(erased, { recursive: true, force: true })
    } catch (error) {
      if (!isMissing(error)) throw error
    }
    await removeEmpty(dirname(folder), this.#base)
    const index = await this.#index
    index?.erase(prefix)
    await this.#records.erase(prefix)
    await unlinkIfThere(join(this.#base, `${INDEX_FILE}.new`))
  }

  #assertNoLease(prefix: Namespace): void {
    const owner = randomId()
    for (const [key, { namespace }] of this.#leased) {
      if (!prefix.contains(namespace)) continue
      const lease = this.#leases.acquire(namespace, owner, 0)
      if (!lease) throw busyBelow()
      this.#leases.release(lease)
      this.#leased.delete(key)
    }
  }

  /** Does something with a session's files, after what was asked before. */
  async #on<T>(namespace: Namespace, work: (files: SessionFiles) => Promise<T>): Promise<T> {
    this.#assertOpen()
    const key = keyOf(namespace)
    while (this.#erasing) await this.#erasing
    const open = this.#open.get(key) ?? this.#opening(namespace)
    // Most recently used last.
    this.#open.delete(key)
    this.#open.set(key, open)
    open.pending++
    const task = open.idle.then(async () => {
      const files = await open.files
      try {
        return await work(files)
      } catch (error) {
        // What is in memory may not be what is on the disk any more.
        if (error instanceof StoreError) await this.#reopen(namespace, open, files)
        throw error instanceof OrraError ? error : storeError(this.#folder(namespace), error)
      }
    })
    open.idle = task.catch(() => {})
    try {
      return await task
    } finally {
      open.pending--
      this.#closeOldest()
    }
  }

  #opening(namespace: Namespace): Open {
    const files = SessionFiles.open(this.#base, this.#folder(namespace), namespace, this.#sync)
    // A session that could not be opened is tried again.
    files.catch(() => this.#open.delete(namespace.key))
    return { files, idle: Promise.resolve(), pending: 0 }
  }

  async #reopen(namespace: Namespace, open: Open, files: SessionFiles): Promise<void> {
    await files.close().catch(() => {})
    open.files = SessionFiles.open(this.#base, this.#folder(namespace), namespace, this.#sync)
    open.files.catch(() => this.#open.delete(namespace.key))
  }

  #closeOldest(): void {
    for (const [key, open] of this.#open) {
      if (this.#open.size <= MAX_OPEN) return
      if (open.pending > 0) continue
      // It stays in the map until its files are closed: whoever comes meanwhile waits for that, then opens them again.
      open.pending++
      open.idle = open.idle
        .then(async () => (await open.files).close())
        .catch(() => {})
        .finally(() => {
          open.pending--
          if (open.pending === 0 && this.#open.get(key) === open) this.#open.delete(key)
        })
    }
  }

  #folder = (namespace: Namespace): string => join(this.#base, ...namespace.segments.flatMap(toNames))

  async #listed(namespace: Namespace, info: SessionInfo | undefined): Promise<void> {
    this.#changed?.set(namespace.key, info)
    if (!this.#index || this.#changed) return
    const index = await this.#index
    index.put(namespace, info)
  }

  async #scan(): Promise<SessionIndex> {
    this.#changed = new Map()
    const index = new SessionIndex()
    try {
      for await (const info of this.#found()) index.put(info.namespace, info)
      for (const [key, info] of this.#changed) index.put(Namespace.parse(key), info)
      return index
    } catch (error) {
      this.#index = undefined
      throw storeError(this.#base, error)
    } finally {
      this.#changed = undefined
    }
  }

  /** The summaries of all sessions in the folder. */
  async *#found(): AsyncGenerator<SessionInfo, void, undefined> {
    let batch: Promise<SessionInfo | undefined>[] = []
    for await (const namespace of namespacesIn(this.#base)) {
      batch.push(this.#summary(namespace))
      if (batch.length < PARALLEL) continue
      for (const info of await Promise.all(batch)) if (info) yield info
      batch = []
    }
    for (const info of await Promise.all(batch)) if (info) yield info
  }

  async #summary(namespace: Namespace): Promise<SessionInfo | undefined> {
    const folder = this.#folder(namespace)
    if (!this.#open.has(namespace.key)) {
      const [{ log, drafts }, summary] = await Promise.all([
        sizes(folder),
        readSummary(join(folder, SUMMARY), namespace),
      ])
      if (summary?.size === log && drafts === 0) return summary.info
    }
    return await this.info(namespace)
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreError("store_closed", "The store is closed: open a new one to go on.")
  }
}
