import type {
  CacheControlEphemeral,
  MessageCreateParamsStreaming,
  MessageParam,
  ThinkingConfigParam,
} from "@anthropic-ai/sdk/resources/messages"
import type { Effort, ModelRequest } from "@orra/core"
import { acceptedToolName, type HttpFailure, wellFormed } from "@orra/provider-http"
import { EFFORT_TOKENS, thinkerOf } from "./effort.ts"
import { toMessages } from "./messages.ts"

/** Whether Claude thinks before it answers: as it sees fit, up to so many tokens, or not at all. */
export type Thinking = "adaptive" | { readonly budgetTokens: number } | false

/** How long the service keeps the prompt for the next turn. `true` is five minutes. */
export type Cache = boolean | "5m" | "1h"

export interface RequestDefaults {
  readonly model: string
  readonly maxTokens: number
  readonly thinking: Thinking | undefined
  readonly cache: Cache
}

/** The SDK no longer lists `temperature`; the service still takes it for older models. */
export type Params = MessageCreateParamsStreaming & { readonly temperature?: number }

/** What of a request is sent, beside that which always is. */
export interface Taken {
  readonly temperature: boolean
  /** What the model thought before. */
  readonly thinking: boolean
  /** The form that the answer is to have. */
  readonly output: boolean
  /** How much the request would have it think. */
  readonly effort: boolean
}

/** The body of a request. The same input gives the same bytes, so that the service's cache is hit. */
export function toParams(request: ModelRequest, defaults: RequestDefaults, taken: Taken): Params {
  const model = request.model ?? defaults.model
  const messages = toMessages(request.messages, taken.thinking ? model : undefined)
  const effort = taken.effort ? effortOf(request, model) : undefined
  const thinking = thinkingOf(effort ? thinkingBy(effort, model) : defaults.thinking, messages)
  const budget = thinking?.type === "enabled" ? thinking.budget_tokens : effort ? EFFORT_TOKENS[effort] : 0
  const format = request.output && taken.output && request.output.schema
  const level = thinking?.type === "adaptive" && effort !== "off" ? effort : undefined
  const cache = cacheControl(defaults.cache)
  const system = request.system?.trim() ? request.system.toWellFormed() : undefined
  const last = request.tools.length - 1
  if (cache) markLastUserMessages(messages, cache)
  return {
    model,
    // What it thinks is part of max_tokens: what the caller asked for is meant for the answer.
    max_tokens: (request.maxTokens ?? defaults.maxTokens) + budget,
    stream: true,
    ...(system !== undefined && {
      system: [{ type: "text", text: system, ...(cache && { cache_control: cache }) }],
    }),
    messages,
    ...(last >= 0 && {
      tools: request.tools.map((tool, index) => ({
        name: acceptedToolName(tool.name),
        description: tool.description.toWellFormed(),
        input_schema: { ...wellFormed(tool.inputSchema), type: "object" as const },
        ...(cache && index === last && { cache_control: cache }),
      })),
    }),
    ...(thinking && { thinking }),
    ...((format || level) && {
      output_config: {
        ...(level && { effort: level }),
        ...(format && { format: { type: "json_schema" as const, schema: wellFormed(format) } }),
      },
    }),
    ...(request.temperature !== undefined &&
      taken.temperature &&
      (!thinking || thinking.type === "disabled") && { temperature: request.temperature }),
  }
}

/** The most that the thinking may take beside the answer. */
export function thinkingTokens(request: ModelRequest, { model, thinking }: RequestDefaults): number {
  const effort = effortOf(request, request.model ?? model)
  if (effort) return EFFORT_TOKENS[effort]
  return typeof thinking === "object" ? thinking.budgetTokens : 0
}

/** The effort asked for, of a model that has one. */
const effortOf = ({ effort }: ModelRequest, model: string): Effort | undefined => thinkerOf(model) && effort

function thinkingBy(effort: Effort, model: string): Thinking {
  if (effort === "off") return false
  return thinkerOf(model) === "adaptive" ? "adaptive" : { budgetTokens: EFFORT_TOKENS[effort] }
}

const cacheControl = (cache: Cache): CacheControlEphemeral | undefined => {
  if (cache === false) return undefined
  return cache === "1h" ? { type: "ephemeral", ttl: "1h" } : { type: "ephemeral" }
}

/**
 * The last user message and the one before it: the second is where the last request ended, so that it is found
 * again even when more blocks came in between than the service looks back over. With system and tools that makes
 * four marks, which is all the service takes.
 */
function markLastUserMessages(messages: readonly MessageParam[], cache: CacheControlEphemeral): void {
  const users = messages.filter((message) => message.role === "user").slice(-2)
  for (const { content } of users) {
    const block = typeof content === "string" ? undefined : content.at(-1)
    if (block && "type" in block && block.type !== "thinking" && block.type !== "redacted_thinking") {
      Object.assign(block, { cache_control: cache })
    }
  }
}

function thinkingOf(
  thinking: Thinking | undefined,
  messages: readonly MessageParam[],
): ThinkingConfigParam | undefined {
  if (thinking === undefined) return undefined
  if (thinking === false) return { type: "disabled" }
  if (thinking === "adaptive") return { type: "adaptive", display: "summarized" }
  // In the middle of tool calls the service demands the thinking that led to them. Where it is missing, because
  // another model made the calls, this one answers without thinking rather than not at all.
  if (isInToolLoop(messages) && !startsWithThinking(messages.findLast(({ role }) => role === "assistant"))) {
    return undefined
  }
  return { type: "enabled", budget_tokens: thinking.budgetTokens }
}

const isInToolLoop = (messages: readonly MessageParam[]): boolean =>
  firstType(messages.at(-1)) === "tool_result"

const startsWithThinking = (message: MessageParam | undefined): boolean =>
  /thinking$/.test(firstType(message) ?? "")

const firstType = (message: MessageParam | undefined): string | undefined =>
  typeof message?.content === "string" ? "text" : message?.content[0]?.type

/** What to leave out after a refusal of `params`, or undefined when it was about something else. */
export function takenInstead(taken: Taken, params: Params, { status, body }: HttpFailure): Taken | undefined {
  if (status !== 400) return undefined
  // Newer models take no temperature; it is a wish.
  if (params.temperature !== undefined && /temperature/i.test(body)) return { ...taken, temperature: false }
  if (taken.effort && /\beffort\b/.test(body)) return { ...taken, effort: false }
  // Older models cannot be held to a form.
  if (params.output_config?.format && /output_config|output.format|json_schema|structured/i.test(body))
    return { ...taken, output: false }
  // A signature is good where it was made; elsewhere, and now and then even there, a session could never go on.
  const isAboutThinking = /signature|thinking\W+blocks?\b|found\W+thinking/i.test(body)
  if (isAboutThinking && params.messages.some(hasThinking)) return { ...taken, thinking: false }
  // Not every model can leave it, and not every one that is called alike can do it.
  return taken.effort && /thinking|adaptive/i.test(body) ? { ...taken, effort: false } : undefined
}

const hasThinking = ({ content }: MessageParam): boolean =>
  typeof content !== "string" && content.some(({ type }) => /thinking$/.test(type))
