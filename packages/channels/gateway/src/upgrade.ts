import { type IncomingMessage, STATUS_CODES } from "node:http"
import type { Duplex } from "node:stream"
import { type WebSocket, WebSocketServer } from "ws"
import { secured } from "./answer-headers.ts"
import { errorResponse, HttpError } from "./errors.ts"

const FRAME_BYTES = 1024 * 1024

/** Makes WebSockets of upgrade requests, and answers those that are none in HTTP. */
export class Upgrades {
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: FRAME_BYTES,
    perMessageDeflate: false,
    clientTracking: false,
  })

  constructor() {
    this.#server.on("wsClientError", (_, socket) => {
      void refuse(
        socket,
        errorResponse(new HttpError(400, "invalid_upgrade", "This is no WebSocket handshake.")),
      )
    })
  }

  accept(request: IncomingMessage, socket: Duplex, head: Buffer, onOpen: (socket: WebSocket) => void): void {
    this.#server.handleUpgrade(request, socket, head, onOpen)
  }
}

/** Answers on a bare socket, and closes it: a client that keeps its half open holds nothing here. */
export async function refuse(socket: Duplex, response: Response): Promise<void> {
  const answer = secured(response)
  const body = await answer.text()
  const headers = [
    ...answer.headers,
    ["connection", "close"],
    ["content-length", String(Buffer.byteLength(body))],
  ]
  const head = headers.map(([name, value]) => `${name}: ${value}`).join("\r\n")
  const { status } = answer
  socket.once("finish", () => socket.destroy())
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Refused"}\r\n${head}\r\n\r\n${body}`)
}
