import { isObject, type Json, type JsonObject, parseJson } from "@orra/core"
import { type ClientOptions, WebSocket } from "ws"

/** `WebSocket` of `ws`, or a class derived from it. */
export type SocketClass = new (address: string, options: ClientOptions) => WebSocket

export interface LinkOptions {
  /** Where to connect. `isRefused`: the engine did not want the last connection, so what it knows may be out of date. */
  readonly target: (isRefused: boolean) => Promise<string>
  readonly onFrame: (frame: JsonObject) => void
  readonly onError: (error: unknown) => void
  /** The pause before the first reconnect and the longest one, in ms. Each lasts about twice as long as the one before. */
  readonly reconnectMs: readonly [first: number, longest: number]
  /** A message that is not acknowledged for so long, in ms, is sent again. */
  readonly ackMs: number
  /** How often the engine is asked for a sign of life, in ms; a connection without one until the next time is dead. */
  readonly heartbeatMs: number
  readonly WebSocketImpl: SocketClass
}

/** So many interim results are kept while the engine is away; of more, the oldest are of no use to anybody. */
const MAX_UPDATES = 1_000
const NORMAL_CLOSURE = 1000
const GOODBYE_MS = 1_000

interface Waiting {
  readonly text: string
  readonly isUpdate: boolean
  sentAt: number
}

/**
 * A connection to an engine that comes back whenever it is lost, however long that takes. What was sent stays here until the
 * engine has acknowledged it, and is sent again as it was: in its envelope, under the same id, in the same order.
 */
export class Link {
  readonly #options: LinkOptions
  readonly #waiting = new Map<string, Waiting>()
  #socket: WebSocket | undefined
  #reconnect: NodeJS.Timeout | undefined
  #resend: NodeJS.Timeout | undefined
  #failures = 0
  #count = 0
  #isRefused = false
  #isClosed = false
  #onDrained: (() => void) | undefined

  constructor(options: LinkOptions) {
    this.#options = options
    void this.#connect()
  }

  send(payload: JsonObject): void {
    if (this.#isClosed) return
    const id = `message_${++this.#count}_${String(payload["executionId"])}`
    const isUpdate = payload["type"] === "task_interim_result"
    if (isUpdate) this.#dropUpdates()
    const waiting: Waiting = { text: JSON.stringify({ id, payload }), isUpdate, sentAt: 0 }
    this.#waiting.set(id, waiting)
    this.#resend ??= setInterval(() => this.#sendAgain(), this.#options.ackMs)
    this.#sendNow(waiting)
  }

  /** When everything was acknowledged, as far as there is somebody to do so. */
  async drained(): Promise<void> {
    if (this.#socket?.readyState !== WebSocket.OPEN) return
    await new Promise<void>((resolve) => {
      this.#onDrained = resolve
      this.#checkDrained()
    })
  }

  /** For good: nothing is sent any more. Resolves when the connection has gone. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#reconnect)
    clearInterval(this.#resend)
    const socket = this.#socket
    if (!socket || socket.readyState === WebSocket.CLOSED) return
    const closed = new Promise((resolve) => socket.once("close", resolve))
    const timer = setTimeout(() => socket.terminate(), GOODBYE_MS)
    socket.close(NORMAL_CLOSURE, "Normal Closure")
    await closed
    clearTimeout(timer)
  }

  async #connect(): Promise<void> {
    const { target, heartbeatMs, onError, WebSocketImpl } = this.#options
    let url: string
    try {
      url = await target(this.#isRefused)
      this.#isRefused = false
    } catch (error) {
      if (!this.#isClosed) onError(error)
      return this.#later()
    }
    if (this.#isClosed) return
    const socket = new WebSocketImpl(url, { perMessageDeflate: false, handshakeTimeout: heartbeatMs })
    this.#socket = socket
    let isAlive = true
    let heartbeat: NodeJS.Timeout | undefined
    socket.on("open", () => {
      this.#failures = 0
      heartbeat = setInterval(() => {
        if (!isAlive) return socket.terminate()
        isAlive = false
        socket.ping()
      }, heartbeatMs)
      for (const waiting of this.#waiting.values()) this.#sendNow(waiting)
    })
    for (const sign of ["ping", "pong"]) {
      socket.on(sign, () => {
        isAlive = true
      })
    }
    socket.on("message", (data) => {
      isAlive = true
      this.#receive(String(data))
    })
    socket.on("unexpected-response", (_request, response) => {
      this.#isRefused = true
      response.resume()
      onError(
        new Error(`The engine refused the connection: ${response.statusCode} ${response.statusMessage}.`),
      )
      socket.terminate()
    })
    socket.on("error", (error) => {
      if (!this.#isClosed && !this.#isRefused) onError(error)
    })
    socket.on("close", () => {
      clearInterval(heartbeat)
      this.#later()
    })
  }

  #later(): void {
    if (this.#isClosed) return
    const [first, longest] = this.#options.reconnectMs
    const pause = Math.min(first * 2 ** this.#failures++, longest)
    // Not all services of an engine that was restarted come back in the same moment.
    this.#reconnect = setTimeout(() => void this.#connect(), pause * (0.75 + Math.random() / 2))
  }

  #receive(text: string): void {
    let frame: Json
    try {
      frame = parseJson(text)
    } catch {
      return
    }
    if (!isObject(frame)) return
    const { type, id, serviceId } = frame as JsonObject
    if (type === "ping") {
      const pong = { type: "pong", serviceId: serviceId ?? "" }
      this.#write(JSON.stringify({ id: "pong", payload: pong }))
    } else if (type === "ACK") {
      this.#waiting.delete(String(id))
      this.#checkDrained()
    } else this.#options.onFrame(frame as JsonObject)
  }

  #sendAgain(): void {
    // What is still on its way out is not lost.
    if (this.#socket?.bufferedAmount !== 0) return
    const before = performance.now() - this.#options.ackMs
    for (const waiting of this.#waiting.values()) if (waiting.sentAt < before) this.#sendNow(waiting)
  }

  #sendNow(waiting: Waiting): void {
    waiting.sentAt = performance.now()
    this.#write(waiting.text)
  }

  #write(text: string): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(text)
  }

  #dropUpdates(): void {
    const updates = [...this.#waiting].filter(([, { isUpdate }]) => isUpdate)
    for (const [id] of updates.slice(0, Math.max(0, updates.length - MAX_UPDATES + 1)))
      this.#waiting.delete(id)
  }

  #checkDrained(): void {
    if (this.#waiting.size > 0) return
    clearInterval(this.#resend)
    this.#resend = undefined
    this.#onDrained?.()
  }
}
