import type { ProviderErrorKind } from "@orra/core"
import { anthropicError, anthropicFormat } from "./wire-anthropic.ts"
import type { WireContext, WireError, WireFormat } from "./wire-format.ts"
import { anthropicProblem, openaiProblem, surrogateProblem } from "./wire-grammar.ts"
import { responsesProblem } from "./wire-grammar-responses.ts"
import { openaiError, openaiFormat } from "./wire-openai.ts"
import { responsesFormat } from "./wire-responses.ts"

/** The protocols that are spoken: Anthropic Messages, OpenAI Chat Completions, OpenAI Responses. */
export type Family = "anthropic" | "openai" | "responses"

/** What one protocol is made of. */
interface WireFamily {
  readonly path: string
  readonly answerPrefix: string
  readonly callPrefix: string
  format(context: WireContext): WireFormat
  error(kind: ProviderErrorKind, message?: string): WireError
  /** Why the service would refuse this body, or undefined. */
  problem(body: Record<string, unknown>): string | undefined
}

export const FAMILIES: Readonly<Record<Family, WireFamily>> = {
  anthropic: {
    path: "/v1/messages",
    answerPrefix: "msg_",
    callPrefix: "toolu_",
    format: anthropicFormat,
    error: anthropicError,
    problem: (body) => surrogateProblem(body) ?? anthropicProblem(body),
  },
  openai: {
    path: "/v1/chat/completions",
    answerPrefix: "chatcmpl-",
    callPrefix: "call_",
    format: openaiFormat,
    error: openaiError,
    problem: (body) => surrogateProblem(body) ?? openaiProblem(body),
  },
  responses: {
    path: "/v1/responses",
    answerPrefix: "resp_",
    callPrefix: "call_",
    format: responsesFormat,
    error: openaiError,
    problem: (body) => surrogateProblem(body) ?? responsesProblem(body),
  },
}
