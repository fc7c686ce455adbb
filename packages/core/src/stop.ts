/** What an AbortSignal and a `Stop` have in common. */
export interface Stopping {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: "abort", listener: () => void, options: { readonly once: true }): void
  removeEventListener(type: "abort", listener: () => void): void
}

/**
 * Ends a run or a call. The loop looks at this and listens to it, not to the signal that hooks, tools and providers are
 * given: events cost more than the rest of a step.
 */
export class Stop implements Stopping {
  readonly #controller = new AbortController()
  readonly signal = this.#controller.signal
  aborted = false
  reason: unknown
  #listeners: (() => void)[] = []

  abort(reason?: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    this.#controller.abort(reason)
    for (const listener of this.#listeners) listener()
  }

  addEventListener(_: "abort", listener: () => void): void {
    this.#listeners.push(listener)
  }

  removeEventListener(_: "abort", listener: () => void): void {
    this.#listeners = this.#listeners.filter((one) => one !== listener)
  }
}
