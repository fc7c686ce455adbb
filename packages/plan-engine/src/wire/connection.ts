import type { JsonObject } from "@orra/core"
import type { WebSocket } from "ws"
import { type Received, readFrame } from "./service-frame.ts"

/** One socket of a service, of which there may be several. */
export class Connection {
  /** How many tasks are under way on it. */
  load = 0
  /** The hash of the key it was opened with. */
  readonly key: string
  /** A newer one of its service has come, and it has not shown since that it lives: it may be what is left of that one. */
  isDoubted = false
  /** What came was too long: it has closed for that. */
  isTooLong = false
  readonly #socket: WebSocket
  readonly #service: string
  #isAlive = true
  #doubt: NodeJS.Timeout | undefined

  constructor(
    socket: WebSocket,
    {
      service,
      key,
      pingMs,
      onFrame,
      onClose,
    }: {
      readonly service: string
      readonly key: string
      readonly pingMs: number
      readonly onFrame: (received: Received, connection: Connection) => void
      readonly onClose: (connection: Connection) => void
    },
  ) {
    this.#socket = socket
    this.#service = service
    this.key = key
    const heartbeat = setInterval(() => {
      if (!this.#isAlive) return socket.terminate()
      this.#isAlive = false
      this.#ping()
    }, pingMs)
    socket.on("message", (data) => {
      this.#lives()
      const received = readFrame(String(data))
      if (!received) return
      onFrame(received, this)
      if (received.id !== undefined && received.frame.type !== "pong")
        this.send({ type: "ACK", id: received.id })
    })
    socket.on("pong", () => this.#lives())
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.isTooLong ||= error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH"
    })
    socket.on("close", () => {
      clearInterval(heartbeat)
      clearTimeout(this.#doubt)
      onClose(this)
    })
  }

  send(message: JsonObject): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  /** Ends it unless it shows within so many ms that it lives. */
  doubt(ms: number): void {
    if (this.isDoubted) return
    this.isDoubted = true
    this.#ping()
    this.#doubt = setTimeout(() => this.#socket.terminate(), ms)
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }

  #ping(): void {
    this.send({ type: "ping", serviceId: this.#service })
    this.#socket.ping()
  }

  #lives(): void {
    this.#isAlive = true
    this.isDoubted = false
    clearTimeout(this.#doubt)
  }
}
