import { ByKey } from "./by-key.ts"
import { InvalidInput, StoreError, VersionConflict } from "./errors.ts"
import { frozen } from "./frozen.ts"
import { MemoryLeases } from "./memory-leases.ts"
import { memoryRecords } from "./memory-records.ts"
import { keyOf, type Namespace } from "./namespace.ts"
import { foldedTitle, newestOf, pageOf } from "./paging.ts"
import { type Records, recordName } from "./records.ts"
import { describe, type Entry, type EntryType, type NewEntry, type SessionInfo } from "./session.ts"
import {
  type AppendOptions,
  type Lease,
  type ListOptions,
  needsLease,
  type Page,
  type ReadOptions,
  type SessionStore,
} from "./store.ts"

interface Session {
  info: SessionInfo
  title: string
  /** In the order of `seq`, which has gaps where deltas were dropped. */
  readonly log: Entry[]
  /** The same entries by type, so that reading one type never walks past the others. */
  readonly byType: Map<EntryType, Entry[]>
}

export interface MemoryStoreOptions {
  /** The clock leases expire by, in ms since 1970. Default `Date.now`. */
  readonly now?: () => number
}

/**
 * Sessions in memory: for tests, examples and programs that need no durability. Everything is gone with the
 * process; otherwise it keeps every promise of `SessionStore`.
 *
 * What is stored is a frozen copy, made once when it is appended: neither the writer's objects nor what a reader
 * gets can change it, and reading copies nothing.
 *
 * ```ts
 * const store = new MemoryStore()
 * const ns = Namespace.of("bob", "notes")
 * await store.append(ns, [{ type: "meta", at: Date.now(), patch: { title: "Notes" } }], { expected: 0 })
 * ```
 */
export class MemoryStore implements SessionStore {
  readonly #sessions = new ByKey<Session>()
  readonly #leases: MemoryLeases
  readonly #records = new Map<string, Records>()
  readonly #now: () => number
  #closed = false

  constructor(options: MemoryStoreOptions = {}) {
    this.#now = options.now ?? Date.now
    this.#leases = new MemoryLeases(this.#now)
  }

  async info(namespace: Namespace): Promise<SessionInfo | undefined> {
    this.#assertOpen()
    return this.#sessions.get(keyOf(namespace))?.info
  }

  async append(
    namespace: Namespace,
    entries: readonly NewEntry[],
    options: AppendOptions,
  ): Promise<readonly Entry[]> {
    this.#assertOpen()
    const { expected, lease, dropDeltas } = options
    const session = this.#sessions.get(keyOf(namespace))
    if (dropDeltas || entries.some(needsLease)) this.#leases.assertHeld(namespace, lease)
    const actual = session?.info.version ?? 0
    if (actual !== expected) throw new VersionConflict(expected, actual)

    const written: Entry[] = []
    let info = session?.info
    for (const given of entries) {
      const entry = frozen({ seq: expected + written.length + 1, ...given })
      written.push(entry)
      info = describe(namespace, info, entry)
    }
    if (info) this.#commit(session, frozenInfo(info), written, dropDeltas)
    return written
  }

  async read(namespace: Namespace, options: ReadOptions = {}): Promise<readonly Entry[]> {
    this.#assertOpen()
    const limit = options.limit ?? 1_000
    if (!Number.isInteger(limit) || limit < 1) {
      throw new InvalidInput("A read takes a limit of 1 or more entries.", { limit })
    }
    const session = this.#sessions.get(keyOf(namespace))
    if (!session) return []
    if (!options.types) return windowOf(session.log, options, limit)
    const order = options.direction === "backward" ? -1 : 1
    return [...new Set(options.types)]
      .flatMap((type) => windowOf(session.byType.get(type) ?? [], options, limit))
      .sort((a, b) => order * (a.seq - b.seq))
      .slice(0, limit)
  }

  async list(prefix: Namespace, options: ListOptions = {}): Promise<Page<SessionInfo>> {
    this.#assertOpen()
    keyOf(prefix)
    return pageOf(newestOf(this.#sessions.values(), prefix), options)
  }

  async delete(namespace: Namespace): Promise<boolean> {
    this.#assertOpen()
    return this.#sessions.delete(keyOf(namespace))
  }

  async acquire(namespace: Namespace, owner: string, ttlMs: number): Promise<Lease | undefined> {
    this.#assertOpen()
    return this.#leases.acquire(namespace, owner, ttlMs)
  }

  async renew(lease: Lease, ttlMs: number): Promise<Lease> {
    this.#assertOpen()
    return this.#leases.renew(lease, ttlMs)
  }

  async release(lease: Lease): Promise<void> {
    this.#assertOpen()
    this.#leases.release(lease)
  }

  records(collection: string): Records {
    let records = this.#records.get(recordName(collection))
    if (!records) {
      records = memoryRecords(() => {
        this.#assertOpen()
        return this.#now()
      })
      this.#records.set(collection, records)
    }
    return records
  }

  async collections(): Promise<readonly string[]> {
    return [...this.#records.keys()]
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #commit(
    before: Session | undefined,
    info: SessionInfo,
    written: readonly Entry[],
    dropDeltas: AppendOptions["dropDeltas"],
  ): void {
    const session: Session = before ?? { info, title: "", log: [], byType: new Map() }
    if (!before) this.#sessions.set(info.namespace.key, session)
    if (dropDeltas) drop(session, dropDeltas)
    for (const entry of written) {
      session.log.push(entry)
      const sameType = session.byType.get(entry.type)
      if (sameType) sameType.push(entry)
      else session.byType.set(entry.type, [entry])
    }
    if (info.metadata !== session.info.metadata || !before) session.title = foldedTitle(info)
    session.info = info
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreError("store_closed", "The store is closed: open a new one to go on.")
  }
}

/** The index of the first entry numbered `seq` or later. */
function indexOf(entries: readonly Entry[], seq: number): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((entries[middle]?.seq ?? seq) < seq) low = middle + 1
    else high = middle
  }
  return low
}

function windowOf(entries: readonly Entry[], options: ReadOptions, limit: number): readonly Entry[] {
  const from = options.after === undefined ? 0 : indexOf(entries, options.after + 1)
  const to = options.before === undefined ? entries.length : indexOf(entries, options.before)
  if (from >= to) return []
  return options.direction === "backward"
    ? entries.slice(Math.max(from, to - limit), to).reverse()
    : entries.slice(from, Math.min(to, from + limit))
}

/** Costs the length of the range and of what follows it: drafts are at the end of the log, so next to nothing. */
function drop(session: Session, range: { readonly from: number; readonly to: number }): void {
  const deltas = session.byType.get("delta")
  if (!deltas) return
  const first = indexOf(deltas, range.from)
  deltas.splice(first, indexOf(deltas, range.to + 1) - first)
  const from = indexOf(session.log, range.from)
  const to = indexOf(session.log, range.to + 1)
  const kept = session.log.slice(from, to).filter((entry) => entry.type !== "delta")
  session.log.splice(from, to - from, ...kept)
}

/** Metadata is merged from stored entries, so its members are frozen already. */
function frozenInfo(info: SessionInfo): SessionInfo {
  Object.freeze(info.metadata)
  return Object.freeze(info)
}
