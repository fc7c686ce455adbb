import type { Channel, InboundMessage } from "./channel.ts"

/** Shows an answer while it is written, one step after the other: what comes during a step is shown with the next. */
export class Writing {
  readonly #show: (text: string) => Promise<void>
  readonly #controller = new AbortController()
  #text = ""
  #showing: Promise<void> | undefined

  constructor(channel: Channel, message: InboundMessage, report: (error: unknown) => void) {
    const { signal } = this.#controller
    this.#show = async (text) => {
      try {
        await channel.writing?.(message, text, signal)
      } catch (error) {
        if (!signal.aborted) report(error)
      }
    }
  }

  add(text: string): void {
    if (text === "" || this.#controller.signal.aborted) return
    this.#text += text
    this.#showing ??= this.#showAll()
  }

  /** What comes now belongs to another answer of the model. */
  clear(): void {
    this.#text = ""
  }

  /** Resolves when nothing is being shown any more. */
  async stop(): Promise<void> {
    this.#controller.abort()
    await this.#showing
  }

  async #showAll(): Promise<void> {
    let shown = ""
    while (this.#text !== "" && this.#text !== shown && !this.#controller.signal.aborted) {
      shown = this.#text
      await this.#show(shown)
    }
    this.#showing = undefined
  }
}
