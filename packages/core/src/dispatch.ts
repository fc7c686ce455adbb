import { unlessAborted } from "./abortable.ts"
import type { Answering, Channel, ChannelOptions, InboundMessage } from "./channel.ts"
import { OrraError, unfailing } from "./errors.ts"
import { failureOf } from "./failure.ts"
import { messageText } from "./message.ts"
import { type RunResult, resultOf, type Submission } from "./run.ts"
import type { RunFailure } from "./session.ts"
import { Typing } from "./typing.ts"
import { Writing } from "./writing.ts"

export interface DispatchOptions extends ChannelOptions {
  /** Who answers a message. @throws OrraError when nobody does: its text is the answer then. */
  readonly route: (message: InboundMessage, channel: Channel) => Answering | Promise<Answering>
}

/** What there is of a session while messages of it are worked on. */
interface Place {
  waiting: number
  readonly ids: Set<string>
  /** The messages before have been handed to the runtime: their order is that of the session. */
  submitted: Promise<unknown>
  /** The answers before have been sent, or given up. */
  answered: Promise<unknown>
}

/** A message on its way to its answer. */
interface Going {
  readonly message: InboundMessage
  /** Ends the wait for its run. */
  readonly leave: AbortController
  readonly typing: Typing
  /** Whether it counts against `maxConcurrent`. */
  counts: boolean
  /** Whether its sender has been told that it waits, this time. */
  told: boolean
}

/** What came of a message: how its run ended, or why there was none to wait for. */
type Outcome =
  | (RunResult & { readonly agent: string | undefined })
  | { readonly outcome: "none"; readonly error: RunFailure }

const closing = (): OrraError =>
  new OrraError("closed", "This service is shutting down before there was an answer. Try again in a moment.")

const waiting = (): OrraError =>
  new OrraError(
    "waiting",
    "The answer waits, for an approval for instance. It will be in the conversation then.",
  )

/**
 * Serves channels until all of them have ended or `stop` fires, and then until what was begun has been answered.
 * Sessions go on at the same time; within one, messages are handed over and answered in the order they came.
 */
export async function dispatch(
  channels: readonly Channel[],
  options: DispatchOptions,
  stop: AbortSignal,
): Promise<void> {
  const { shutdownTimeoutMs = 5_000, sendTimeoutMs = 30_000 } = options
  const places = new Map<string, Place>()
  const served = channels.map((channel) => new Served(channel, options, places, stop))
  const ends = await Promise.allSettled(served.map((each) => each.receive()))
  const rest = Promise.all(served.map((each) => each.rest()))
  if (!(await within(shutdownTimeoutMs, rest))) {
    for (const each of served) each.leave()
    // Those left without an answer are told so; a channel that does not even take that is left behind.
    await within(sendTimeoutMs, rest)
  }
  for (const end of ends) if (end.status === "rejected") throw end.reason
}

/** One channel being served. */
class Served {
  readonly #channel: Channel
  readonly #options: DispatchOptions
  readonly #places: Map<string, Place>
  readonly #stop: AbortSignal
  readonly #going = new Set<Going>()
  /** Those of which the session waits: nobody knows for how long. */
  readonly #waiting = new Set<Going>()
  #resting = false
  readonly #work = new Set<Promise<void>>()
  /** Messages that count against `maxConcurrent`. */
  #busy = 0
  #room: PromiseWithResolvers<void> | undefined
  readonly #report: (error: unknown) => void

  constructor(channel: Channel, options: DispatchOptions, places: Map<string, Place>, stop: AbortSignal) {
    const { onError = (error) => console.error(error) } = options
    this.#channel = channel
    this.#options = options
    this.#places = places
    this.#stop = stop
    this.#report = unfailing((error) => onError(error, channel.name))
  }

