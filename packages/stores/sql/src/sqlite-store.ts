import { existsSync } from "node:fs"
import { resolve } from "node:path"
import { InvalidInput, type SessionStore, StoreError } from "@orra/core"
import { type Audit, auditOver } from "./audit.ts"
import { Database } from "./database.ts"
import { type Carrier, sessionStoreOver } from "./session-store.ts"
import { sqliteChanges } from "./sqlite-changes.ts"
import { eraseFromSnapshots, forgetDeleted } from "./sqlite-erasure.ts"
import { WriteQueue } from "./write-queue.ts"

export interface SqliteStoreOptions {
  /** The database file. It and its directory are made when missing, for this user only. */
  readonly path: string
  /** How long a write waits for another process's lock before it fails with `store_locked`. Default 5,000. */
  readonly busyTimeoutMs?: number
  /** Writes down who did what, in the same transactions: see `Audit`. Default false. */
  readonly audit?: boolean
  /** Largest size of the file; writes beyond it fail with `store_full`. Default: what the disk holds. */
  readonly maxBytes?: number
  /** Instead of the machine's clock, in ms since 1970: for tests. */
  readonly now?: () => number
}

/** Sessions and records in one SQLite file. */
export interface SqliteStore extends SessionStore {
  /** Who did what. Nothing is added to it unless the store was opened with `audit`, but by `record`. */
  readonly audit: Audit
  /**
   * Writes a copy of everything, as it is now, to a file that must not exist yet. Writes wait meanwhile.
   *
   * @throws InvalidInput when the file exists; StoreError when it cannot be written.
   */
  snapshot(path: string): Promise<void>
  /** What is wrong with the file; empty when nothing is. Reads all of it, so it takes seconds for gigabytes. */
  integrity(): Promise<readonly string[]>
}

/** How long one attempt for another process's lock may block the event loop. */
const LOCK_ATTEMPT_MS = 50
const MAX_BUSY_MS = 600_000
/** Room for the empty tables and some sessions. */
const MIN_BYTES = 1_000_000

/**
 * Opens the store, creates it, or brings it to the present format after a snapshot of the file beside it.
 *
 * ```ts
 * const store = await sqliteStore({ path: "data/orra.db" })
 * const runtime = new Runtime({ provider, store })
 * ```
 *
 * @throws StoreError with the codes `store_not_writable`, `store_full`, `store_corrupt`, `store_locked`,
 *   `store_foreign` (another program's database), `store_newer` (written by a later release) or `store_failed`.
 */
export async function sqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  if (!options.path || options.path === ":memory:") {
    throw new InvalidInput(
      "The SQLite store needs the path of a file; for sessions in memory use MemoryStore.",
    )
  }
  const { busyTimeoutMs = 5_000, maxBytes, now, audit = false } = options
  if (!(Number.isSafeInteger(busyTimeoutMs) && busyTimeoutMs >= 0 && busyTimeoutMs <= MAX_BUSY_MS)) {
    throw new InvalidInput("`busyTimeoutMs` is a whole number of ms from 0 to 600,000.", { busyTimeoutMs })
  }
  if (maxBytes !== undefined && !(Number.isSafeInteger(maxBytes) && maxBytes >= MIN_BYTES)) {
    throw new InvalidInput("`maxBytes` is a whole number of bytes, at least 1,000,000.", { maxBytes })
  }
  const database = new Database({ path: resolve(options.path), busyMs: busyTimeoutMs, maxBytes, now })
  database.waitForLocks(LOCK_ATTEMPT_MS)
  const queue = new WriteQueue(database, { lockMs: busyTimeoutMs })
  return storeOver(database, queue, { lockMs: busyTimeoutMs, audit, now: now ?? Date.now })
}

function storeOver(
  database: Database,
  queue: WriteQueue,
  { lockMs, audit, now }: { readonly lockMs: number; readonly audit: boolean; readonly now: () => number },
): SqliteStore {
  let isClosed = false
  const open = (): Database => {
    if (isClosed) throw new StoreError("store_closed", "The store is closed: open a new one to go on.")
    return database
  }
  const carrier: Carrier = {
    dialect: "sqlite",
    audit,
    now,
    read: async (operation) => open().perform(operation()),
    write: async (operation) => {
      open()
      return await queue.submit(() => database.perform(operation()))
    },
  }
  const store = sessionStoreOver(carrier)
  return {
    ...store,
    audit: auditOver(carrier),
    async erase(prefix) {
      await store.erase(prefix)
      eraseFromSnapshots(database.path, prefix)
      await forgetDeleted(database.path, lockMs)
    },
    // The others see whatever is written.
    announce: () => {},
    changes: (signal) => sqliteChanges(database.path, () => !isClosed && database.dataVersion, signal),
    async snapshot(path) {
      open()
      const target = resolve(path)
      if (existsSync(target))
        throw new InvalidInput(`"${target}" exists: choose a new path for the snapshot.`)
      database.copyTo(target)
    },
    async integrity() {
      return open().check()
    },
    async close() {
      if (isClosed) return
      isClosed = true
      queue.drain()
      database.close()
    },
  }
}
