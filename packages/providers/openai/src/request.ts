import type { ModelRequest, ToolDefinition } from "@orra/core"
import { acceptedToolName, errorParts, type HttpFailure, wellFormed } from "@orra/provider-http"
import type { ChatCompletionCreateParams, ChatCompletionTool } from "openai/resources/chat/completions"
import { effortOf } from "./effort.ts"
import { toMessages } from "./messages.ts"
import { perObject } from "./per-object.ts"
import type { Reasoning } from "./responses-request.ts"

/** What differs between the servers that speak this protocol, and between models of one server. */
export interface Dialect {
  readonly maxTokens: "max_tokens" | "max_completion_tokens"
  readonly streamOptions: boolean
  readonly temperature: boolean
  /** Holding the answer to a form. */
  readonly output: boolean
  /** How much the request would have it think. */
  readonly effort: boolean
}

/** The tools of a runtime are the same objects in each request. */
const toTool = perObject(
  ({ name, description, inputSchema }: ToolDefinition): ChatCompletionTool => ({
    type: "function",
    function: {
      name: acceptedToolName(name),
      description: description.toWellFormed(),
      parameters: { ...wellFormed(inputSchema) },
    },
  }),
)

/** The body of a request. The same input gives the same bytes, so that the service's cache is hit. */
export const toParams = (
  request: ModelRequest,
  defaults: {
    readonly model: string
    readonly maxTokens: number | undefined
    readonly streaming: boolean
    readonly reasoning: Reasoning | undefined
  },
  dialect: Dialect,
): ChatCompletionCreateParams => {
  const maxTokens = request.maxTokens ?? defaults.maxTokens
  const model = request.model ?? defaults.model
  const effort = (dialect.effort ? effortOf(request.effort, model) : undefined) ?? defaults.reasoning?.effort
  return {
    model,
    messages: toMessages(request.messages, request.system),
    stream: defaults.streaming,
    ...(defaults.streaming && dialect.streamOptions && { stream_options: { include_usage: true } }),
    ...(maxTokens !== undefined && { [dialect.maxTokens]: maxTokens }),
    ...(effort !== undefined && { reasoning_effort: effort }),
    ...(dialect.temperature && request.temperature !== undefined && { temperature: request.temperature }),
    ...(request.tools.length > 0 && {
      tools: request.tools.map(toTool),
    }),
    ...(dialect.output &&
      request.output && {
        response_format: {
          type: "json_schema" as const,
          json_schema: { name: request.output.name, schema: wellFormed(request.output.schema), strict: true },
        },
      }),
  }
}

/**
 * The dialect to try after a refusal, or undefined when the refusal was about something else. Services name the
 * parameter they do not take, as `param` or in their message.
 */
export function otherDialect(
  dialect: Dialect,
  { effort }: ModelRequest,
  { status, body }: HttpFailure,
): Dialect | undefined {
  if (status !== 400 && status !== 422) return undefined
  const { param, message } = errorParts(body)
  const complaint = `${param} ${message}`
  if (dialect.output && /response_format|json_schema/.test(complaint)) return { ...dialect, output: false }
  if (dialect.effort && effort && /reasoning_effort/.test(complaint)) return { ...dialect, effort: false }
  // "max_tokens is too large" is no complaint about the name.
  if (/too (large|high|big)|at most|less than|exceed/i.test(message)) return undefined
  if (dialect.maxTokens === "max_tokens" && /max_completion_tokens/.test(complaint)) {
    return { ...dialect, maxTokens: "max_completion_tokens" }
  }
  if (dialect.maxTokens === "max_completion_tokens" && /max_completion_tokens/.test(complaint)) {
    return { ...dialect, maxTokens: "max_tokens" }
  }
  if (dialect.streamOptions && /stream_options|include_usage/.test(complaint)) {
    return { ...dialect, streamOptions: false }
  }
  if (dialect.temperature && /temperature/.test(complaint)) return { ...dialect, temperature: false }
  return undefined
}
