import {
  errorMessage,
  InvalidInput,
  isObject,
  type Namespace,
  parseJson,
  type Runtime,
  randomId,
  type SessionChange,
} from "@orra/core"
import type { WebSocket } from "ws"
import { notFound, publicError } from "./errors.ts"
import type { GatewayTeam } from "./gateway.ts"
import { ownNamespace, parseMessage, parseRunOptions, queryNumber } from "./input.ts"
import { type Principal, wirePrincipal } from "./principal.ts"
import type { ClientFrame, ServerFrame } from "./protocol.ts"
import { wireSubmission } from "./session-routes.ts"
import { existingSession, isDeleted, writableNamespace } from "./sessions.ts"

const PING_MS = 30_000
const MAX_SUBSCRIPTIONS = 50
/** Bytes waiting for a slow client before its subscriptions hold still; they go on from the log when it has read. */
const HIGH_WATER = 1024 * 1024
/**
 * Bytes waiting before the client's frames are no longer read: it sends without reading. More than what holds its
 * subscriptions, because who receives slowly must still be able to say stop.
 */
const FLOOD = 4 * HIGH_WATER
/** A client that reads nothing for this long while bytes wait is gone. */
const STALLED_MS = 60_000
/** Frames of one socket that are dealt with at the same time. */
const MAX_HANDLING = 16
const MAX_ID = 64
/** Longest key of a namespace: a longer text names none, and is not sent back. */
const MAX_KEY = 1024

/** Every frame a client may send. */
export const FRAME_TYPES = [
  "subscribe",
  "unsubscribe",
  "watch",
  "chat",
  "stop",
  "ping",
] as const satisfies readonly ClientFrame["type"][]

type Frame = Readonly<Record<string, unknown>>

const isFrameType = (type: unknown): type is ClientFrame["type"] =>
  FRAME_TYPES.some((known) => known === type)

/** @throws InvalidInput for what is no JSON object. */
function parseFrame(text: string | undefined): Frame {
  let parsed: unknown
  try {
    if (text !== undefined) parsed = parseJson(text)
  } catch (error) {
    throw new InvalidInput(`A frame must be JSON: ${errorMessage(error)}`)
  }
  if (!isObject(parsed)) throw new InvalidInput("A frame must be a JSON object.")
  return parsed
}

export interface SocketOptions {
  readonly runtime: Runtime
  readonly team: GatewayTeam
  readonly principal: Principal
  readonly version: string
  /** The frame that tells of a change, shared by all sockets. */
  readonly changeFrame: (change: SessionChange) => string
  readonly onError: (error: unknown) => void
}

/** One WebSocket: a tab of a person's browser, or a program. */
export class GatewaySocket {
  readonly #socket: WebSocket
  readonly #options: SocketOptions
  readonly #subscriptions = new Map<string, AbortController>()
  readonly #closing = new AbortController()
  #watching = false
  #alive = true
  #handling = 0
  readonly #heartbeat: ReturnType<typeof setInterval>

  constructor(socket: WebSocket, options: SocketOptions) {
    this.#socket = socket
    this.#options = options
    socket.on("message", (data, isBinary) => this.#receive(isBinary ? undefined : String(data)))
    socket.on("pong", () => {
      this.#alive = true
    })
    // A frame too large or malformed closes the socket; the close says why, and there is nothing else to do.
    socket.on("error", () => {})
    socket.on("close", () => {
      clearInterval(this.#heartbeat)
      this.#closing.abort()
    })
    this.#heartbeat = setInterval(() => {
      if (!this.#alive) return socket.terminate()
      this.#alive = false
      socket.ping()
    }, PING_MS)
    const { principal, version } = options
    this.#send({ type: "hello", principal: wirePrincipal(principal), version })
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }

  terminate(): void {
    this.#socket.terminate()
  }

  /** Frames are read no faster than they are dealt with, and not at all while what answers them is not read. */
  async #receive(text: string | undefined): Promise<void> {
    this.#handling++
    this.#pace()
    try {
      await this.#answer(text)
    } finally {
      this.#handling--
      this.#pace()
    }
  }

