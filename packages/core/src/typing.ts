import type { Channel, InboundMessage } from "./channel.ts"

/** Shows that an answer is being written. A channel that is slow is not hurried. */
export class Typing {
  readonly #show: () => Promise<void>
  readonly #intervalMs: number
  #controller = new AbortController()
  #timer: ReturnType<typeof setInterval> | undefined

  constructor(
    channel: Channel,
    message: InboundMessage,
    intervalMs: number,
    report: (error: unknown) => void,
  ) {
    let showing = false
    this.#intervalMs = intervalMs
    this.#show = async () => {
      if (showing) return
      showing = true
      const { signal } = this.#controller
      try {
        await channel.typing?.(message, signal)
      } catch (error) {
        if (!signal.aborted) report(error)
      } finally {
        showing = false
      }
    }
  }

  start(): void {
    this.stop()
    this.#controller = new AbortController()
    this.#timer = setInterval(this.#show, this.#intervalMs)
    void this.#show()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#controller.abort()
  }
}
