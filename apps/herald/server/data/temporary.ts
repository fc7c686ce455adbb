import {
  type AppendOptions,
  type Entry,
  everyItem,
  type Lease,
  type ListOptions,
  MemoryStore,
  type Namespace,
  type NewEntry,
  type Page,
  type ReadOptions,
  type Records,
  type SessionInfo,
  type SessionStore,
} from "@orra/core"

/** Sessions with this in their namespace are in no file. */
const SEGMENT = "~temporary"
/** A chat that nobody has used for so long is gone, in ms. */
const KEPT_MS = 24 * 60 * 60_000

const isTemporary = (namespace: Namespace): boolean => namespace.segments.includes(SEGMENT)

/**
 * A store that keeps temporary chats in memory, and everything else in another store: they are in no list, no search and
 * no backup, and gone when Herald stops, or a day after they were last used.
 */
export class WithTemporary implements SessionStore {
  readonly #disk: SessionStore
  readonly #memory: SessionStore
  readonly #now: () => number

  constructor(disk: SessionStore, now: () => number = Date.now) {
    this.#disk = disk
    this.#now = now
    this.#memory = new MemoryStore({ now })
  }

  get audited(): boolean {
    return this.#disk.audited === true
  }

  info(namespace: Namespace): Promise<SessionInfo | undefined> {
    return this.#of(namespace).info(namespace)
  }

  async append(
    namespace: Namespace,
    entries: readonly NewEntry[],
    options: AppendOptions,
  ): Promise<readonly Entry[]> {
    if (options.expected === 0 && isTemporary(namespace)) await this.#forget(namespace)
    return await this.#of(namespace).append(namespace, entries, options)
  }

  read(namespace: Namespace, options?: ReadOptions): Promise<readonly Entry[]> {
    return this.#of(namespace).read(namespace, options)
  }

  list(prefix: Namespace, options?: ListOptions): Promise<Page<SessionInfo>> {
    return this.#of(prefix).list(prefix, options)
  }

  delete(namespace: Namespace): Promise<boolean> {
    return this.#of(namespace).delete(namespace)
  }

  acquire(namespace: Namespace, owner: string, ttlMs: number): Promise<Lease | undefined> {
    return this.#of(namespace).acquire(namespace, owner, ttlMs)
  }

  renew(lease: Lease, ttlMs: number): Promise<Lease> {
    return this.#of(lease.namespace).renew(lease, ttlMs)
  }

  release(lease: Lease): Promise<void> {
    return this.#of(lease.namespace).release(lease)
  }

  records(collection: string): Records {
    return this.#disk.records(collection)
  }

  collections(prefix: Namespace): Promise<readonly string[]> {
    return this.#disk.collections(prefix)
  }

  async close(): Promise<void> {
    await this.#memory.close()
    await this.#disk.close()
  }

  #of(namespace: Namespace): SessionStore {
    return isTemporary(namespace) ? this.#memory : this.#disk
  }

  /** What was left lying by the one who begins another. */
  async #forget(namespace: Namespace): Promise<void> {
    const own = namespace.lineage.find(isTemporary)
    const old: Namespace[] = []
    for await (const info of everyItem((page) => this.#memory.list(own ?? namespace, page)))
      if (info.updatedAt + KEPT_MS < this.#now() && info.openRun === undefined) old.push(info.namespace)
    for (const each of old) await this.#memory.delete(each)
  }
}
