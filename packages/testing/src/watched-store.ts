import type { Records, SessionStore } from "@orra/core"

/** What is counted and can fail: the methods of a store, and those of its records. */
export type StoreMethod =
  | Exclude<
      keyof SessionStore,
      "records" | "changes" | "announce" | "abandoned" | "now" | "erase" | "audited"
    >
  | `records.${keyof Records}`

export interface WatchedStore extends SessionStore {
  /** How often each method was called. */
  readonly calls: Readonly<Record<StoreMethod, number>>
  /** Entries that `read` gave back. */
  readonly entriesRead: number
  /** Forgets what was counted so far. */
  reset(): void
}

export interface StoreFaults {
  /** Runs before the call reaches the store: throw to fail it, wait to slow it. */
  readonly before?: (method: StoreMethod, args: readonly unknown[]) => Promise<void> | void
  /** Runs when the store has done it: throw to lose the answer of a call that took effect. */
  readonly after?: (method: StoreMethod, args: readonly unknown[]) => Promise<void> | void
}

/**
 * A store whose calls are counted and can be made to fail, wait, or lose their answer.
 *
 * ```ts
 * const store = watchedStore(new MemoryStore(), {
 *   before: (method) => {
 *     if (method === "append" && diskIsFull) throw new StoreError("store_full", "The disk is full.")
 *   },
 * })
 * ```
 */
export function watchedStore(inner: SessionStore, faults: StoreFaults = {}): WatchedStore {
  let calls = noCalls()
  let entriesRead = 0
  const through = async <T>(
    method: StoreMethod,
    args: readonly unknown[],
    call: () => Promise<T>,
  ): Promise<T> => {
    calls[method]++
    await faults.before?.(method, args)
    const result = await call()
    await faults.after?.(method, args)
    return result
  }
  return {
    info: (...args) => through("info", args, () => inner.info(...args)),
    append: (...args) => through("append", args, () => inner.append(...args)),
    read: async (...args) => {
      const entries = await through("read", args, () => inner.read(...args))
      entriesRead += entries.length
      return entries
    },
    list: (...args) => through("list", args, () => inner.list(...args)),
    delete: (...args) => through("delete", args, () => inner.delete(...args)),
    acquire: (...args) => through("acquire", args, () => inner.acquire(...args)),
    renew: (...args) => through("renew", args, () => inner.renew(...args)),
    release: (...args) => through("release", args, () => inner.release(...args)),
    records: (collection) => {
      const records = inner.records(collection)
      return {
        get: (...args) => through("records.get", args, () => records.get(...args)),
        put: (...args) => through("records.put", args, () => records.put(...args)),
        write: (...args) => through("records.write", args, () => records.write(...args)),
        delete: (...args) => through("records.delete", args, () => records.delete(...args)),
        list: (...args) => through("records.list", args, () => records.list(...args)),
      }
    },
    collections: (...args) => through("collections", args, () => inner.collections(...args)),
    close: (...args) => through("close", args, () => inner.close(...args)),
    get calls() {
      return calls
    },
    get entriesRead() {
      return entriesRead
    },
    reset() {
      calls = noCalls()
      entriesRead = 0
    },
  }
}

const noCalls = (): Record<StoreMethod, number> => ({
  info: 0,
  append: 0,
  read: 0,
  list: 0,
  delete: 0,
  acquire: 0,
  renew: 0,
  release: 0,
  "records.get": 0,
  "records.put": 0,
  "records.write": 0,
  "records.delete": 0,
  "records.list": 0,
  collections: 0,
  close: 0,
})
