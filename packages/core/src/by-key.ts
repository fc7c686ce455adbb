/**
 * What comes and goes under a text. Not a Map of the things themselves: each time one makes room, its old table leads on
 * to the new one and keeps what was in it. Once a table is old, nothing that ever was in a later one goes before the
 * next full collection: with a session for each turn that took a quarter of the time.
 */
export class ByKey<T> {
  readonly #cells = new Map<string, { item: T | undefined }>()

  get(key: string): T | undefined {
    return this.#cells.get(key)?.item
  }

  set(key: string, item: T): void {
    this.#cells.set(key, { item })
  }

  /** @returns whether there was one. */
  delete(key: string): boolean {
    const cell = this.#cells.get(key)
    if (cell) cell.item = undefined
    return this.#cells.delete(key)
  }

  values(): T[] {
    return Array.from(this.#cells.values(), ({ item }) => item as T)
  }
}
