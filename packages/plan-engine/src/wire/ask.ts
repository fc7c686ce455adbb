import type { JsonObject } from "@orra/core"
import type { ServiceFrame } from "./service-frame.ts"

/** A way to a service: a socket here, or an engine that has one. */
export interface Line {
  /** How many tasks are under way on it. */
  load: number
  /** What replaces it is there: it may be of no use any more. */
  readonly isDoubted: boolean
  readonly send: (message: JsonObject) => void
}

/** What a service is asked to do. Times in ms. */
export interface Question {
  readonly service: string
  /** The idempotency key: what comes with it is the answer. */
  readonly key: string
  /** What is sent, each time with another execution id. */
  readonly message: () => JsonObject
  /** How long it may take from when it is sent; anything the service tells meanwhile begins it anew. */
  readonly timeoutMs: number
  /** How long the service may be away. */
  readonly graceMs: number
  readonly onProgress: (frame: Extract<ServiceFrame, { type: "progress" }>) => void
  readonly signal: AbortSignal
}

export type Reply =
  | Extract<ServiceFrame, { type: "result" | "aborted" }>
  | { readonly type: "late" }
  | { readonly type: "away" }

export interface Delivery {
  /** When a task of which nothing was heard is sent again, in ms after it was sent; the last again and again. */
  readonly redeliverMs: readonly number[]
  /** How long the next connection is waited for when the one that had the task closes, before another one gets it. */
  readonly handoverMs: number
}

/**
 * A question until it is answered. A service drops what comes before it has begun to listen, and never sends again what was
 * lost on a connection that lives: so the question is repeated. It knows it by its key.
 */
export class Ask {
  readonly #question: Question
  readonly #delivery: Delivery
  readonly #pick: () => Line | undefined
  readonly #reply = Promise.withResolvers<Reply>()
  #line: Line | undefined
  #deadline: NodeJS.Timeout | undefined
  #redelivery: NodeJS.Timeout | undefined
  #grace: NodeJS.Timeout | undefined
  #handover: NodeJS.Timeout | undefined

  constructor(question: Question, delivery: Delivery, pick: () => Line | undefined) {
    this.#question = question
    this.#delivery = delivery
    this.#pick = pick
  }

  /** Where it is, or was last. */
  get line(): Line | undefined {
    return this.#line
  }

  /** @throws the reason of the signal. */
  async reply(): Promise<Reply> {
    const { signal } = this.#question
    signal.throwIfAborted()
    const onAbort = (): void => this.#reply.reject(signal.reason)
    signal.addEventListener("abort", onAbort, { once: true })
    const line = this.#pick()
    if (line) this.#send(line)
    else this.#wait()
    try {
      return await this.#reply.promise
    } finally {
      signal.removeEventListener("abort", onAbort)
      for (const timer of [this.#deadline, this.#redelivery, this.#grace, this.#handover]) clearTimeout(timer)
      if (this.#line) this.#line.load--
    }
  }

  /** A connection of the service has opened: what was on one that closed goes on there. */
  opened(line: Line): void {
    if (!this.#line) this.#send(line)
  }

  closed(line: Line): void {
    if (this.#line !== line) return
    line.load--
    this.#line = undefined
    clearTimeout(this.#deadline)
    clearTimeout(this.#redelivery)
    this.#wait()
    // What replaces one that was given up is there already.
    const ms = line.isDoubted ? 0 : this.#delivery.handoverMs
    this.#handover = setTimeout(() => {
      const other = this.#pick()
      if (other && !this.#line) this.#send(other)
    }, ms)
  }

  heard(frame: Exclude<ServiceFrame, { type: "pong" | "unknown" }>): void {
    if (frame.type === "result" || frame.type === "aborted") this.#reply.resolve(frame)
    if (frame.type !== "progress") return
    this.#question.onProgress(frame)
    if (this.#line) this.#startTime()
  }

  #send(line: Line): void {
    clearTimeout(this.#grace)
    clearTimeout(this.#handover)
    this.#line = line
    line.load++
    line.send(this.#question.message())
    this.#startTime()
    this.#repeat(line, 0)
  }

  #repeat(line: Line, time: number): void {
    const { redeliverMs } = this.#delivery
    this.#redelivery = setTimeout(() => {
      line.send(this.#question.message())
      this.#repeat(line, Math.min(time + 1, redeliverMs.length - 1))
    }, redeliverMs[time])
  }

  #startTime(): void {
    clearTimeout(this.#deadline)
    this.#deadline = setTimeout(() => this.#reply.resolve({ type: "late" }), this.#question.timeoutMs)
  }

  #wait(): void {
    this.#grace = setTimeout(() => this.#reply.resolve({ type: "away" }), this.#question.graceMs)
  }
}
