import { WebSocket } from "ws"

const MEBIBYTE = 1024 * 1024
/** What stands around a result of 10 MiB. */
const ENVELOPE_BYTES = 64 * 1024
/** The code of a WebSocket whose peer has sent more than fits. */
const MESSAGE_TOO_BIG = 1009
/** At most 123 bytes. */
export const TOO_LONG = "A frame has at most 10 MiB: let the result say where the rest is."

/** One that says why it closes when a frame is too long, where `ws` gives a number only. */
class ServiceSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    super.close(code, reason ?? (code === MESSAGE_TOO_BIG ? TOO_LONG : undefined))
  }
}

/** What a server of services' sockets is made with. */
export const SOCKETS = {
  maxPayload: 10 * MEBIBYTE + ENVELOPE_BYTES,
  perMessageDeflate: false,
  WebSocket: ServiceSocket,
} as const
