import type { AppendOptions, Entry, Namespace, SessionStore } from "@orra/core"
import { type Link, linkOf, linkOfEntries } from "./audit-chain.ts"
import { add, forget } from "./audit-table.ts"
import * as erasure from "./erasure.ts"
import * as leases from "./lease-table.ts"
import { type Operation, within } from "./operation.ts"
import { recordsOf } from "./records.ts"
import { decoder, list } from "./session-list.ts"
import { type Draft, drafts as draftsOf, numbered } from "./session-row.ts"
import * as sessions from "./session-tables.ts"
import type { Dialect } from "./statement.ts"

/** How a store carries operations out. Each throws when the store is closed. */
export interface Carrier {
  readonly dialect: Dialect
  /** Whether what is done is written into the audit as well. */
  readonly audit: boolean
  /** The time of what is audited, ms since 1970. */
  readonly now: () => number
  /** Reads only. */
  read<T>(operation: () => Operation<T>): Promise<T>
  /** All of it or nothing, durable when the promise resolves. May run the operation again. */
  write<T>(operation: () => Operation<T>, options?: WriteOptions): Promise<T>
  /**
   * The whole of an append in a shorter way than the general one, where there is one. False when nothing was written:
   * the general way says why, or does it.
   */
  appendAtOnce?(
    namespace: Namespace,
    drafts: readonly Draft[],
    options: AppendOptions,
    link: Link | undefined,
  ): Promise<boolean>
}

export interface WriteOptions {
  /** Doing it twice is like doing it once, so it may be tried again when nobody knows whether it was done. */
  readonly harmlessTwice?: boolean
}

const TWICE: WriteOptions = { harmlessTwice: true }

/** Sessions and records in a database: the same operations, whoever carries them out. */
export function sessionStoreOver(
  carrier: Carrier,
  /** Told of each session after it was written or removed. */
  written: (namespace: Namespace) => void = () => {},
): Omit<SessionStore, "close" | "erase"> & Required<Pick<SessionStore, "erase">> {
  const decoded = decoder()
  const { dialect, audit, read, write, now, appendAtOnce } = carrier
  return {
    info: (namespace) => read(() => within(namespace, sessions.info(namespace))),
    append: async (namespace, entries, options) => {
      const drafts = draftsOf(entries)
      const link = audit ? linkOfEntries(namespace, options.expected + 1, drafts) : undefined
      const appended =
        appendAtOnce && (await appendAtOnce(namespace, drafts, options, link))
          ? numbered(entries, options.expected)
          : await write(() => within(namespace, append(namespace, drafts, options, link)))
      if (appended.length > 0) written(namespace)
      return appended
    },
    read: (namespace, options = {}) => read(() => within(namespace, sessions.read(namespace, options))),
    list: (prefix, options = {}) => read(() => within(prefix, list(prefix, options, dialect, decoded))),
    delete: async (namespace) => {
      const link = audit ? linkOf(namespace, () => [{ type: "session_deleted", at: now() }]) : undefined
      const existed = await write(() => within(namespace, remove(namespace, link)))
      if (existed) written(namespace)
      return existed
    },
    acquire: (namespace, owner, ttlMs) =>
      write(() => within(namespace, leases.acquire(namespace, owner, ttlMs)), TWICE),
    renew: (lease, ttlMs) => write(() => within(lease.namespace, leases.renew(lease, ttlMs)), TWICE),
    release: (lease) => write(() => within(lease.namespace, leases.release(lease)), TWICE),
    abandoned: (prefix) => read(() => within(prefix, leases.abandoned(prefix))),
    now: () => read(leases.now),
    audited: audit,
    records: (collection) => recordsOf(collection, carrier),
    collections: (prefix) => read(() => within(prefix, erasure.collections(prefix))),
    erase: async (prefix) => {
      for (const session of await write(() => erase(prefix, now()))) written(session)
    },
  }
}

function* append(
  namespace: Namespace,
  drafts: readonly Draft[],
  options: AppendOptions,
  link: Link | undefined,
): Operation<readonly Entry[]> {
  // Before the session is written, as those do who hold the lease: nobody waits for somebody who waits for them.
  if (leases.isAsking(drafts.map(({ entry }) => entry))) yield* leases.leave(namespace)
  const entries = yield* sessions.append(namespace, drafts, options)
  if (link) yield* add(namespace, link)
  return entries
}

function* remove(namespace: Namespace, link: Link | undefined): Operation<boolean> {
  const existed = yield* sessions.remove(namespace)
  if (existed && link) yield* add(namespace, link)
  return existed
}

function* erase(prefix: Namespace, at: number): Operation<readonly Namespace[]> {
  const erased = yield* within(prefix, erasure.erase(prefix))
  yield* forget(prefix, at)
  return erased
}
