/** Something that was found. A higher score is better; scores of different searches do not compare. */
export interface SearchHit {
  readonly id: string
  readonly score: number
}

export interface FindOptions {
  /** Most hits. Default 10. */
  readonly limit?: number
  /** Only these. Default all. */
  readonly filter?: (id: string) => boolean
  /** Of those for which it says the same only the best one, such as of the pieces of a document. Default all. */
  readonly group?: (id: string) => string
}

/** Best first; equal ones by id, so that the same content always gives the same list. */
export const bestFirst = (a: SearchHit, b: SearchHit): number =>
  b.score - a.score || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)

/** Keeps the best `limit` of what it is given; with `group` only the best of each group. */
export class Top {
  readonly #limit: number
  readonly #group: ((id: string) => string) | undefined
  readonly #ofGroups = new Map<string, SearchHit>()
  /** A heap with the worst of the kept in front. */
  readonly #kept: SearchHit[] = []

  constructor({ limit = 10, group }: Pick<FindOptions, "limit" | "group">) {
    this.#limit = limit
    this.#group = group
  }

  /** A lower score need not be offered. */
  get least(): number {
    return this.#kept.length < this.#limit
      ? Number.NEGATIVE_INFINITY
      : (this.#kept[0]?.score ?? Number.POSITIVE_INFINITY)
  }

  offer(hit: SearchHit): void {
    const group = this.#group?.(hit.id)
    const best = group === undefined ? undefined : this.#ofGroups.get(group)
    if (group === undefined) this.#keep(hit)
    else if (!best || bestFirst(hit, best) < 0) this.#ofGroups.set(group, hit)
  }

  sorted(): readonly SearchHit[] {
    for (const hit of this.#ofGroups.values()) this.#keep(hit)
    this.#ofGroups.clear()
    return this.#kept.toSorted(bestFirst)
  }

  #keep(hit: SearchHit): void {
    const kept = this.#kept
    if (kept.length < this.#limit) {
      kept.push(hit)
      this.#rise(kept.length - 1)
    } else if (kept[0] && bestFirst(hit, kept[0]) < 0) {
      kept[0] = hit
      this.#sink()
    }
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
