/**
 * What comes and goes under a text. Not a Map: each time one makes room, its old table leads on to the new one and keeps
 * what was in it. Once a table is old, nothing that ever was in a later one goes before the next full collection: with a
 * session for each turn that took a quarter of the time.
 */
export class ByKey<T> {
  readonly #items: { [key: string]: T } = Object.create(null)

  get(key: string): T | undefined {
    return this.#items[key]
  }

  set(key: string, item: T): void {
    this.#items[key] = item
  }

  /** @returns whether there was one. */
  delete(key: string): boolean {
    return key in this.#items && delete this.#items[key]
  }

  values(): T[] {
    return Object.values(this.#items)
  }
}
