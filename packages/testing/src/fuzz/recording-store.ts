import { type Entry, Namespace, type SessionStore } from "@orra/core"

/** A store that remembers what was ever written to it, drafts that were dropped since included. */
export interface RecordingStore extends SessionStore {
  /** Every entry written to the session since it began, or began anew after a deletion. */
  written(namespace: Namespace): readonly Entry[]
  /** Every session there is a log of. */
  sessions(): readonly Namespace[]
  /** How many sessions were deleted. */
  readonly deletions: number
}

/** What was written, by the key of the session. */
export type Written = Map<string, Entry[]>

/**
 * Puts a memory beside a store, for checks that need to know what is no longer there. Pass the same `logs` for a store
 * that is opened again.
 */
export function recordingStore(inner: SessionStore, logs: Written = new Map()): RecordingStore {
  let deletions = 0
  return {
    get deletions() {
      return deletions
    },
    sessions: () => [...logs.keys()].map((key) => Namespace.parse(key)),
    written: ({ key }) => logs.get(key) ?? [],
    info: (...args) => inner.info(...args),
    async append(namespace, entries, options) {
      const stored = await inner.append(namespace, entries, options)
      const log = logs.get(namespace.key) ?? []
      logs.set(namespace.key, log)
      log.push(...stored)
      return stored
    },
    read: (...args) => inner.read(...args),
    list: (...args) => inner.list(...args),
    async delete(namespace) {
      const existed = await inner.delete(namespace)
      logs.delete(namespace.key)
      if (existed) deletions++
      return existed
    },
    acquire: (...args) => inner.acquire(...args),
    renew: (...args) => inner.renew(...args),
    release: (...args) => inner.release(...args),
    records: (collection) => inner.records(collection),
    collections: (prefix) => inner.collections(prefix),
    close: () => inner.close(),
  }
}
