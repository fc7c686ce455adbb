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
  // At most three bytes for each unit of a text: nearly all answers need no counting.
  let most = 0
  for (const piece of content) most += PIECE_OVERHEAD + 3 * bodyOf(piece).length
  if (most <= maxBytes) return content
  const kept: (TextPart | ImagePart)[] = []
  let left = maxBytes
  for (const piece of content) {
    const body = bodyOf(piece)
    left -= PIECE_OVERHEAD
    const { units, bytes } = fitting(body, left)
    left -= bytes
    if (units === body.length && left >= 0) {
      kept.push(piece)
      continue
    }
    if (piece.type === "text") kept.push({ ...piece, text: body.slice(0, units) })
    kept.push({ type: "text", text: `\n\n[… a result may have ${maxBytes} bytes: the rest was not kept …]` })
    break
  }
  return kept
}

/** Whether a text has at most so many bytes of UTF-8. */
export const fits = (text: string, maxBytes: number): boolean =>
  text.length * 3 <= maxBytes || fitting(text, maxBytes).units === text.length

/** How much of a text has at most so many bytes of UTF-8; never half a code point. */
function fitting(text: string, maxBytes: number): { readonly units: number; readonly bytes: number } {
  const room = new Uint8Array(Math.max(0, Math.min(maxBytes, text.length * 3)))
  const { read, written } = new TextEncoder().encodeInto(text, room)
  return { units: read, bytes: written }
}

const bodyOf = (piece: TextPart | ImagePart): string => (piece.type === "text" ? piece.text : piece.data)
