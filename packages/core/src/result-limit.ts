import type { ImagePart, TextPart } from "./message.ts"

/** The framing of a piece in the log, so that a million empty ones are not free. */
const PIECE_OVERHEAD = 32

/**
 * What is kept of a tool's answer: its first `maxBytes`, as UTF-8 and base64, cut between code points. A line at the
 * end says that there was more. A log and a process must stay bounded whatever a tool returns.
 */
export function bounded(
  content: readonly (TextPart | ImagePart)[],
  maxBytes: number,
): readonly (TextPart | ImagePart)[] {
  const most = content.reduce((sum, piece) => sum + PIECE_OVERHEAD + 3 * bodyOf(piece).length, 0)
  // Nearly always: to count the bytes would cost a microsecond.
  if (most <= maxBytes) return content
  const kept: (TextPart | ImagePart)[] = []
  let left = maxBytes
  for (const piece of content) {
    left -= PIECE_OVERHEAD
    const body = bodyOf(piece)
    // At most three bytes for each unit of a text; what is encoded ends with a whole code point.
    const room = new Uint8Array(Math.max(0, Math.min(left, body.length * 3)))
    const { read, written } = new TextEncoder().encodeInto(body, room)
    left -= written
    if (read === body.length && left >= 0) {
      kept.push(piece)
      continue
    }
    if (piece.type === "text") kept.push({ ...piece, text: body.slice(0, read) })
    kept.push({ type: "text", text: `\n\n[… a result may have ${maxBytes} bytes: the rest was not kept …]` })
    break
  }
  return kept
}

const bodyOf = (piece: TextPart | ImagePart): string =>
  piece.type === "text" ? piece.text : piece.mediaType + piece.data
