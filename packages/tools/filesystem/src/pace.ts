import { setImmediate as turn } from "node:timers/promises"

/** Work that never waits lets others in this often, in ms. */
const SLICE = 12

/** Keeps long work without waiting from holding up its process, and from going on for ever. */
export class Pace {
  readonly #signal: AbortSignal
  readonly #deadline: number
  #turn = performance.now()

  constructor(signal: AbortSignal, deadline: number) {
    this.#signal = signal
    this.#deadline = deadline
  }

  /** Lets others in when it is their turn. True when the time is up. @throws the signal's reason. */
  async isOver(): Promise<boolean> {
    const now = performance.now()
    if (now - this.#turn < SLICE) return false
    await turn()
    this.#turn = performance.now()
    this.#signal.throwIfAborted()
    return this.#turn > this.#deadline
  }
}
