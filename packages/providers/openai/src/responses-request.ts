import type { ModelRequest, ToolDefinition } from "@orra/core"
import { acceptedToolName, errorParts, type HttpFailure, wellFormed } from "@orra/provider-http"
import type { FunctionTool, ResponseCreateParams } from "openai/resources/responses/responses"
import { effortOf } from "./effort.ts"
import { perObject } from "./per-object.ts"
import { toInput } from "./responses-messages.ts"

/** How much a model thinks before it answers, and what it shows of that. */
export interface Reasoning {
  readonly effort?: "none" | "minimal" | "low" | "medium" | "high" | "xhigh" | "max" | undefined
  /** A summary of the thinking, for people to read. */
  readonly summary?: "auto" | "concise" | "detailed" | undefined
}

/** What differs between models and servers: what one of them refused is left out of the next request. */
export interface ResponsesDialect {
  /** Ask for thinking in its sealed form. */
  readonly sealed: boolean
  readonly summary: boolean
  readonly temperature: boolean
  /** Send back what the model thought. */
  readonly thinking: boolean
  /** Hold the answer to a form. */
  readonly output: boolean
  /** How much the request would have it think. */
  readonly effort: boolean
}

export const FULL_DIALECT: ResponsesDialect = {
  sealed: true,
  summary: true,
  temperature: true,
  thinking: true,
  output: true,
  effort: true,
}

export interface ResponsesDefaults {
  readonly model: string
  readonly maxTokens: number | undefined
  readonly streaming: boolean
  readonly reasoning: Reasoning | undefined
}

/** The service takes no smaller limit. */
const LEAST_TOKENS = 16

/** The tools of a runtime are the same objects in each request. */
const toTool = perObject(
  ({ name, description, inputSchema }: ToolDefinition): FunctionTool => ({
    type: "function",
    name: acceptedToolName(name),
    description: description.toWellFormed(),
    parameters: { ...wellFormed(inputSchema) },
    // Strict schemas are a dialect of their own: every property required, nothing open.
    strict: false,
  }),
)

/** The body of a request. The same input gives the same bytes, so that the service's cache is hit. */
export function toResponsesParams(
  request: ModelRequest,
  provider: string,
  defaults: ResponsesDefaults,
  dialect: ResponsesDialect,
): ResponseCreateParams {
  const model = request.model ?? defaults.model
  const maxTokens = request.maxTokens ?? defaults.maxTokens
  const effort = dialect.effort ? effortOf(request.effort, model) : undefined
  const reasoning = reasoningOf({ ...defaults.reasoning, ...(effort && { effort }) }, dialect)
  return {
    model,
    ...(request.system?.trim() && { instructions: request.system.toWellFormed() }),
    input: toInput(request.messages, dialect.thinking ? { provider, model } : undefined),
    stream: defaults.streaming,
    // The session's log is what is kept. What the model thought comes back sealed instead.
    store: false,
    ...(dialect.sealed && { include: ["reasoning.encrypted_content" as const] }),
    ...(reasoning && { reasoning }),
    ...(maxTokens !== undefined && { max_output_tokens: Math.max(LEAST_TOKENS, maxTokens) }),
    ...(dialect.temperature && request.temperature !== undefined && { temperature: request.temperature }),
    ...(request.tools.length > 0 && {
      tools: request.tools.map(toTool),
    }),
    ...(dialect.output &&
      request.output && {
        text: {
          format: {
            type: "json_schema" as const,
            name: request.output.name,
            schema: wellFormed(request.output.schema),
            strict: true,
          },
        },
      }),
  }
}

function reasoningOf({ effort, summary }: Reasoning = {}, dialect: ResponsesDialect) {
  const shown = dialect.summary ? summary : undefined
  if (effort === undefined && shown === undefined) return undefined
  return { ...(effort !== undefined && { effort }), ...(shown !== undefined && { summary: shown }) }
}

/**
 * The dialect to try after a refusal of `params`, or undefined when the refusal was about something else. Sealed
 * thinking opens only for the account it was written for, and now and then not even there; other servers want it in
 * forms of their own. Without it the session goes on.
 */
export function otherResponsesDialect(
  dialect: ResponsesDialect,
  { effort }: ModelRequest,
  { input }: ResponseCreateParams,
  { status, body }: HttpFailure,
): ResponsesDialect | undefined {
  if (status !== 400 && status !== 422) return undefined
  const { code, param, message } = errorParts(body)
  const complaint = `${param} ${message}`
  const isAboutThinking =
    code === "invalid_encrypted_content" ||
    (/reasoning|encrypted.content/i.test(complaint) &&
      !/reasoning(\.\w| summar)|'?include\b/i.test(complaint))
  if (isAboutThinking && Array.isArray(input) && input.some(({ type }) => type === "reasoning")) {
    return { ...dialect, thinking: false }
  }
  if (dialect.sealed && /['"`]include\b|^include|encrypted.content\b.*\bnot\b/i.test(complaint)) {
    return { ...dialect, sealed: false }
  }
  if (dialect.effort && effort && /reasoning\.effort/.test(complaint)) return { ...dialect, effort: false }
  if (dialect.output && /text\.format|json_schema/.test(complaint)) return { ...dialect, output: false }
  if (dialect.summary && /summar/i.test(complaint)) return { ...dialect, summary: false }
  if (dialect.temperature && /temperature/.test(complaint)) return { ...dialect, temperature: false }
  return undefined
}
