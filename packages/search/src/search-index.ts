import { withRoom } from "./numbers.ts"
import { Postings } from "./postings.ts"
import { singular } from "./singular.ts"
import { eachTerm, queryTerms } from "./terms.ts"
import { type FindOptions, type SearchHit, Top } from "./top.ts"

export interface SearchIndexOptions {
  /**
   * How what was found is ordered. `bm25` (default) is the usual one for texts of different length, and does not tell
   * a word's plural from its singular; `tf-idf` is the share of a text's words that a word has, times the logarithm of
   * how rare it is.
   */
  readonly ranking?: "bm25" | "tf-idf"
}

export interface TextFindOptions extends FindOptions {
  /**
   * All the indexes that are searched with this question, this one included: how rare a word is counts over all of them,
   * so that the scores of their hits compare. Default: this one alone.
   */
  readonly among?: readonly SearchIndex[]
}

/** Text of which every occurrence of a word counts as `weight`, a whole number, such as 3 for a title. */
export interface WeightedText {
  readonly text: string
  readonly weight: number
}

const K1 = 1.2
const B = 0.75

/** More places than this that are no longer used, and more than are in use: the index is made anew. */
const MIN_DEAD = 256

/**
 * Texts by id that can be found by their words. In memory; adding, replacing and removing a text cost as much as that
 * text, and whatever the order, the index answers as one that was made anew.
 *
 * ```ts
 * const index = new SearchIndex()
 * index.set("a", "The café in Kyoto")
 * index.set("b", "京都の喫茶店")
 * index.search("cafe") // [{ id: "a", score: 0.69... }]
 * index.search("京都") // [{ id: "b", ... }]
 * ```
 */
export class SearchIndex {
  readonly #ranking: "bm25" | "tf-idf"
  #terms = new Map<string, number>()
  #postings = new Postings()
  /** In how many texts each term is. */
  #frequency = new Uint32Array(64)
  readonly #slots = new Map<string, number>()
  /** The id at each place; undefined where there is nothing any more. */
  #ids: (string | undefined)[] = []
  /** How many terms the text has; 0 also where there is nothing any more. */
  #lengths = new Uint32Array(64)
  /** The different terms of each text, one text after the other: from `#starts[slot]` to `#starts[slot + 1]`. */
  #own = new Uint32Array(64)
  #starts = new Uint32Array(64)
  #totalLength = 0
  /** While a text is read: how often each term was seen. Otherwise 0. */
  #seen = new Uint32Array(64)
  #scores = new Float64Array(0)

  constructor({ ranking = "bm25" }: SearchIndexOptions = {}) {
    this.#ranking = ranking
  }

  /** How many texts there are. */
  get size(): number {
    return this.#slots.size
  }

  has(id: string): boolean {
    return this.#slots.has(id)
  }

  /** Adds the text, or puts it in the place of the one with this id. */
  set(id: string, text: string | readonly WeightedText[]): void {
    this.delete(id)
    const slot = this.#ids.length
    const start = this.#starts[slot] ?? 0
    let end = start
    let length = 0
    for (const { text: words, weight } of typeof text === "string" ? [{ text, weight: 1 }] : text) {
      eachTerm(words, (found) => {
        const word = this.#word(found)
        let term = this.#terms.get(word)
        if (term === undefined) {
          term = this.#terms.size
          this.#terms.set(ownText(word), term)
          this.#seen = withRoom(this.#seen, term + 1)
          this.#frequency = withRoom(this.#frequency, term + 1)
        }
        const seen = this.#seen[term] ?? 0
        if (seen === 0) {
          this.#own = withRoom(this.#own, end + 1)
          this.#own[end++] = term
        }
        this.#seen[term] = seen + weight
        length += weight
      })
    }
    this.#place(id, slot, length, end)
    for (let at = start; at < end; at++) {
      const term = this.#own[at] ?? 0
      this.#postings.append(term, slot, this.#seen[term] ?? 0)
      this.#frequency[term] = (this.#frequency[term] ?? 0) + 1
      this.#seen[term] = 0
    }
  }

