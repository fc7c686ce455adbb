import { InvalidInput, isObject, parseJson, type Runtime, randomId } from "@orra/core"
import type { WebSocket } from "ws"
import { notFound, publicError } from "./errors.ts"
import { ownNamespace, parseMessage, parseRunOptions, queryNumber } from "./input.ts"
import { type Principal, wirePrincipal } from "./principal.ts"
import type { ClientFrame, ServerFrame } from "./protocol.ts"
import { wireSubmission } from "./session-routes.ts"
import { existingSession, isDeleted, wireSession, writableNamespace } from "./sessions.ts"

const PING_MS = 30_000
const MAX_SUBSCRIPTIONS = 50
/** Bytes waiting for a slow client before its subscriptions hold still; they go on from the log when it has read. */
const HIGH_WATER = 1024 * 1024
/** A client that reads nothing for this long while bytes wait is gone. */
const STALLED_MS = 60_000

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

export interface SocketOptions {
  readonly runtime: Runtime
  readonly principal: Principal
  readonly version: string
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

  async #receive(text: string | undefined): Promise<void> {
    let frame: Frame = {}
    try {
      const parsed = text === undefined ? undefined : parseJson(text)
      if (!isObject(parsed)) throw new InvalidInput("A frame must be a JSON object.")
      frame = parsed
      await this.#handle(frame)
    } catch (error) {
      const known =
        error instanceof SyntaxError ? new InvalidInput(`A frame must be JSON: ${error.message}`) : error
      const shown = publicError(known)
      if (shown.code === "internal") this.#options.onError(error)
      const { id, namespace } = frame
      this.#send({
        type: "error",
        ...shown,
        ...(typeof id === "string" && { id }),
        ...(typeof namespace === "string" && { namespace }),
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
      const { runtime, principal } = this.#options
      const { namespace } = await existingSession(runtime, principal, frame["namespace"])
      await runtime.stop(namespace)
    },
    ping: () => this.#send({ type: "pong" }),
  }

  async #chat(frame: Frame): Promise<void> {
    const { runtime, principal } = this.#options
    const { id } = frame
    if (typeof id !== "string" || id.length > 64)
      throw new InvalidInput('"id" must be text of at most 64 characters.')
    const message = parseMessage(frame["message"])
    const options = parseRunOptions(principal, frame)
    const namespace =
      frame["namespace"] === undefined
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
    this.#guarded(this.#follow(namespace.key, after, subscription.signal), namespace.key)
  }

  /** A session that does not exist yet is followed too: its first message may be on its way. A deleted one is not. */
  async #follow(key: string, after: number | undefined, stop: AbortSignal): Promise<void> {
    const { runtime, principal } = this.#options
    const namespace = ownNamespace(principal, key)
    const info = await runtime.info(namespace)
    if (info && isDeleted(info)) throw notFound()
    const signal = AbortSignal.any([stop, this.#closing.signal])
    const events = runtime.subscribe(namespace, { signal, ...(after !== undefined && { after }) })
    for await (const event of events) {
      await this.#sendPaced(JSON.stringify({ type: "event", namespace: key, event } satisfies ServerFrame))
    }
  }

  async #watch(): Promise<void> {
    const { runtime, principal } = this.#options
    for await (const change of runtime.watch(principal.namespace, { signal: this.#closing.signal })) {
      if (change.type === "session_deleted") {
        this.#send({ type: "session_deleted", namespace: change.namespace.key })
      } else if (isDeleted(change.info)) {
        this.#send({ type: "session_deleted", namespace: change.info.namespace.key })
      } else {
        this.#send({ type: "session", session: wireSession(runtime, change.info) })
      }
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
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(frame))
  }

  /** Sends, and when the client is slow waits until it has read: what comes meanwhile stays in the log. */
  async #sendPaced(text: string): Promise<void> {
    const socket = this.#socket
    if (socket.readyState !== socket.OPEN) return
    if (socket.bufferedAmount < HIGH_WATER) return socket.send(text)
    const stalled = setTimeout(() => socket.terminate(), STALLED_MS)
    await new Promise<void>((resolve) => socket.send(text, () => resolve()))
    clearTimeout(stalled)
  }
}
