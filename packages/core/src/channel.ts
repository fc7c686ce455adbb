import { type DispatchOptions, dispatch } from "./dispatch.ts"
import { InvalidInput } from "./errors.ts"
import type { JsonObject } from "./json.ts"
import type { Namespace } from "./namespace.ts"
import type { RunInput, RunResult } from "./run.ts"
import type { Runtime } from "./runtime.ts"
import type { RunFailure } from "./session.ts"

/** A message that came in. What the channel needs for the answer belongs in `metadata`: it comes back unchanged. */
export interface InboundMessage {
  /** The session it belongs to. The channel decides, from what it knows of the sender; never the sender. */
  readonly namespace: Namespace
  readonly message: RunInput
  readonly metadata: JsonObject
  /** The channel's own id of the message: one that arrives twice runs once. */
  readonly id?: string
  /** Who wrote it, in the application's own terms: `RunOptions.principal`. */
  readonly principal?: string
  /** The agent it is for, where the channel knows: letters of either case are the same. */
  readonly agent?: string
}

/** The answer to a message, with the message's own `metadata`. `result.outcome` says whether it is whole. */
export interface OutboundMessage {
  readonly namespace: Namespace
  readonly metadata: JsonObject
  /** Who answered, where there are several agents. */
  readonly agent?: string
  readonly result: RunResult
}

/** That there is no answer, and why, in words for the sender: the text of unforeseen errors is not in it. */
export interface OutboundError {
  readonly namespace: Namespace
  readonly metadata: JsonObject
  readonly error: RunFailure
}

/**
 * A place where people write and are answered: a chat service, a mailbox, a socket. An adapter or a router serves it.
 * Each message that came in is answered once, by `send` or `sendError`.
 */
export interface Channel {
  /** For error messages and for routing. */
  readonly name: string
  /**
   * The messages, as they come. It ends when the channel is closed, and soon after `signal` fires; it throws when the
   * channel broke. The next message is asked for when there is room for it.
   */
  receive(signal: AbortSignal): AsyncIterable<InboundMessage>
  /** `signal` fires when nobody waits for it any more. */
  send(answer: OutboundMessage, signal: AbortSignal): Promise<void>
  sendError(error: OutboundError, signal: AbortSignal): Promise<void>
  /** Says that the answer waits, for an approval for instance: it comes when that is given. Called each time it does. */
  waiting?(message: InboundMessage, signal: AbortSignal): Promise<void>
  /** Shows that an answer is being written. Called again every `typingIntervalMs` until it is there. */
  typing?(message: InboundMessage, signal: AbortSignal): Promise<void>
  /**
   * Shows what there is of the answer so far. Called with a longer text when the last call has ended: a channel that takes
   * its time is called less often. The answer is sent after the last call, which ends soon after `signal` fires.
   */
  writing?(message: InboundMessage, text: string, signal: AbortSignal): Promise<void>
}

/** Who answers messages: a `Runtime`, a `Team`, or one of its agents. */
export type Answering = Pick<Runtime, "submit" | "subscribe" | "info">

/** How channels are served. Times are in ms. */
export interface ChannelOptions {
  /** Messages of a channel that are worked on at the same time, default 64. Beyond it the channel has to wait. */
  readonly maxConcurrent?: number
  /**
   * Messages that do not count as worked on because their session waits, for an approval for instance; default 1,000.
   */
  readonly maxWaiting?: number
  /** Messages of one session that may wait for their turn, default 16. One more is answered with an error. */
  readonly maxPerSession?: number
  /** Default 8,000. */
  readonly typingIntervalMs?: number
  /** How long a channel may take to send an answer, default 30,000. */
  readonly sendTimeoutMs?: number
  /** How long `stop` waits for answers being written, default 5,000. Those without one are told. */
  readonly shutdownTimeoutMs?: number
  /** Told of what went wrong with a channel: a send that failed, a channel that broke. Default `console.error`. */
  readonly onError?: (error: unknown, channel: string) => void
}

/**
 * Serves one channel with one runtime: sessions at the same time, the messages of a session one after the other.
 *
 * ```ts
 * const adapter = new ChannelAdapter(channel, runtime)
 * const served = adapter.run()
 * // later
 * await adapter.stop()
 * ```
 */
export class ChannelAdapter {
  readonly #service: Service

  constructor(channel: Channel, target: Answering, options: ChannelOptions = {}) {
    this.#service = new Service([channel], () => target, options)
  }

  /** True from `run` until everything has come to rest. */
  get running(): boolean {
    return this.#service.running
  }

  /**
   * Serves until the channel ends, `signal` fires or `stop` is called, and what was begun has been answered.
   *
   * @throws what the channel threw when it broke; InvalidInput while it is being served already.
   */
  run(options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.#service.run(options.signal)
  }

  /** Takes no more messages, waits for the answers being written, and resolves when nothing is left of it. */
  stop(): Promise<void> {
    return this.#service.stop()
  }
}

/** What an adapter and a router have in common: channels being served, once at a time. */
export class Service {
  readonly #channels: readonly Channel[]
  readonly #options: DispatchOptions
  #stop: AbortController | undefined
  #served: Promise<void> = Promise.resolve()

  constructor(channels: readonly Channel[], route: DispatchOptions["route"], options: ChannelOptions) {
    this.#channels = channels
    this.#options = { ...options, route }
  }

  get running(): boolean {
    return this.#stop !== undefined
  }

  async run(signal: AbortSignal | undefined): Promise<void> {
    if (this.#stop) throw new InvalidInput("The channel is being served already: stop that first.")
    const served = this.#serve(signal)
    this.#served = served.catch(() => {})
    await served
  }

  async stop(): Promise<void> {
    this.#stop?.abort()
    await this.#served
  }

  async #serve(signal: AbortSignal | undefined): Promise<void> {
    const stop = new AbortController()
    this.#stop = stop
    const onAbort = (): void => stop.abort()
    signal?.addEventListener("abort", onAbort, { once: true })
    if (signal?.aborted) stop.abort()
    try {
      await dispatch(this.#channels, this.#options, stop.signal)
    } finally {
      signal?.removeEventListener("abort", onAbort)
      this.#stop = undefined
    }
  }
}
