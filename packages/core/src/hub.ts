import { keyOf, type Namespace } from "./namespace.ts"

/**
 * Items for one reader. It holds at most `capacity` of them; what comes on top is dropped, and the reader is told
 * that it lagged and must read the missing ones elsewhere. Closed by `signal`.
 */
export class Mailbox<T> {
  readonly #capacity: number
  readonly #signal: AbortSignal | undefined
  readonly #onAbort = (): void => this.close()
  #items: T[] = []
  #wake: (() => void) | undefined
  #closed = false
  #ended = false
  #lagged = false

  constructor(capacity: number, signal?: AbortSignal) {
    this.#capacity = capacity
    this.#signal = signal
    if (signal?.aborted) this.#closed = true
    else signal?.addEventListener("abort", this.#onAbort, { once: true })
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Adds an item, also to a full box when it `must` arrive: it cannot be read elsewhere. */
  push(item: T, must = false): void {
    if (this.#items.length < this.#capacity || must) this.#items.push(item)
    else this.#lagged = true
    this.#wake?.()
  }

  /** Something has to be read elsewhere. */
  lag(): void {
    this.#lagged = true
    this.#wake?.()
  }

  /** Nothing more will come: it closes when what has arrived is taken. */
  end(): void {
    this.#ended = true
    this.#wake?.()
  }

  close(): void {
    this.#closed = true
    this.#signal?.removeEventListener("abort", this.#onAbort)
    this.#wake?.()
  }

  /** True once after items were dropped. */
  hasLagged(): boolean {
    const lagged = this.#lagged
    this.#lagged = false
    return lagged
  }

  /** Everything that has arrived, waiting until there is something; nothing once closed. */
  async take(): Promise<readonly T[]> {
    if (this.#items.length === 0 && !this.#closed && !this.#lagged && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      this.#wake = undefined
    }
    if (this.#ended && this.#items.length === 0 && !this.#lagged) this.close()
    const items = this.#closed ? [] : this.#items
    this.#items = []
    return items
  }
}

/** Hands what happens in a namespace to those who listen to it, in the order it happened. */
export class Hub<T> {
  /** Who listens to one namespace, and who to all below one, by its key. */
  readonly exact = new Map<string, Set<(item: T) => void>>()
  readonly prefixes = new Map<string, Set<(item: T) => void>>()

  /** Listens to one namespace. @returns the function that stops it. */
  on(namespace: Namespace, listener: (item: T) => void): () => void {
    return listen(this.exact, keyOf(namespace), listener)
  }

  /** Listens to a namespace and everything below it. */
  onPrefix(prefix: Namespace, listener: (item: T) => void): () => void {
    return listen(this.prefixes, keyOf(prefix), listener)
  }

  emit(namespace: Namespace, item: T): void {
    const exact = this.exact.get(namespace.key)
    if (exact) for (const listener of exact) listener(item)
    if (this.prefixes.size === 0) return
    for (const key of namespace.lineageKeys)
      for (const listener of this.prefixes.get(key) ?? []) listener(item)
  }
}

function listen<T>(
  map: Map<string, Set<(item: T) => void>>,
  key: string,
  listener: (item: T) => void,
): () => void {
  const listeners = map.get(key) ?? new Set()
  map.set(key, listeners)
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0 && map.get(key) === listeners) map.delete(key)
  }
}
