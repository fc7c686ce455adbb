/** Keys by their number, the least first: added, moved and removed in a time that grows with the logarithm of their count. */
export class Heap {
  readonly #keys: string[] = []
  readonly #at: number[] = []
  readonly #places = new Map<string, number>()

  get size(): number {
    return this.#keys.length
  }

  /** The key with the least number; undefined when there is none. */
  first(): { readonly key: string; readonly at: number } | undefined {
    const [key] = this.#keys
    const [at] = this.#at
    return key === undefined || at === undefined ? undefined : { key, at }
  }

  /** Adds the key, or moves it. */
  set(key: string, at: number): void {
    const place = this.#places.get(key) ?? this.#keys.length
    this.#put(place, key, at)
    this.#down(this.#up(place))
  }

  delete(key: string): void {
    const place = this.#places.get(key)
    if (place === undefined) return
    this.#places.delete(key)
    const last = this.#keys.pop()
    const at = this.#at.pop()
    if (last === undefined || at === undefined || last === key) return
    this.#put(place, last, at)
    this.#down(this.#up(place))
  }

  clear(): void {
    this.#keys.length = 0
    this.#at.length = 0
    this.#places.clear()
  }

  #put(place: number, key: string, at: number): void {
    this.#keys[place] = key
    this.#at[place] = at
    this.#places.set(key, place)
  }

  #up(from: number): number {
    let place = from
    while (place > 0) {
      const parent = (place - 1) >> 1
      if (this.#time(parent) <= this.#time(place)) break
      this.#swap(place, parent)
      place = parent
    }
    return place
  }

  #down(from: number): void {
    for (let place = from; ; ) {
      const left = 2 * place + 1
      const least = this.#time(left + 1) < this.#time(left) ? left + 1 : left
      if (!(this.#time(least) < this.#time(place))) return
      this.#swap(place, least)
      place = least
    }
  }

  #time(place: number): number {
    return this.#at[place] ?? Number.POSITIVE_INFINITY
  }

  #swap(one: number, other: number): void {
    const key = this.#keys[one] ?? ""
    const at = this.#time(one)
    this.#put(one, this.#keys[other] ?? "", this.#time(other))
    this.#put(other, key, at)
  }
}
