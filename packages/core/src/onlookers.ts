import type { Broadcast } from "./broadcast.ts"
import { Namespace } from "./namespace.ts"
import type { SessionInfo } from "./session.ts"
import type { SessionStore } from "./store.ts"

/** A list of sessions is brought up to date this often at most. */
const LIST_MS = 250
/** Sessions of a list that are looked at when it is not known which have changed. */
const NEWEST = 50
/** Sessions of which it is remembered what a list shows of them. */
const MAX_SHOWN = 10_000

/**
 * Those who watch sessions here while other processes write to them. A follower is told to read on in the log; a list of
 * sessions gets what it shows of each.
 */
export class Onlookers {
  readonly #store: SessionStore
  readonly #broadcast: Broadcast
  readonly #onError: (error: unknown) => void
  /** What was last shown of a session, and as text to compare with. */
  readonly #shown = new Map<string, { readonly info: SessionInfo; readonly text: string }>()
  readonly #changed = new Map<string, Namespace>()
  #missed = false
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed = false

  constructor(store: SessionStore, broadcast: Broadcast, onError: (error: unknown) => void) {
    this.#store = store
    this.#broadcast = broadcast
    this.#onError = onError
  }

  /** Another process wrote to the session, or removed it. */
  changed(namespace: Namespace): void {
    const { events, changes } = this.#broadcast
    const isFollowed = events.exact.has(namespace.key)
    if (isFollowed) events.emit(namespace, { type: "more" })
    if (!isFollowed && !namespace.lineageKeys.some((key) => changes.prefixes.has(key))) return
    this.#changed.set(namespace.key, namespace)
    this.#soon()
  }

  /** Some of what others wrote may not have been told. */
  all(): void {
    const { events, changes } = this.#broadcast
    for (const key of events.exact.keys()) this.changed(Namespace.parse(key))
    if (changes.prefixes.size === 0) return
    this.#missed = true
    this.#soon()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
  }

  #soon(): void {
    if (this.#closed) return
    this.#timer ??= setTimeout(() => {
      this.#update()
        .catch(this.#onError)
        .finally(() => {
          this.#timer = undefined
          if (this.#changed.size > 0 || this.#missed) this.#soon()
        })
    }, LIST_MS)
  }

  async #update(): Promise<void> {
    const changed = [...this.#changed.values()]
    const missed = this.#missed
    this.#changed.clear()
    this.#missed = false
    for (const namespace of changed) {
      const info = await this.#store.info(namespace)
      if (info) this.#show(info)
      else this.#gone(namespace)
    }
    if (!missed) return
    for (const key of this.#broadcast.changes.prefixes.keys()) await this.#updateList(Namespace.parse(key))
  }

  /** The newest sessions, and of those that were among them and are no more, what became of them. */
  async #updateList(prefix: Namespace): Promise<void> {
    const { items } = await this.#store.list(prefix, { limit: NEWEST })
    const listed = new Set(items.map(({ namespace }) => namespace.key))
    const oldest = items.length < NEWEST ? 0 : (items.at(-1)?.updatedAt ?? 0)
    for (const info of items) this.#show(info)
    for (const [key, { info }] of this.#shown) {
      const { namespace, updatedAt } = info
      if (listed.has(key) || updatedAt < oldest || !prefix.contains(namespace)) continue
      const now = await this.#store.info(namespace)
      if (now) this.#show(now)
      else this.#gone(namespace)
      this.#shown.delete(key)
    }
  }

  #show(info: SessionInfo): void {
    const { namespace, version: _, ...rest } = info
    const text = JSON.stringify(rest)
    const before = this.#shown.get(namespace.key)
    if (text === before?.text) return
    if (before && before.info.createdAt !== info.createdAt) {
      this.#gone(namespace)
      this.#broadcast.events.emit(namespace, { type: "more" })
    }
    if (this.#shown.size >= MAX_SHOWN) this.#shown.clear()
    this.#shown.set(namespace.key, { info, text })
    this.#broadcast.changes.emit(namespace, { type: "session", info })
  }

  #gone(namespace: Namespace): void {
    this.#shown.delete(namespace.key)
    this.#broadcast.deleted(namespace)
  }
}
