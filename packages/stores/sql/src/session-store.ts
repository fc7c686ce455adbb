import type { Namespace, SessionStore } from "@orra/core"
import * as erasure from "./erasure.ts"
import * as leases from "./lease-table.ts"
import type { Operation } from "./operation.ts"
import { recordsOf } from "./records.ts"
import * as sessions from "./session-tables.ts"

/** How a store carries operations out. Each throws when the store is closed. */
export interface Carrier {
  /** Reads only. */
  read<T>(operation: () => Operation<T>): Promise<T>
  /** All of it or nothing, durable when the promise resolves. May run the operation again. */
  write<T>(operation: () => Operation<T>): Promise<T>
}

/** Sessions and records in a database: the same operations, whoever carries them out. */
export function sessionStoreOver(
  { read, write }: Carrier,
  /** Told of each session after it was written or removed. */
  written: (namespace: Namespace) => void = () => {},
): Omit<SessionStore, "close" | "erase"> & Required<Pick<SessionStore, "erase">> {
  return {
    info: (namespace) => read(() => sessions.info(namespace)),
    append: async (namespace, entries, options) => {
      const drafts = sessions.drafts(entries)
      const appended = await write(() => sessions.append(namespace, drafts, options))
      if (appended.length > 0) written(namespace)
      return appended
    },
    read: (namespace, options = {}) => read(() => sessions.read(namespace, options)),
    list: (prefix, options = {}) => read(() => sessions.list(prefix, options)),
    delete: async (namespace) => {
      const existed = await write(() => sessions.remove(namespace))
      if (existed) written(namespace)
      return existed
    },
    acquire: (namespace, owner, ttlMs) => write(() => leases.acquire(namespace, owner, ttlMs)),
    renew: (lease, ttlMs) => write(() => leases.renew(lease, ttlMs)),
    release: (lease) => write(() => leases.release(lease)),
    abandoned: (prefix) => read(() => leases.abandoned(prefix)),
    now: () => read(leases.now),
    records: (collection) => recordsOf(collection, { read, write }),
    collections: (prefix) => read(() => erasure.collections(prefix)),
    erase: async (prefix) => {
      for (const session of await write(() => erasure.erase(prefix))) written(session)
    },
  }
}
