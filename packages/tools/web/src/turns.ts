/** So many at a time: the others wait for their turn, in the order they came. */
export class Turns {
  #free: number
  readonly #waiting = new Set<() => void>()

  constructor(atATime: number) {
    this.#free = atATime
  }

  /** Does the work when it is its turn. @throws The signal's reason, at once, while it waits. */
  async take<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    if (this.#free > 0) this.#free--
    else await this.#turn(signal)
    try {
      return await work()
    } finally {
      this.#pass()
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const stop = (): void => {
      this.#waiting.delete(resolve)
      reject(signal.reason)
    }
    this.#waiting.add(resolve)
    signal.addEventListener("abort", stop, { once: true })
    try {
      await promise
    } finally {
      signal.removeEventListener("abort", stop)
    }
  }

  #pass(): void {
    const [next] = this.#waiting
    if (!next) {
      this.#free++
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
