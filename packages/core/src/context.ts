import type { Message, ToolResultPart } from "./message.ts"
import type { ToolDefinition } from "./provider.ts"

/** Counts tokens. The default estimates; exact ones can be plugged in. */
export interface Tokenizer {
  count(text: string): number
  /**
   * Tokens of a whole message with its framing, pictures, files, thinking and calls, for whoever knows better than
   * the estimate. Undefined leaves this message to the estimate, which asks `count` for its texts.
   *
   * ```ts
   * const tokenizer: Tokenizer = {
   *   count: (text) => encode(text).length,
   *   countMessage: ({ parts }) => (parts.some((part) => part.type === "image") ? undefined : exact(parts)),
   * }
   * ```
   */
  countMessage?(message: Message): number | undefined
}

/** About four UTF-8 bytes a token: within a third of the real count for prose and code, high for CJK. */
export const charEstimator: Tokenizer = {
  count(text) {
    let bytes = text.length
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      if (code > 0x7f) bytes += code > 0x7ff && (code < 0xd800 || code > 0xdfff) ? 2 : 1
    }
    return Math.ceil(bytes / 4)
  },
}

/** How much the model may be sent, in tokens. */
export interface ContextBudget {
  /** The model's window, default 200,000. */
  readonly maxTokens: number
  /** Kept free for the answer, default 4,096. */
  readonly reservedForOutput: number
  /** The most one tool result may take of what is available, default 0.3. */
  readonly toolResultShare: number
}

export const DEFAULT_BUDGET: ContextBudget = {
  maxTokens: 200_000,
  reservedForOutput: 4_096,
  toolResultShare: 0.3,
}

/** Tokens for everything sent: system text, tools and messages. */
export const availableForInput = (budget: ContextBudget): number =>
  Math.max(0, budget.maxTokens - budget.reservedForOutput)

const MESSAGE_OVERHEAD = 4
const CALL_OVERHEAD = 5
/** What providers charge for a picture of ordinary size; base64 is not text. */
const IMAGE_TOKENS = 1_600
/** A page of a document is some 2,000 tokens and 50 kB. */
const FILE_BYTES_PER_TOKEN = 25

export function countMessage(message: Message, tokenizer: Tokenizer): number {
  const known = tokenizer.countMessage?.(message)
  if (known !== undefined) return known
  let tokens = MESSAGE_OVERHEAD
  for (const part of message.parts) {
    switch (part.type) {
      case "text":
        tokens += tokenizer.count(part.text)
        break
      case "thinking":
        // What the provider does not show is sent back all the same: it is as long as what was thought.
        tokens += tokenizer.count(part.text) + Math.ceil((part.data?.length ?? 0) / 4)
        break
      case "image":
        tokens += IMAGE_TOKENS
        break
      case "file":
        tokens += Math.ceil(
          (part.data.length * 0.75) / (part.mediaType.startsWith("text/") ? 4 : FILE_BYTES_PER_TOKEN),
        )
        break
      case "tool_call":
        tokens +=
          CALL_OVERHEAD +
          tokenizer.count(part.name) +
          tokenizer.count(part.invalid ?? JSON.stringify(part.arguments))
        break
      case "tool_result":
        tokens += CALL_OVERHEAD
        for (const piece of part.content)
          tokens += piece.type === "text" ? tokenizer.count(piece.text) : IMAGE_TOKENS
        break
    }
  }
  return tokens
}

export function countTools(tools: readonly ToolDefinition[], tokenizer: Tokenizer): number {
  let tokens = 0
  for (const { name, description, inputSchema } of tools) {
    tokens +=
      CALL_OVERHEAD +
      tokenizer.count(name) +
      tokenizer.count(description) +
      tokenizer.count(JSON.stringify(inputSchema))
  }
  return tokens
}

/** `countTools` for every request of a runtime: a definition never changes, so each is counted once. */
export function toolCounter(tokenizer: Tokenizer): (tools: readonly ToolDefinition[]) => number {
  const known = new WeakMap<ToolDefinition, number>()
  return (tools) => {
    let tokens = 0
    for (const tool of tools) {
      const count = known.get(tool) ?? countTools([tool], tokenizer)
      known.set(tool, count)
      tokens += count
    }
    return tokens
  }
}

/**
 * A tool result the model can be sent: where its texts together are longer than `maxTokens`, each keeps its head and
 * its tail, cut between code points, with a line between them that says how much is missing. The log keeps the whole.
 */