  /** Takes messages until there are no more to take. @throws what the channel throws. */
  async receive(): Promise<void> {
    const { maxConcurrent = 64 } = this.#options
    const iterator = this.#channel.receive(this.#stop)[Symbol.asyncIterator]()
    try {
      while (!this.#stop.aborted) {
        let asked: Promise<IteratorResult<InboundMessage>> | undefined
        const next = await unlessAborted(this.#stop, () => {
          asked = iterator.next()
          return asked
        })
        if (!next) {
          // What it had taken in already comes too late to be run, and is answered all the same.
          asked?.then(({ done, value }) => done || this.#begin(value), this.#report)
          iterator.return?.().catch(this.#report)
          return
        }
        if (next.done) return
        this.#begin(next.value)
        while (this.#busy >= maxConcurrent && !this.#stop.aborted) {
          this.#room = Promise.withResolvers()
          const { promise } = this.#room
          await unlessAborted(this.#stop, () => promise)
        }
      }
      iterator.return?.().catch(this.#report)
    } catch (error) {
      this.#report(error)
      throw error
    }
  }

  /** Resolves when all that was begun has come to its end. What waits is not waited for. */
  async rest(): Promise<void> {
    this.#resting = true
    for (const { leave } of this.#waiting) leave.abort()
    while (this.#work.size > 0) await Promise.all(this.#work)
  }

  /** Waits no longer for runs: they go on in their runtime, without anybody here to hear of it. */
  leave(): void {
    for (const { leave } of this.#going) leave.abort()
  }

  #begin(message: InboundMessage): void {
    const work = this.#handle(message).catch(this.#report)
    this.#work.add(work)
    work.finally(() => this.#work.delete(work))
  }

  async #handle(message: InboundMessage): Promise<void> {
    const { maxPerSession = 16 } = this.#options
    const { key } = message.namespace
    const place = this.#places.get(key) ?? {
      waiting: 0,
      ids: new Set(),
      submitted: Promise.resolve(),
      answered: Promise.resolve(),
    }
    // It came twice: the first one is being answered.
    if (message.id !== undefined && place.ids.has(message.id)) return
    if (this.#stop.aborted) return await this.#answer(message, this.#none(closing()))
    if (place.waiting >= maxPerSession) {
      const error = new OrraError(
        "too_many_messages",
        "Too many messages wait here: wait for an answer first.",
      )
      return await this.#answer(message, this.#none(error))
    }
    this.#places.set(key, place)
    place.waiting++
    this.#busy++
    if (message.id !== undefined) place.ids.add(message.id)
    const before = place.answered
    const answered = Promise.withResolvers<unknown>()
    place.answered = answered.promise
    const going: Going = {
      message,
      leave: new AbortController(),
      typing: new Typing(this.#channel, message, this.#options.typingIntervalMs ?? 8_000, this.#report),
      counts: true,
      told: false,
    }
    this.#going.add(going)
    try {
      const outcome = await this.#outcome(going, place)
      // What never ran needs not wait for the answers before it.
      if (outcome.outcome !== "none") await before
      await this.#answer(message, outcome)
    } finally {
      answered.resolve(before)
      this.#going.delete(going)
      this.#waiting.delete(going)
      this.#release(going)
      if (message.id !== undefined) place.ids.delete(message.id)
      if (--place.waiting === 0) this.#places.delete(key)
    }
  }

  async #outcome(going: Going, place: Place): Promise<Outcome> {
    const { message, leave, typing } = going
    const { signal } = leave
    const writing = new Writing(this.#channel, message, this.#report)
    const submitting = this.#submit(message, place.submitted)
    place.submitted = submitting.catch(() => {})
    typing.start()
    try {
      const submitted = await unlessAborted(signal, () => submitting)
      if (!submitted) throw closing()
      const { target, submission } = submitted
      const { namespace, inputId, cursor, status } = submission
      const isWaiting = async (): Promise<boolean> => (await target.info(namespace))?.waiting !== undefined
      if (status !== "started" && (await isWaiting())) this.#stand(going, false)
      // Until its own run begins, a message sees those before it.
      let joined = false
      let own: string | undefined
      let text = ""
      let agent: string | undefined
      for await (const event of target.subscribe(namespace, { after: cursor, signal })) {
        if (event.type === "failure") return { outcome: "none", error: event.failure }
        if (event.type === "user") joined ||= event.inputId === inputId
        else if (event.type === "input_cancelled" && event.inputId === inputId)
          throw new OrraError("input_cancelled", "The message was taken back before it was answered.")
        else if (event.type === "run_waiting" && (await isWaiting())) this.#stand(going, own !== undefined)
        else if (event.type === "run_resumed" || event.type === "run_started") this.#goOn(going)
        if (joined && own === undefined && event.type === "run_started") {
          own = event.runId
          agent = event.agent
        } else if (own !== undefined && event.type === "delta") {
          for (const piece of event.pieces) if (piece.type === "text") writing.add(piece.text)
        } else if (own !== undefined && event.type === "assistant") {
          writing.clear()
          text = messageText(event.message)
        } else if (event.type === "run_finished" && event.runId === own)
          return { ...resultOf(event, text), agent }
      }
      throw this.#waiting.has(going) ? waiting() : closing()
    } catch (error) {
      return this.#none(error)
    } finally {
      typing.stop()
      await writing.stop()
    }
  }

  /** Its session waits: others take its place, and nobody is shown to be typing. */
  #stand(going: Going, isOwn: boolean): void {
    const { maxWaiting = 1_000 } = this.#options
    const { message, typing, leave } = going
    typing.stop()
    if (this.#waiting.size < maxWaiting) this.#release(going)
    this.#waiting.add(going)
    if (this.#resting) leave.abort()
    else if (isOwn && !going.told) {
      going.told = true
      void this.#send(async (signal) => this.#channel.waiting?.(message, signal))
    }
  }

  #goOn(going: Going): void {
    if (!this.#waiting.delete(going)) return
    going.told = false
    going.typing.start()
  }

  #release(going: Going): void {
    if (!going.counts) return
    going.counts = false
    this.#busy--
    this.#room?.resolve()
  }

  async #submit(
    message: InboundMessage,
    before: Promise<unknown>,
  ): Promise<{ readonly target: Answering; readonly submission: Submission }> {
    await before
    const target = await this.#options.route(message, this.#channel)
    const submission = await target.submit(message.namespace, message.message, {
      ...(message.id !== undefined && { inputId: message.id }),
      ...(message.agent !== undefined && { agent: message.agent }),
      ...(message.principal !== undefined && { principal: message.principal }),
    })
    return { target, submission }
  }

  /** Why there is no answer. What nobody foresaw is reported; the sender is not told its text. */
  #none(error: unknown): Outcome {
    const failure = failureOf(error)
    if (failure.code === "internal") this.#report(error)
    return { outcome: "none", error: failure }
  }

  /** Sends the answer, or the error; when not even that can be sent it is reported. */
  async #answer({ namespace, metadata }: InboundMessage, outcome: Outcome): Promise<void> {
    let { error } = outcome
    if (outcome.outcome !== "none" && outcome.outcome !== "failed") {
      const { agent, ...result } = outcome
      const answer = { namespace, metadata, result, ...(agent !== undefined && { agent }) }
      if (await this.#send((signal) => this.#channel.send(answer, signal))) return
      error = { code: "send_failed", message: "The answer could not be sent to this place.", retryable: true }
    }
    const told = error ?? failureOf(undefined)
    await this.#send((signal) => this.#channel.sendError({ namespace, metadata, error: told }, signal))
  }

  async #send(work: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
    const { sendTimeoutMs = 30_000 } = this.#options
    const controller = new AbortController()
    const timer = setTimeout(() => controller.abort(), sendTimeoutMs)
    try {
      const sent = await unlessAborted(controller.signal, async () => {
        await work(controller.signal)
        return true
      })
      if (!sent) throw new OrraError("send_timeout", `Nothing was sent within ${sendTimeoutMs / 1_000} s.`)
      return true
    } catch (error) {
      this.#report(error)
      return false
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Whether it came to its end in time. */
async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  const late = Promise.withResolvers<false>()
  const timer = setTimeout(() => late.resolve(false), ms)
  try {
    return await Promise.race([work.then(() => true), late.promise])
  } finally {
    clearTimeout(timer)
  }
}
