import type { Message } from "./message.ts"
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

/**
 * Four letters a token, two signs or control characters, one and a third digits, and of all else four bytes of UTF-8.
 * Of prose, code, JSON, logs and numbers that is 0.9 to 1.3 times what tokenizers count; of text in other scripts 0.65
 * to 1.75 times, as they differ among themselves.
 */
export const charEstimator: Tokenizer = {
  count(text) {
    let quarters = text.length
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      quarters += ASCII[code] ?? (code > 0x7ff && (code < 0xd800 || code > 0xdfff) ? 2 : 1)
    }
    return Math.ceil(quarters / 4)
  },
}

/** What a character counts beyond a letter, in quarters. A table: to look there takes half of what comparing takes. */
const ASCII = Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code)
  return /[a-z ]/i.test(char) ? 0 : /\d/.test(char) ? 2 : 1
})

/** How much the model may be sent, in tokens. */
export interface ContextBudget {
  /** The model's window, default 200,000. */
  readonly maxTokens: number
  /** Kept free for the answer and the thinking before it, default 4,096 or the runtime's `maxTokens` if more. */
  readonly reservedForOutput: number
  /** The most one tool result may take of what is available, default 0.3. */
  readonly toolResultShare: number
  /** The most that pinned messages may take together of what is available, default 0.2. */
  readonly pinnedShare: number
  /**
   * What is kept of one tool result at most, default 1,000,000 bytes: the rest is dropped, and the model told. Up to
   * there the log has the whole, of which the model is shown what `toolResultShare` allows.
   */
  readonly maxResultBytes: number
}

export const DEFAULT_BUDGET: ContextBudget = {
  maxTokens: 200_000,
  reservedForOutput: 4_096,
  toolResultShare: 0.3,
  pinnedShare: 0.2,
  maxResultBytes: 1_000_000,
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

/** Counts the tools of a request. A definition never changes, so each is counted once. */
export function toolCounter(tokenizer: Tokenizer): (tools: readonly ToolDefinition[]) => number {
  const known = new WeakMap<ToolDefinition, number>()
  const count = (tool: ToolDefinition): number => {
    const texts = [tool.name, tool.description, JSON.stringify(tool.inputSchema)]
    const tokens = texts.reduce((sum, text) => sum + tokenizer.count(text), CALL_OVERHEAD)
    known.set(tool, tokens)
    return tokens
  }
  return (tools) => tools.reduce((sum, tool) => sum + (known.get(tool) ?? count(tool)), 0)
}

/** A message of the transcript as the model will see it, with its place in the log and its cost. */
export interface ViewItem {
  readonly seq: number
  readonly message: Message
  readonly tokens: number
}
