interface Waiting {
  readonly since: number
  readonly enter: () => void
  readonly giveUp: (error: unknown) => void
}

/** Lets so many work at the same time; the others wait, in the order in which they came. */
export class Queue {
  readonly #waiting: Waiting[] = []
  #room: number

  constructor(room: number) {
    this.#room = room
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#room > 0) this.#room--
    else {
      await new Promise<void>((enter, giveUp) => {
        this.#waiting.push({ since: performance.now(), enter, giveUp })
      })
    }
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      if (next) next.enter()
      else this.#room++
    }
  }

  /** Sends away those who have waited for so long. */
  sendAway(error: unknown, ms: number): void {
    const latest = performance.now() - ms
    while (this.#waiting[0] && this.#waiting[0].since < latest) this.#waiting.shift()?.giveUp(error)
  }
}
