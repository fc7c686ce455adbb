/** Something that was found. A higher score is better; scores of different searches do not compare. */
export interface SearchHit {
  readonly id: string
  readonly score: number
}

/** Best first; equal ones by id, so that the same content always gives the same list. */
export const bestFirst = (a: SearchHit, b: SearchHit): number =>
  b.score - a.score || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

/** Keeps the best `limit` of what it is given. */
export class Top {
  readonly #limit: number
  /** A heap with the worst of the kept in front. */
  readonly #kept: SearchHit[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  /** A lower score need not be offered. */
  get least(): number {
    return this.#kept.length < this.#limit ? Number.NEGATIVE_INFINITY : (this.#kept[0]?.score ?? Infinity)
  }

  offer(hit: SearchHit): void {
    const kept = this.#kept
    if (kept.length < this.#limit) {
      kept.push(hit)
      this.#rise(kept.length - 1)
    } else if (kept[0] && bestFirst(hit, kept[0]) < 0) {
      kept[0] = hit
      this.#sink()
    }
  }

  sorted(): readonly SearchHit[] {
    return this.#kept.toSorted(bestFirst)
  }

  #rise(at: number): void {
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#swapped(parent, at)) return
      at = parent
    }
  }

  #sink(): void {
    for (let at = 0; ; ) {
      const left = 2 * at + 1
      const [a, b] = [this.#kept[left], this.#kept[left + 1]]
      if (!a) return
      const worse = b && bestFirst(b, a) > 0 ? left + 1 : left
      if (!this.#swapped(at, worse)) return
      at = worse
    }
  }

  /** Puts the worse of two above the other. True when that changed something. */
  #swapped(above: number, below: number): boolean {
    const [a, b] = [this.#kept[above], this.#kept[below]]
    if (!a || !b || bestFirst(b, a) < 0) return false
    this.#kept[above] = b
    this.#kept[below] = a
    return true
  }
}
