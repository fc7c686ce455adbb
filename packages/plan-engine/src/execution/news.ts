/**
 * Wakes whoever waits for something of this process to change. What another process changes is seen by looking again.
 *
 * ```ts
 * const waiting = news.wait(id, 1_000, signal) // first, so that nothing is missed
 * look()
 * await waiting
 * ```
 */
export class News {
  readonly #waiting = new Map<string, Set<() => void>>()

  tell(...keys: readonly string[]): void {
    for (const key of keys) for (const wake of this.#waiting.get(key) ?? []) wake()
  }

  /** Resolves at the next news of the key, after so many ms, or when the signal fires. */
  async wait(key: string, ms: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = (): void => resolve()
    const waiting = this.#waiting.get(key) ?? new Set()
    this.#waiting.set(key, waiting.add(wake))
    const timer = setTimeout(wake, ms)
    signal.addEventListener("abort", wake, { once: true })
    if (signal.aborted) wake()
    await promise
    clearTimeout(timer)
    signal.removeEventListener("abort", wake)
    waiting.delete(wake)
    if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key)
  }
}
