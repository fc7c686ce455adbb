import { withRoom } from "./numbers.ts"

/** A new list has room for 2. */
const FIRST_CLASS = 1

/**
 * For each term the places where it occurs and how often, in lists that grow. All lists stand in two arrays, each in
 * a block whose size is a power of two; a list that outgrows its block moves, and its block waits for another one.
 */
export class Postings {
  #slots = new Uint32Array(64)
  #counts = new Uint16Array(64)
  #top = 0
  #offset = new Uint32Array(64)
  #length = new Uint32Array(64)
  #class = new Uint8Array(64)
  /** By the power of two of their size. */
  readonly #free: readonly number[][] = Array.from({ length: 33 }, () => [])

  append(term: number, slot: number, count: number): void {
    const length = this.#length[term] ?? 0
    if (length === 0) this.#start(term)
    else if (length === 1 << (this.#class[term] ?? 0)) this.#move(term, length)
    const at = (this.#offset[term] ?? 0) + length
    this.#slots[at] = slot
    this.#counts[at] = Math.min(count, 65_535)
    this.#length[term] = length + 1
  }

  /** The places of a term, and at the same index how often it occurs there. */
  of(term: number): { readonly slots: Uint32Array; readonly counts: Uint16Array } {
    const from = this.#offset[term] ?? 0
    const to = from + (this.#length[term] ?? 0)
    return { slots: this.#slots.subarray(from, to), counts: this.#counts.subarray(from, to) }
  }

  #start(term: number): void {
    this.#offset = withRoom(this.#offset, term + 1)
    this.#length = withRoom(this.#length, term + 1)
    this.#class = withRoom(this.#class, term + 1)
    this.#class[term] = FIRST_CLASS
    this.#offset[term] = this.#block(FIRST_CLASS)
  }

  #move(term: number, length: number): void {
    const size = this.#class[term] ?? 0
    const from = this.#offset[term] ?? 0
    const to = this.#block(size + 1)
    this.#slots.copyWithin(to, from, from + length)
    this.#counts.copyWithin(to, from, from + length)
    this.#free[size]?.push(from)
    this.#class[term] = size + 1
    this.#offset[term] = to
  }

  #block(size: number): number {
    const free = this.#free[size]?.pop()
    if (free !== undefined) return free
    const at = this.#top
    this.#top += 1 << size
    this.#slots = withRoom(this.#slots, this.#top)
    this.#counts = withRoom(this.#counts, this.#top)
    return at
  }
}
