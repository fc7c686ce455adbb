import type { Whereabouts } from "./conversations.ts"

/** The messages of one person in one channel come in the order they were written, whatever has to be read first. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** Does the work after all that came before it from there. */
  async take({ channelId, userId }: Whereabouts, work: () => Promise<void>): Promise<void> {
    const key = `${channelId} ${userId}`
    const turn = (this.#last.get(key) ?? Promise.resolve()).then(work)
    const settled = turn.catch(() => {})
    this.#last.set(key, settled)
    try {
      await turn
    } finally {
      if (this.#last.get(key) === settled) this.#last.delete(key)
    }
  }
}
