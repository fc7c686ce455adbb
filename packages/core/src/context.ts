import type { JsonObject } from "./json.ts"
import type { Message, ToolResultPart } from "./message.ts"
import type { ToolDefinition } from "./provider.ts"

/** Counts tokens. The default estimates; exact ones can be plugged in. */
export interface Tokenizer {
  count(text: string): number
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
  let tokens = MESSAGE_OVERHEAD
  for (const part of message.parts) {
    switch (part.type) {
      case "text":
      case "thinking":
        tokens += tokenizer.count(part.text)
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
        tokens += CALL_OVERHEAD + tokenizer.count(part.name) + countJson(part.arguments, tokenizer)
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

const countJson = (value: JsonObject, tokenizer: Tokenizer): number => tokenizer.count(JSON.stringify(value))

export function countTools(tools: readonly ToolDefinition[], tokenizer: Tokenizer): number {
  let tokens = 0
  for (const { name, description, inputSchema } of tools) {
    tokens +=
      CALL_OVERHEAD + tokenizer.count(name) + tokenizer.count(description) + countJson(inputSchema, tokenizer)
  }
  return tokens
}

/**
 * A tool result the model can be sent: text longer than `maxTokens` keeps its head and its tail, cut between code
 * points, with a line between them that says how much is missing. The log keeps the whole.
 */
export function shortenResult(
  result: ToolResultPart,
  maxTokens: number,
  tokenizer: Tokenizer,
): ToolResultPart {
  let changed = false
  const content = result.content.map((piece) => {
    if (piece.type !== "text") return piece
    // Four characters a token at most: short texts need no counting.
    if (piece.text.length <= maxTokens) return piece
    const tokens = tokenizer.count(piece.text)
    if (tokens <= maxTokens) return piece
    changed = true
    const keep = Math.floor((piece.text.length * maxTokens) / tokens)
    const head = cutPoint(piece.text, Math.floor(keep * 0.7))
    const tail = cutPoint(piece.text, piece.text.length - Math.floor(keep * 0.3))
    const missing = tail - head
    const text = `${piece.text.slice(0, head)}\n\n[… ${missing} of ${piece.text.length} characters left out …]\n\n${piece.text.slice(tail)}`
    return { type: "text" as const, text }
  })
  return changed ? { ...result, content } : result
}

/** The nearest place at or before `index` that does not split a surrogate pair. */
function cutPoint(text: string, index: number): number {
  const code = text.charCodeAt(index)
  return code >= 0xdc00 && code <= 0xdfff ? index - 1 : index
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
 * newest steps stay. A step is an assistant message with the results of its calls, so pairs stay together.
 */
export function trimLastTurn(
  items: readonly ViewItem[],
  fixedTokens: number,
  available: number,
): readonly ViewItem[] {
  let total = fixedTokens
  for (const item of items) total += item.tokens
  if (total <= available) return items
  const start = items.findLastIndex((item) => item.message.role === "user")
  const kept = [...items]
  let index = start + 1
  while (total > available && index < kept.length) {
    let end = index + 1
    while (kept[end]?.message.role === "tool") end++
    if (end >= kept.length) break
    for (const item of kept.splice(index, end - index)) total -= item.tokens
    index = start + 1
  }
  return kept
}