  /** False when there is no such text. */
  delete(id: string): boolean {
    const slot = this.#slots.get(id)
    if (slot === undefined) return false
    this.#totalLength -= this.#lengths[slot] ?? 0
    this.#slots.delete(id)
    this.#ids[slot] = undefined
    this.#lengths[slot] = 0
    for (let at = this.#starts[slot] ?? 0; at < (this.#starts[slot + 1] ?? 0); at++) {
      const term = this.#own[at] ?? 0
      this.#frequency[term] = (this.#frequency[term] ?? 0) - 1
    }
    const dead = this.#ids.length - this.#slots.size
    if (dead > MIN_DEAD && dead > this.#slots.size) this.#renew()
    return true
  }

  /** The texts with any of the words, best first; those of equal score by id. */
  search(query: string, options: TextFindOptions = {}): readonly SearchHit[] {
    if (this.#scores.length < this.#ids.length) this.#scores = new Float64Array(this.#lengths.length)
    const scores = this.#scores
    const touched: number[] = []
    const { filter, among = [this] } = options
    const size = sum(among, (index) => index.size)
    const length = sum(among, (index) => index.#totalLength)
    for (const word of new Set(Array.from(queryTerms(query), (found) => this.#word(found)))) {
      const term = this.#terms.get(word)
      if (term === undefined || (this.#frequency[term] ?? 0) === 0) continue
      const frequency = sum(among, (index) => index.#frequencyOf(word))
      this.#score(term, { size, length, frequency }, scores, touched)
    }
    const top = new Top(options)
    for (const slot of touched) {
      const score = scores[slot] ?? 0
      scores[slot] = 0
      const id = this.#ids[slot]
      if (score >= top.least && id !== undefined && (!filter || filter(id))) top.offer({ id, score })
    }
    return top.sorted()
  }

  #word(found: string): string {
    return this.#ranking === "bm25" ? singular(found) : found
  }

  #frequencyOf(word: string): number {
    const term = this.#terms.get(word)
    return term === undefined ? 0 : (this.#frequency[term] ?? 0)
  }

  /** `all`: how many texts are searched, how many terms they have, and how many have this one. */
  #score(
    term: number,
    all: { readonly size: number; readonly length: number; readonly frequency: number },
    scores: Float64Array,
    touched: number[],
  ): void {
    const { slots, counts } = this.#postings.of(term)
    const lengths = this.#lengths
    const { size, frequency } = all
    const isBm25 = this.#ranking === "bm25"
    const rarity = isBm25
      ? Math.log(1 + (size - frequency + 0.5) / (frequency + 0.5))
      : Math.log(size / frequency) + 1
    const perLength = (K1 * B * size) / all.length
    const gain = rarity * (K1 + 1)
    for (let at = 0; at < slots.length; at++) {
      const slot = slots[at] ?? 0
      const length = lengths[slot] ?? 0
      if (length === 0) continue
      const count = counts[at] ?? 0
      const before = scores[slot] ?? 0
      if (before === 0) touched.push(slot)
      scores[slot] =
        before +
        (isBm25 ? (gain * count) / (count + K1 * (1 - B) + perLength * length) : (rarity * count) / length)
    }
  }

  #place(id: string, slot: number, length: number, end: number): void {
    this.#slots.set(id, slot)
    this.#ids.push(id)
    this.#lengths = withRoom(this.#lengths, slot + 1)
    this.#lengths[slot] = length
    this.#starts = withRoom(this.#starts, slot + 2)
    this.#starts[slot + 1] = end
    this.#totalLength += length
  }

  /** Without the places and the words that are no longer used. */
  #renew(): void {
    const words = [...this.#terms].filter(([, term]) => (this.#frequency[term] ?? 0) > 0)
    const newSlots = new Uint32Array(this.#ids.length)
    const newTerms = new Uint32Array(this.#terms.size)
    const ids = this.#ids.filter((id) => id !== undefined)
    const lengths = new Uint32Array(ids.length)
    const starts = new Uint32Array(ids.length + 1)
    const postings = new Postings()
    const frequency = new Uint32Array(words.length)
    for (const [slot, id] of ids.entries()) {
      const old = this.#slots.get(id) ?? 0
      newSlots[old] = slot
      lengths[slot] = this.#lengths[old] ?? 0
      this.#slots.set(id, slot)
    }
    for (const [term, [, old]] of words.entries()) {
      newTerms[old] = term
      frequency[term] = this.#frequency[old] ?? 0
      const { slots, counts } = this.#postings.of(old)
      for (const [at, slot] of slots.entries())
        if (this.#ids[slot] !== undefined) postings.append(term, newSlots[slot] ?? 0, counts[at] ?? 0)
    }
    let end = 0
    for (const [old, id] of this.#ids.entries()) {
      if (id === undefined) continue
      for (let at = this.#starts[old] ?? 0; at < (this.#starts[old + 1] ?? 0); at++)
        this.#own[end++] = newTerms[this.#own[at] ?? 0] ?? 0
      starts[(newSlots[old] ?? 0) + 1] = end
    }
    this.#terms = new Map(words.map(([word], term) => [word, term]))
    this.#postings = postings
    this.#frequency = frequency
    this.#ids = ids
    this.#lengths = lengths
    this.#starts = starts
    this.#own = this.#own.slice(0, end)
    this.#scores = new Float64Array(0)
  }
}

const sum = (indexes: readonly SearchIndex[], of: (index: SearchIndex) => number): number =>
  indexes.reduce((total, index) => total + of(index), 0)

/** Longer pieces of a text are views of it in V8: a word that is kept would keep all of its text. */
const MAX_COPIED = 12

/** The word in memory of its own. */
const ownText = (word: string): string => (word.length > MAX_COPIED ? Array.from(word).join("") : word)
