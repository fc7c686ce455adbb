import type { Namespace } from "./namespace.ts"
import type { Records } from "./records.ts"
import type { Entry, EntryType, NewEntry, SessionInfo } from "./session.ts"

/**
 * The right to write a session's transcript, for a while. `token` grows with each acquisition, also after the
 * session was deleted, so a writer that lost its lease is recognised and refused.
 */
export interface Lease {
  readonly namespace: Namespace
  readonly token: number
  readonly owner: string
  /** ms since 1970, by the store's clock. */
  readonly expiresAt: number
}

export interface AppendOptions {
  /** The version the writer has read; 0 for a session that does not exist yet. */
  readonly expected: number
  /** Needed for every entry that `needsLease`. */
  readonly lease?: Lease | undefined
  /** Removes the `delta` entries with `from <= seq <= to` in the same transaction: their message is complete. */
  readonly dropDeltas?: { readonly from: number; readonly to: number } | undefined
}

/** Which entries to read. Both bounds are exclusive. At most `limit` (default 1,000) entries come back. */
export interface ReadOptions {
  readonly after?: number
  readonly before?: number
  readonly limit?: number
  /** `forward` (default) gives the oldest of the range first, `backward` the newest first. */
  readonly direction?: "forward" | "backward"
  /** Only entries of these types. */
  readonly types?: readonly EntryType[]
}

/** A page of a list, newest first. `cursor` is there when more follows: pass it back unchanged. */
export interface Page<T> {
  readonly items: readonly T[]
  readonly cursor?: string
}

export interface ListOptions {
  /** 1 to 500, default 50. */
  readonly limit?: number
  readonly cursor?: string
  /** Only sessions whose title contains this text, letters of either case. */
  readonly title?: string
  /** Only sessions with a run that has not finished. */
  readonly openRun?: boolean
  /** Only sessions whose run waits, for a decision or for something to happen. */
  readonly waiting?: boolean
  /** Which to list: those in use (default) or those with `deletedAt` in their metadata. */
  readonly deleted?: boolean
}

/**
 * Where sessions live. Every method takes the namespace: there is no way to reach an entry without it.
 * What an implementation promises is held by `storeConformance` in @orra/testing.
 */
export interface SessionStore {
  /** The session's summary, or undefined when nothing was ever written. */
  info(namespace: Namespace): Promise<SessionInfo | undefined>

  /**
   * Writes the entries, all or none, durable when the promise resolves.
   *
   * @returns the entries with their numbers.
   * @throws VersionConflict when the session is not at `expected`; LeaseLost when an entry needs a lease and
   *   the one given is missing, expired or superseded; StoreError when writing fails.
   */
  append(
    namespace: Namespace,
    entries: readonly NewEntry[],
    options: AppendOptions,
  ): Promise<readonly Entry[]>

  read(namespace: Namespace, options?: ReadOptions): Promise<readonly Entry[]>

  /** Sessions at or below the prefix, most recently updated first. */
  list(prefix: Namespace, options?: ListOptions): Promise<Page<SessionInfo>>

  /** Removes the session and all its entries. True when there was one. */
  delete(namespace: Namespace): Promise<boolean>

  /** The lease, or undefined while another owner holds it. The same owner gets a new token. */
  acquire(namespace: Namespace, owner: string, ttlMs: number): Promise<Lease | undefined>

  /** The lease with a later expiry. @throws LeaseLost when it is no longer the newest. */
  renew(lease: Lease, ttlMs: number): Promise<Lease>

  /** Gives the lease back; harmless when it was lost. */
  release(lease: Lease): Promise<void>

  /**
   * What is kept beside the sessions, under this name: the same name gives the same records.
   *
   * @throws InvalidInput for a name that no collection can have; see `recordName`.
   */
  records(collection: string): Records

  /**
   * Whether the store keeps an audit. Then `Budgets` and `PolicyRegistry` write their grants, limits and layers into records
   * of it, so that the audit says who changed them.
   */
  readonly audited?: boolean

  /** The collections that may have records at or below the prefix: all that do, whoever made them. */
  collections(prefix: Namespace): Promise<readonly string[]>

  /**
   * Where the store is on a disk: removes all there is at and below the prefix in one step, also leases and what only
   * the store knows of, and from its files. What a crash left of an erasure the next one removes. See `eraseNamespace`.
   *
   * @throws SessionBusy while a lease at or below is held: nothing was removed.
   */
  erase?(prefix: Namespace): Promise<void>

  /**
   * Where several processes share the store: the sessions that others write or delete, soon after they did; undefined
   * at first, and whenever some may have been missed, so whoever waits for one looks at it again. Ends when the signal
   * fires.
   */
  changes?(signal: AbortSignal): AsyncIterable<Namespace | undefined>

  /**
   * Where several processes share the store: has the others hear of this namespace by `changes`, soon, as if a session
   * had been written in it. For what is written beside the sessions, of which nobody is told otherwise.
   */
  announce?(namespace: Namespace): void

  /**
   * Where several processes share the store: sessions at or below the prefix whose lease has run out, by the store's
   * clock, without having been given back, and those in which somebody asked for something while nobody held one.
   * Whoever would have done what there is to do is dead or cannot reach the store, if not about to do it.
   */
  abandoned?(prefix: Namespace): Promise<readonly Namespace[]>

  /** Where several processes share the store: the time by its clock, which leases run by, in ms since 1970. */
  now?(): Promise<number>

  close(): Promise<void>
}

/** Entries that anyone with access may add while a run goes on; all others belong to the holder of the lease. */
const LEASE_FREE: ReadonlySet<EntryType> = new Set<EntryType>([
  "meta",
  "pin",
  "input",
  "input_cancelled",
  "approval_decision",
  "wake",
  "control",
])

/** True when only the holder of the session's lease may write this entry. */
export const needsLease = (entry: NewEntry): boolean => !LEASE_FREE.has(entry.type)