  #pace(): void {
    const socket = this.#socket
    const busy = this.#handling >= MAX_HANDLING || socket.bufferedAmount >= FLOOD
    if (!busy && socket.isPaused) socket.resume()
    else if (busy && !socket.isPaused) socket.pause()
  }

  async #answer(text: string | undefined): Promise<void> {
    let frame: Frame = {}
    try {
      frame = parseFrame(text)
      await this.#handle(frame)
    } catch (error) {
      const shown = publicError(error)
      if (shown.code === "internal") this.#options.onError(error)
      const { id, namespace } = frame
      this.#send({
        type: "error",
        ...shown,
        ...(typeof id === "string" && id.length <= MAX_ID && { id }),
        ...(typeof namespace === "string" && namespace.length <= MAX_KEY && { namespace }),
      })
    }
  }

  async #handle(frame: Frame): Promise<void> {
    const { type } = frame
    if (!isFrameType(type)) throw new InvalidInput(`"type" must be one of ${FRAME_TYPES.join(", ")}.`)
    await this.#handlers[type](frame)
  }

  /** What each frame does. One whose type is not here does nothing. */
  readonly #handlers: Readonly<Record<ClientFrame["type"], (frame: Frame) => Promise<void> | void>> = {
    subscribe: (frame) => this.#subscribe(frame),
    unsubscribe: ({ namespace }) => {
      if (typeof namespace !== "string") throw new InvalidInput('"namespace" must be text.')
      this.#subscriptions.get(namespace)?.abort()
      this.#subscriptions.delete(namespace)
    },
    watch: () => {
      if (!this.#watching) this.#guarded(this.#watch(), undefined)
      this.#watching = true
    },
    chat: (frame) => this.#chat(frame),
    stop: async (frame) => {
      const { runtime, team, principal } = this.#options
      const { namespace } = await existingSession(runtime, principal, frame["namespace"])
      await team.stop(namespace)
    },
    ping: () => this.#send({ type: "pong" }),
  }

  async #chat(frame: Frame): Promise<void> {
    const { runtime, principal } = this.#options
    const { id } = frame
    if (typeof id !== "string" || id.length > MAX_ID)
      throw new InvalidInput(`"id" must be text of at most ${MAX_ID} characters.`)
    const message = parseMessage(frame["message"])
    const options = parseRunOptions(this.#options, frame, message)
    const namespace =
      frame["namespace"] === undefined || frame["namespace"] === null
        ? principal.namespace.child(randomId())
        : await writableNamespace(runtime, principal, frame["namespace"])
    const submission = await runtime.submit(namespace, message, options)
    this.#send({ type: "ack", id, ...wireSubmission(submission) })
  }

  #subscribe(frame: Frame): void {
    const { principal } = this.#options
    const namespace = ownNamespace(principal, frame["namespace"])
    const query = new URLSearchParams(frame["after"] === undefined ? {} : { after: String(frame["after"]) })
    const after = queryNumber(query, "after", Number.MAX_SAFE_INTEGER)
    this.#subscriptions.get(namespace.key)?.abort()
    this.#subscriptions.delete(namespace.key)
    if (this.#subscriptions.size >= MAX_SUBSCRIPTIONS) {
      throw new InvalidInput(
        `A connection follows at most ${MAX_SUBSCRIPTIONS} sessions: unsubscribe from one.`,
      )
    }
    const subscription = new AbortController()
    this.#subscriptions.set(namespace.key, subscription)
    const following = this.#follow(namespace, after, subscription.signal).finally(() => {
      // It ends by itself only when it failed: then it no longer counts.
      if (this.#subscriptions.get(namespace.key) === subscription) this.#subscriptions.delete(namespace.key)
    })
    this.#guarded(following, namespace.key)
  }

  /** A session that does not exist yet is followed too: its first message may be on its way. A deleted one is not. */
  async #follow(namespace: Namespace, after: number | undefined, stop: AbortSignal): Promise<void> {
    const { runtime } = this.#options
    const info = await runtime.info(namespace)
    if (info && isDeleted(info)) throw notFound()
    const signal = AbortSignal.any([stop, this.#closing.signal])
    const events = runtime.subscribe(namespace, { signal, ...(after !== undefined && { after }) })
    for await (const event of events) {
      await this.#sendPaced(
        JSON.stringify({ type: "event", namespace: namespace.key, event } satisfies ServerFrame),
      )
    }
  }

  async #watch(): Promise<void> {
    const { runtime, principal, changeFrame } = this.#options
    for (const place of principal.decidesIn ?? []) this.#guarded(this.#watchApprovals(place), undefined)
    for await (const change of runtime.watch(principal.namespace, { signal: this.#closing.signal }))
      await this.#sendPaced(changeFrame(change))
  }

  /** Of sessions out of reach no more is told than that something waits in them. */
  async #watchApprovals(place: Namespace): Promise<void> {
    for await (const change of this.#options.runtime.watch(place, { signal: this.#closing.signal })) {
      const { namespace, waiting } =
        change.type === "session" ? change.info : { namespace: change.namespace, waiting: undefined }
      const frame = { type: "approvals", namespace: namespace.key, waiting: waiting?.approvals ?? 0 } as const
      await this.#sendPaced(JSON.stringify(frame satisfies ServerFrame))
    }
  }

  /** Work that goes on by itself: its failure is told to the client. */
  #guarded(work: Promise<void>, namespace: string | undefined): void {
    work.catch((error: unknown) => {
      const shown = publicError(error)
      if (shown.code === "internal") this.#options.onError(error)
      this.#send({ type: "error", ...shown, ...(namespace !== undefined && { namespace }) })
    })
  }

  #send(frame: ServerFrame): void {
    const socket = this.#socket
    if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(frame), () => this.#pace())
  }

  /** Sends, and when the client is slow waits until it has read: what comes meanwhile stays in the log. */
  async #sendPaced(text: string): Promise<void> {
    const socket = this.#socket
    if (socket.readyState !== socket.OPEN) return
    const pace = () => this.#pace()
    if (socket.bufferedAmount < HIGH_WATER) return socket.send(text, pace)
    const stalled = setTimeout(() => socket.terminate(), STALLED_MS)
    await new Promise<void>((resolve) => socket.send(text, () => resolve()))
    clearTimeout(stalled)
    // It reads: its answer to the last ping is late because the ping waits behind all this.
    this.#alive = true
    pace()
  }
}
