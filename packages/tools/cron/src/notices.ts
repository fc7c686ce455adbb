import { type Json, type Namespace, Outbox, type OutboxMessage } from "@orra/core"
import type { Desk } from "./desk.ts"
import { findRun, logDelivery } from "./run-log.ts"

/** What somebody is told of a job. */
export interface Notice {
  /** The job's. */
  readonly namespace: Namespace
  /** The same whenever it comes again: one that was seen is not shown twice. */
  readonly key: string
  /** `finished`: a firing ended, well or not. `paused`: the job was paused, and why is its `error`. */
  readonly type: "finished" | "paused"
  readonly job: { readonly id: string; readonly name: string }
  /** Where it goes, if the job says so. */
  readonly to?: string
  /** When the firing was due, ms since 1970. */
  readonly due: number
  readonly outcome: string
  /** The answer, or the message, as far as it is kept. */
  readonly text: string
  readonly error?: { readonly code: string; readonly message: string }
  /** The key of the session in which it was done. */
  readonly session?: string
  /** What strangers wrote was read for it: so may this be theirs. */
  readonly tainted?: true
}

/** Tells somebody. When it rejects, it is tried again later. */
export type Deliver = (notice: Notice, signal: AbortSignal) => Promise<void>

interface Kept extends Omit<Notice, "namespace" | "key"> {
  readonly firing: string
}

const MAX_ATTEMPTS = 10

/** What is to be told, in the store until somebody was. */
export class Notices {
  readonly #desk: Desk
  readonly #deliver: Deliver
  readonly #outbox: Outbox

  /** `attemptMs`: how long telling somebody may take. */
  constructor(desk: Desk, deliver: Deliver, attemptMs: number, onError: (error: unknown) => void) {
    this.#desk = desk
    this.#deliver = deliver
    this.#outbox = new Outbox(desk.store, {
      name: "cron-outbox",
      attemptMs,
      maxAttempts: MAX_ATTEMPTS,
      deliver: (message, signal) => this.#tell(message, signal),
      onError,
    })
  }

  async add(namespace: Namespace, notice: Kept): Promise<void> {
    const { job, firing, type } = notice
    await this.#outbox.add(namespace, `${job.id} ${firing} ${type}`, notice as unknown as Json)
  }

  run(prefix: Namespace, signal: AbortSignal, pollMs: number): Promise<void> {
    return this.#outbox.run(prefix, { signal, pollMs })
  }

  deliver(prefix: Namespace): Promise<unknown> {
    return this.#outbox.deliver(prefix)
  }

  /** Nothing is told any more of a job that is gone. */
  async forget(namespace: Namespace, id: string): Promise<void> {
    for (const message of await this.#outbox.list(namespace)) {
      const isIts = message.namespace.equals(namespace) && message.key.startsWith(`${id} `)
      if (isIts) await this.#outbox.remove(namespace, message.key)
    }
  }

  async #tell({ namespace, key, value, attempts }: OutboxMessage, signal: AbortSignal): Promise<void> {
    const { firing, ...notice } = value as unknown as Kept
    const { job, due, type } = notice
    const of = { due, firing }
    const isEnd = type === "finished"
    // Whoever told it died before they could take it out of the store.
    if (isEnd && (await findRun(this.#desk, namespace, job.id, of))?.delivery.state === "delivered") return
    try {
      await this.#deliver({ ...notice, namespace, key }, signal)
    } catch (error) {
      const state = attempts >= MAX_ATTEMPTS ? "dead" : "failed"
      const why = error instanceof Error ? error.message : String(error)
      if (isEnd)
        await logDelivery(this.#desk, namespace, job.id, of, {
          state,
          attempts,
          error: why.toWellFormed().slice(0, 1_000).toWellFormed(),
        })
      throw error
    }
    if (isEnd) await logDelivery(this.#desk, namespace, job.id, of, { state: "delivered", attempts })
  }
}
