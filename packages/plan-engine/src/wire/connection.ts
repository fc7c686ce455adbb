import type { JsonObject } from "@orra/core"
import type { WebSocket } from "ws"
import { type Received, readFrame } from "./service-frame.ts"

/** One socket of a service, of which there may be several. */
export class Connection {
  /** How many tasks are under way on it. */
  load = 0
  /** The hash of the key it was opened with. */
  readonly key: string
  readonly #socket: WebSocket
  #isAlive = true

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
    this.key = key
    const heartbeat = setInterval(() => {
      if (!this.#isAlive) return socket.terminate()
      this.#isAlive = false
      this.send({ type: "ping", serviceId: service })
      socket.ping()
    }, pingMs)
    socket.on("message", (data) => {
      this.#isAlive = true
      const received = readFrame(String(data))
      if (!received) return
      onFrame(received, this)
      if (received.id !== undefined && received.frame.type !== "pong")
        this.send({ type: "ACK", id: received.id })
    })
    socket.on("pong", () => {
      this.#isAlive = true
    })
    // A frame that is too long closes the socket; the close says why.
    socket.on("error", () => {})
    socket.on("close", () => {
      clearInterval(heartbeat)
      onClose(this)
    })
  }

  send(message: JsonObject): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason)
  }
}
