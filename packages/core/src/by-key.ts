/**
 * What comes and goes under a text. Not a Map of the things themselves: each time one makes room, its old table leads on
 * to the new one and keeps what was in it. Once a table is old, nothing that ever was in a later one goes before the
 * next full collection: with a session for each turn that took a quarter of the time. For the same reason one that is
 * empty begins anew: the tables of one that goes from empty to one and back would all become old.
 */
export class ByKey<T> {
  #cells = new Map<string, { item: T | undefined }>()

  get(key: string): T | undefined {
    return this.#cells.get(key)?.item
  }

  set(key: string, item: T): void {
    this.#cells.set(key, { item })
  }

  /** @returns whether there was one. */
  delete(key: string): boolean {
    const cell = this.#cells.get(key)
    if (cell) {
      cell.item = undefined
      this.#cells.delete(key)
      if (this.#cells.size === 0) this.#cells = new Map()
    }
    return cell !== undefined
  }

  values(): T[] {
    return Array.from(this.#cells.values(), ({ item }) => item as T)
  }
}
