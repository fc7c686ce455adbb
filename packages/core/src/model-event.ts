import { isObject, type JsonObject } from "./json.ts"
import type { AssistantPart, ToolCallPart } from "./message.ts"
import { type FinishReason, type ModelEvent, ProviderError } from "./provider.ts"
import type { DeltaPiece } from "./session.ts"

type Done = Extract<ModelEvent, { type: "done" }>

const REASONS: readonly unknown[] = [
  "stop",
  "tool_calls",
  "max_tokens",
  "refusal",
  "other",
] satisfies FinishReason[]

const noAnswer = (provider: string, what: string): ProviderError =>
  new ProviderError("protocol", `What the provider sent is no answer: ${what}. Try again.`, { provider })

/** What a provider gave in place of a stream is a failure of the provider. @throws ProviderError (`protocol`). */
export function assertStream(stream: AsyncIterable<ModelEvent>, provider: string): void {
  if (typeof stream?.[Symbol.asyncIterator] !== "function") throw noAnswer(provider, "it is not a stream")
}

/**
 * True for a piece of an answer, false for what is passed over: an event of a kind that did not exist yet.
 *
 * @throws ProviderError (`protocol`) for what is none.
 */
export function isPiece(event: ModelEvent | DeltaPiece, provider: string): event is DeltaPiece {
  if (!isObject(event)) throw noAnswer(provider, "an event is no object")
  const isText = event.type === "text" || event.type === "thinking"
  if (!isText && event.type !== "tool_call") return false
  if (typeof (isText ? event.text : event.id) === "string") return true
  throw noAnswer(provider, "an event has no text, or no id")
}

/**
 * The whole answer as it can be stored and sent back. Numbers that are none count as 0, calls whose arguments are not
 * JSON are marked invalid, and calls without an id get one later.
 *
 * @throws ProviderError (`protocol`) when the message is none.
 */
export function checkedDone(event: Done, provider: string): Done {
  const { message, usage, finishReason } = event
  if (!isObject(message) || message.role !== "assistant" || !Array.isArray(message.parts))
    throw noAnswer(provider, "its message is missing")
  const parts = message.parts.map((part) => checkedPart(part, provider))
  const isSame = parts.every((part, index) => part === message.parts[index])
  return {
    type: "done",
    message: isSame ? message : { ...message, parts },
    finishReason: REASONS.includes(finishReason) ? finishReason : "other",
    usage: {
      inputTokens: count(usage?.inputTokens),
      outputTokens: count(usage?.outputTokens),
      cacheReadTokens: count(usage?.cacheReadTokens),
      cacheWriteTokens: count(usage?.cacheWriteTokens),
    },
  }
}

const count = (tokens = 0): number => (Number.isFinite(tokens) && tokens > 0 ? tokens : 0)

function checkedPart(part: AssistantPart, provider: string): AssistantPart {
  if (isObject(part)) {
    if ((part.type === "text" || part.type === "thinking") && typeof part.text === "string") return part
    if (part.type === "tool_call" && typeof part.name === "string") return checkedCall(part)
  }
  throw noAnswer(provider, "a part of it is neither text nor a call")
}

function checkedCall(part: ToolCallPart): ToolCallPart {
  const text = jsonOf(part.arguments)
  const isFine = text !== undefined && isObject(part.arguments)
  const id = typeof part.id === "string" ? part.id : ""
  if (isFine && id === part.id) return part
  return { ...part, id, ...(!isFine && { arguments: {}, invalid: part.invalid ?? text ?? "" }) }
}

function jsonOf(value: JsonObject): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}
