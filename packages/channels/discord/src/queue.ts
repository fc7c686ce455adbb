/** What comes in until it is taken. It ends, or breaks, once. */
export class Queue<T> implements AsyncIterable<T> {
  readonly #limit: number
  readonly #items: T[] = []
  #end: { readonly error?: unknown } | undefined
  #wake = Promise.withResolvers<void>()

  constructor(limit: number) {
    this.#limit = limit
  }

  /** @returns false when there is no room. */
  push(item: T): boolean {
    if (this.#items.length >= this.#limit) return false
    this.#items.push(item)
    this.#wake.resolve()
    return true
  }

  end(error?: unknown): void {
    this.#end = error === undefined ? {} : { error }
    this.#wake.resolve()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      this.#wake = Promise.withResolvers()
      for (let next = this.#items.shift(); next !== undefined; next = this.#items.shift()) yield next
      if (this.#end) {
        const { error } = this.#end
        this.#end = undefined
        if (error !== undefined) throw error
        return
      }
      if (this.#items.length === 0) await this.#wake.promise
    }
  }
}
