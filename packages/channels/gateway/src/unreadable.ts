import type { Server, ServerResponse } from "node:http"
import type { Duplex } from "node:stream"
import { TLSSocket } from "node:tls"
import { secured } from "./answer-headers.ts"
import { errorResponse, HttpError } from "./errors.ts"
import { refuse } from "./upgrade.ts"

const OTHERWISE = [400, "invalid_request", "This is no valid request."] as const

const UNEXPECTED = 'The only "expect" header answered here is 100-continue.'

const KNOWN: Readonly<Record<string, readonly [status: number, code: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, "headers_too_large", "The headers have more than 16 KiB."],
  ERR_HTTP_REQUEST_TIMEOUT: [408, "request_timeout", "The request took too long to arrive."],
}

/** What cannot be read as a request, or does not come to an end, reaches no route; it is answered all the same. */
export function answerUnreadable(server: Server): void {
  const answers = new WeakMap<Duplex, ServerResponse>()
  server.on("request", ({ socket }, outgoing) => {
    answers.set(socket, outgoing)
    outgoing.once("close", () => {
      if (answers.get(socket) === outgoing) answers.delete(socket)
    })
  })
  const encrypted = new WeakSet<Duplex>()
  server.on("secureConnection", (socket: TLSSocket) => encrypted.add(socket))
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    // Its handshake failed or took too long: nothing can be said to it, and what is said would wait for ever.
    if (socket instanceof TLSSocket && !encrypted.has(socket)) return void socket.destroy()
    // Nothing may be written into an answer that has begun.
    if (!socket.writable || answers.get(socket)?.headersSent) return void socket.destroy()
    const [status, code, message] = KNOWN[error.code ?? ""] ?? OTHERWISE
    void refuse(socket, errorResponse(new HttpError(status, code, message)))
  })
  server.on("checkExpectation", async (_, outgoing) => {
    const answer = secured(errorResponse(new HttpError(417, "expectation_failed", UNEXPECTED)))
    outgoing.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text())
  })
}
