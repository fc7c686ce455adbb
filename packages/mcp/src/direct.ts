import { McpError } from "./errors.ts"

/** The largest message that is read. */
export const MAX_MESSAGE_BYTES = 10_000_000

const LINE_FEED = 10
const CARRIAGE_RETURN = 13

/**
 * Credentials go to the server they are for, and nowhere it points to. Of one message it can send so much; then
 * `onTooLong` ends the connection.
 */
export const direct =
  (onTooLong: () => void) =>
  async (url: string | URL, init?: RequestInit): Promise<Response> => {
    const response = await fetch(url, { ...init, redirect: "error" })
    if (!response.body) return response
    const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false
    const body = response.body.pipeThrough(bounded(isStream, onTooLong))
    const { status, statusText, headers } = response
    return new Response(body, { status, statusText, headers })
  }

/** Ends what is too long: the whole of it, or of a stream of events one that an empty line has not ended. */
function bounded(
  isStream: boolean,
  onTooLong: () => void,
): TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>> {
  let bytes = 0
  let line = 0
  const count = (byte: number): void => {
    bytes++
    if (byte === LINE_FEED) {
      if (line === 0) bytes = 0
      line = 0
    } else if (byte !== CARRIAGE_RETURN) line++
  }
  return new TransformStream({
    transform(chunk, controller) {
      if (isStream) for (const byte of chunk) count(byte)
      else bytes += chunk.length
      if (bytes <= MAX_MESSAGE_BYTES) {
        controller.enqueue(chunk)
        return
      }
      controller.error(
        new McpError("mcp_invalid", `The server sent a message of more than ${MAX_MESSAGE_BYTES} bytes.`),
      )
      onTooLong()
    },
  })
}