export function shortenResult(
  result: ToolResultPart,
  maxTokens: number,
  tokenizer: Tokenizer,
): ToolResultPart {
  let length = 0
  for (const piece of result.content) if (piece.type === "text") length += piece.text.length
  // A token has at least one character: short texts need no counting.
  if (length <= maxTokens) return result
  let tokens = 0
  for (const piece of result.content) if (piece.type === "text") tokens += tokenizer.count(piece.text)
  if (tokens <= maxTokens) return result
  const share = maxTokens / tokens
  const content = result.content.map((piece) =>
    piece.type === "text"
      ? { ...piece, text: shortened(piece.text, Math.floor(piece.text.length * share)) }
      : piece,
  )
  return { ...result, content }
}

function shortened(text: string, keep: number): string {
  const head = cutPoint(text, Math.floor(keep * 0.7))
  const tail = cutPoint(text, text.length - Math.floor(keep * 0.3))
  const note = `\n\n[… ${tail - head} of ${text.length} characters left out …]\n\n`
  return tail - head > note.length ? text.slice(0, head) + note + text.slice(tail) : text
}

/** The nearest place at or before `index` that does not split a surrogate pair. */
function cutPoint(text: string, index: number): number {
  const isLow = text.charCodeAt(index) >> 10 === 0xdc00 >> 10
  const followsHigh = index > 0 && text.charCodeAt(index - 1) >> 10 === 0xd800 >> 10
  return isLow && followsHigh ? index - 1 : index
}

/** A message of the transcript as the model will see it, with its place in the log and its cost. */
export interface ViewItem {
  readonly seq: number
  readonly message: Message
  readonly tokens: number
}

/** Where the view starts after a cut, as a share of what is available: room for some turns until the next. */
const AFTER_CUT = 0.75

/**
 * The number of the entry that the view should start with so that it fits, or undefined when it fits already.
 * The cut falls before a user message, so no call is separated from its result; the last turn always stays. It
 * leaves room, so that it moves once in many turns and the provider's cache of the prefix holds in between.
 */
export function cutBefore(
  items: readonly ViewItem[],
  fixedTokens: number,
  available: number,
): number | undefined {
  let total = fixedTokens
  for (const item of items) total += item.tokens
  if (total <= available) return undefined
  const target = available * AFTER_CUT
  let from: number | undefined
  for (const [index, item] of items.entries()) {
    if (index > 0 && item.message.role === "user") {
      from = item.seq
      if (total <= target) break
    }
    total -= item.tokens
  }
  return from
}

/**
 * The items without the oldest steps of the last turn, when that turn alone is too long: its user message and its
 * newest steps stay. A step is an assistant message with the results of its calls, so pairs stay together. Where even
 * the last step is too long its results are shortened: several at once can be more than fits though each one does.
 */
export function trimLastTurn(
  items: readonly ViewItem[],
  fixedTokens: number,
  available: number,
  tokenizer: Tokenizer,
): readonly ViewItem[] {
  let total = fixedTokens
  for (const item of items) total += item.tokens
  if (total <= available) return items
  const first = items.findLastIndex((item) => item.message.role === "user") + 1
  let start = first
  while (total > available && start < items.length) {
    let end = start + 1
    while (items[end]?.message.role === "tool") end++
    if (end >= items.length) break
    for (const item of items.slice(start, end)) total -= item.tokens
    start = end
  }
  const kept = [...items.slice(0, first), ...items.slice(start)]
  return total <= available ? kept : shortenLastResults(kept, total - available, tokenizer)
}

/** What a shortened result has besides its text: the note of what is missing, and the framing of a message. */
const SHORTENED_OVERHEAD = 30

function shortenLastResults(
  items: readonly ViewItem[],
  excess: number,
  tokenizer: Tokenizer,
): readonly ViewItem[] {
  const start = items.findLastIndex((item) => item.message.role !== "tool") + 1
  const results = items.slice(start)
  const spent = results.reduce((sum, item) => sum + item.tokens, 0)
  const each = Math.floor((spent - excess) / results.length) - SHORTENED_OVERHEAD
  if (results.length === 0 || each <= 0) return items
  const short = results.map(({ seq, message }): ViewItem => {
    if (message.role !== "tool") return { seq, message, tokens: countMessage(message, tokenizer) }
    const parts = message.parts.map((part) =>
      shortenResult(part, Math.floor(each / message.parts.length), tokenizer),
    )
    const shown = { ...message, parts }
    return { seq, message: shown, tokens: countMessage(shown, tokenizer) }
  })
  return [...items.slice(0, start), ...short]
}
