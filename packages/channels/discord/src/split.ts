/** Characters in a message at most. Source: Discord's API, Create Message. */
export const MAX_CONTENT = 2_000

/** Room to end a code block that goes on in the next message. */
const FENCE_END = "\n```"
/** What stands after the three marks of a code block is repeated in each message, when it is the name of a language. */
const LANGUAGE = /^\s*```([\w+#.-]{0,20})\s*$/

/**
 * The messages that a text becomes: cut between paragraphs, lines, words, or characters, in this order, and a code block that
 * goes on is closed and opened again. There is nothing but white space lost between them.
 */
export function splitText(text: string, limit = MAX_CONTENT): readonly string[] {
  const pieces: string[] = []
  let fence: string | undefined
  let isLineStart = true
  for (let rest = text; rest !== ""; ) {
    const prefix = fence === undefined ? "" : `${fence}\n`
    if (prefix.length + rest.length <= limit) {
      pieces.push(prefix + rest)
      break
    }
    const end = cut(rest, limit - prefix.length - FENCE_END.length)
    const piece = rest.slice(0, end)
    const isLineEnd = rest[end] === "\n"
    fence = fenceAfter(fence, piece, isLineStart, isLineEnd)
    pieces.push(prefix + piece + (fence === undefined ? "" : FENCE_END))
    isLineStart = isLineEnd
    rest = rest.slice(isLineStart ? end + 1 : end)
  }
  return pieces.filter((piece) => piece.trim() !== "")
}

/** Where to cut a text that is longer than `room`. */
function cut(text: string, room: number): number {
  for (const [mark, least] of [
    ["\n\n", room / 2],
    ["\n", room / 4],
    [" ", room / 4],
  ] as const) {
    // A space stays with what is before it, a line break with neither.
    const at = text.lastIndexOf(mark, mark === " " ? room - 1 : room)
    if (at > least) return mark === " " ? at + 1 : at
  }
  // Not between the two halves of one character.
  const code = text.charCodeAt(room - 1)
  return code >= 0xd800 && code < 0xdc00 ? room - 1 : room
}

/** The line that opened the code block in which the text ends; undefined outside of one. */
function fenceAfter(
  before: string | undefined,
  text: string,
  isLineStart: boolean,
  isLineEnd: boolean,
): string | undefined {
  let fence = before
  const lines = text.split("\n")
  for (const [index, line] of lines.entries()) {
    if (index === 0 && !isLineStart) continue
    if (!line.trimStart().startsWith("```")) continue
    if (fence !== undefined) fence = undefined
    // One that ends in its own line opens nothing.
    else if (!line.trimStart().slice(3).includes("```")) {
      // Of a line that is cut nobody knows yet whether it names a language.
      const isWhole = index < lines.length - 1 || isLineEnd
      fence = `\`\`\`${(isWhole && LANGUAGE.exec(line)?.[1]) || ""}`
    }
  }
  return fence
}
