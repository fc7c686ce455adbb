import { setImmediate as turn } from "node:timers/promises"
import type { Namespace } from "@orra/core"
import { EmbeddingError, SearchIndex, VectorIndex } from "@orra/search"
import type { Head, Ledger } from "./ledger.ts"
import type { Kept } from "./memory.ts"
import { unpacked } from "./vector.ts"

/** The memories of a namespace as they are searched. */
export interface Held {
  readonly keywords: SearchIndex
  readonly vectors: VectorIndex
  /** Whether it may be found: not expired, and with all the tags. */
  admits(id: string, now: number, tags: readonly string[]): boolean
}

export interface HeldOptions {
  /** Vectors of this embedder are searched. */
  readonly embedder: string | undefined
  /** How many namespaces are held, and how many memories of them all. */
  readonly namespaces: number
  readonly memories: number
}

/** A change is read on from when no more than so many are missing; else everything is read anew. */
const MAX_BEHIND = 1_000
const PAGE = 500

class Content implements Held {
  readonly keywords = new SearchIndex()
  readonly vectors = new VectorIndex()
  readonly #embedder: string | undefined
  readonly #tags = new Map<string, readonly string[]>()
  readonly #expiries = new Map<string, number>()
  /** Up to which change it says what the store says. Empty: it does not yet. */
  stamp = ""
  last = 0

  constructor(embedder: string | undefined) {
    this.#embedder = embedder
  }

  admits(id: string, now: number, tags: readonly string[]): boolean {
    if ((this.#expiries.get(id) ?? Number.POSITIVE_INFINITY) <= now) return false
    return tags.length === 0 || tags.every((tag) => this.#tags.get(id)?.includes(tag))
  }

  set(id: string, { content, tags, expiresAt, vector }: Kept): void {
    this.delete(id)
    this.keywords.set(id, tags.length > 0 ? `${content}\n${tags.join(" ")}` : content)
    if (tags.length > 0) this.#tags.set(id, tags)
    if (expiresAt !== undefined) this.#expiries.set(id, expiresAt)
    if (vector && vector.of === this.#embedder) this.#setVector(id, vector.data)
  }

  delete(id: string): void {
    this.keywords.delete(id)
    this.vectors.delete(id)
    this.#tags.delete(id)
    this.#expiries.delete(id)
  }

  /** One of another length, from before the model was changed under the same name, is like none. */
  #setVector(id: string, data: string): void {
    try {
      this.vectors.set(id, unpacked(data))
    } catch (error) {
      if (!(error instanceof EmbeddingError)) throw error
    }
  }
}

interface Slot {
  content: Content
  /** Ends when what was asked for before is done. Never rejects. */
  turn: Promise<unknown>
}

/**
 * The indexes of the namespaces that were asked last. They are made from the store when they are needed, and read on
 * from its list of changes each time, so that they know what other processes did.
 */
export class HeldIndexes {
  readonly #ledger: Ledger
  readonly #options: HeldOptions
  /** Least recently used first. */
  readonly #slots = new Map<string, Slot>()

  constructor(ledger: Ledger, options: HeldOptions) {
    this.#ledger = ledger
    this.#options = options
  }

  /**
   * The index of the namespace as the store is now; undefined where nothing is remembered.
   *
   * @param waitMs how long to wait for it. What was read by then is there, newest first, and `isWhole` is false.
   */
  async open(
    namespace: Namespace,
    waitMs: number,
    signal?: AbortSignal,
  ): Promise<{ readonly held: Held; readonly isWhole: boolean } | undefined> {
    const { key } = namespace
    const head = await this.#ledger.head(namespace)
    if (!head || head.count === 0) {
      this.#slots.delete(key)
      return undefined
    }
    const slot = this.#slots.get(key) ?? { content: this.#empty(), turn: Promise.resolve() }
    this.#slots.delete(key)
    this.#slots.set(key, slot)
    if (slot.content.stamp === head.stamp) return { held: slot.content, isWhole: true }
    const done = slot.turn.then(() => this.#bring(namespace, slot))
    slot.turn = done.catch(() => {})
    const isWhole = await inTime(done, waitMs, signal)
    this.#evict(key)
    return { held: slot.content, isWhole }
  }

  /** Lets go of what is held of namespaces at and below the prefix. */
  release(prefix: Namespace): void {
    for (const key of [...this.#slots.keys()])
      if (key === prefix.key || key.startsWith(`${prefix.key}:`)) this.#slots.delete(key)
  }

  #empty(): Content {
    return new Content(this.#options.embedder)
  }

  async #bring(namespace: Namespace, slot: Slot): Promise<void> {
    const head = await this.#ledger.head(namespace)
    if (head?.stamp === slot.content.stamp) return
    if (head && (await this.#follow(namespace, slot.content, head))) return
    slot.content = this.#empty()
    if (head) await this.#load(namespace, slot.content, head)
  }

  /** Reads on. False when that is not possible: too much was missed, or it is another history. */
  async #follow(namespace: Namespace, content: Content, head: Head): Promise<boolean> {
    const { stamp, last } = content
    if (stamp === "" || last < head.first || last > head.last || head.last - last > MAX_BEHIND) return false
    if ((await this.#ledger.change(namespace, last))?.stamp !== stamp) return false
    const ids = new Set<string>()
    for (let number = last + 1; number <= head.last; number++) {
      const change = await this.#ledger.change(namespace, number)
      if (!change) return false
      for (const id of change.ids) ids.add(id)
    }
    for (const id of ids) {
      const kept = await this.#ledger.get(namespace, id)
      if (kept) content.set(id, kept)
      else content.delete(id)
    }
    content.stamp = head.stamp
    content.last = head.last
    return true
  }

  /** What is changed meanwhile is after `head`, and so is read again the next time. */
  async #load(namespace: Namespace, content: Content, head: Head): Promise<void> {
    let cursor: string | undefined
    do {
      const page = await this.#ledger.page(namespace, {
        limit: PAGE,
        ...(cursor !== undefined && { cursor }),
      })
      for (const [id, kept] of page.items) content.set(id, kept)
      cursor = page.cursor
      // A store on this machine answers at once: whoever else waits gets a turn as well.
      await turn()
    } while (cursor !== undefined)
    content.stamp = head.stamp
    content.last = head.last
  }

  #evict(key: string): void {
    let memories = 0
    for (const { content } of this.#slots.values()) memories += content.keywords.size
    for (const [oldest, { content }] of this.#slots) {
      if (this.#slots.size <= this.#options.namespaces && memories <= this.#options.memories) return
      if (oldest === key) continue
      this.#slots.delete(oldest)
      memories -= content.keywords.size
    }
  }
}

/** True when the work is done by then, and before the signal fires. @throws what it throws. */
async function inTime(work: Promise<void>, ms: number, signal: AbortSignal | undefined): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<false>()
  const giveUp = (): void => resolve(false)
  const timer = setTimeout(giveUp, ms)
  signal?.addEventListener("abort", giveUp, { once: true })
  if (signal?.aborted) giveUp()
  try {
    return await Promise.race([work.then(() => true), late])
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener("abort", giveUp)
  }
}
