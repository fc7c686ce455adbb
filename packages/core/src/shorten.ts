import { countMessage, type Tokenizer, type ViewItem } from "./context.ts"
import type { ToolResultPart } from "./message.ts"
import { codePoints } from "./text.ts"

/**
 * A tool result the model can be sent: where its texts together are longer than `maxTokens`, each keeps its head and
 * its tail, cut between code points, with a line between them that says how much is missing and where to read on.
 * The log keeps the whole: `result` is its entry's number there.
 */
export function shortenResult(
  part: ToolResultPart,
  maxTokens: number,
  tokenizer: Tokenizer,
  result: number,
): ToolResultPart {
  let length = 0
  for (const piece of part.content) if (piece.type === "text") length += piece.text.length
  // A token has at least one character: short texts need no counting.
  if (length <= maxTokens) return part
  let shown = part
  for (let share = 1; ; ) {
    let tokens = 0
    for (const piece of shown.content) if (piece.type === "text") tokens += tokenizer.count(piece.text)
    if (tokens <= maxTokens || share < NO_SHARE) return shown
    // What is left may have more tokens to a character than the whole.
    share *= (maxTokens / tokens) * 0.98
    let before = 0
    const content = part.content.map((piece) => {
      if (piece.type !== "text") return piece
      const text = shortened(piece.text, Math.floor(piece.text.length * share), result, before)
      before += wholeLength(piece.text, result)
      return { ...piece, text }
    })
    shown = { ...part, content }
  }
}

/** Where nothing is left but the line that says so. */
const NO_SHARE = 1e-7

const note = (result: number, missing: number | string, from: number | string): string =>
  `\n\n[… result ${result}: ${missing} characters left out here, from ${from} on …]\n\n`

/** The length of a text, also of one that is shortened once more: with what its note says is missing. */
function wholeLength(text: string, result: number): number {
  const earlier = new RegExp(note(result, "(\\d+)", "\\d+").replace(/[[\]]/g, "\\$&")).exec(text)
  return codePoints(text) + (earlier ? Number(earlier[1]) - earlier[0].length : 0)
}

function shortened(text: string, keep: number, result: number, before: number): string {
  const head = cutPoint(text, Math.floor(keep * 0.7))
  const tail = cutPoint(text, text.length - Math.floor(keep * 0.3))
  const gap = text.slice(head, tail)
  const instead = note(result, wholeLength(gap, result), before + codePoints(text.slice(0, head)))
  return gap.length > instead.length ? text.slice(0, head) + instead + text.slice(tail) : text
}

/** The nearest place at or before `index` that does not split a surrogate pair. */
function cutPoint(text: string, index: number): number {
  const isLow = text.charCodeAt(index) >> 10 === 0xdc00 >> 10
  const followsHigh = index > 0 && text.charCodeAt(index - 1) >> 10 === 0xd800 >> 10
  return isLow && followsHigh ? index - 1 : index
}

/** The framing of a message with a result. */
const SHORTENED_OVERHEAD = 10

/**
 * The items with the results of the last step shortened, so that `excess` tokens less are sent: several at once can
 * be more than fits though each one does.
 */
export function shortenLastResults(
  items: readonly ViewItem[],
  excess: number,
  tokenizer: Tokenizer,
): readonly ViewItem[] {
  const start = items.findLastIndex((item) => item.message.role !== "tool") + 1
  const results = items.slice(start)
  const spent = results.reduce((sum, item) => sum + item.tokens, 0)
  const each = Math.floor((spent - excess) / results.length) - SHORTENED_OVERHEAD
  if (results.length === 0 || each <= 0) return items
  const short = results.map((item): ViewItem => {
    const { seq, message } = item
    if (message.role !== "tool") return item
    const share = Math.floor(each / message.parts.length)
    const shown = {
      ...message,
      parts: message.parts.map((part) => shortenResult(part, share, tokenizer, seq)),
    }
    return { seq, message: shown, tokens: countMessage(shown, tokenizer) }
  })
  return [...items.slice(0, start), ...short]
}
