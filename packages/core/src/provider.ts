import { OrraError } from "./errors.ts"
import type { JsonObject } from "./json.ts"
import type { AssistantMessage, Message } from "./message.ts"

/** Tokens of one or more model calls. Input counts everything sent; the cached shares are parts of it. */
export interface Usage {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly cacheReadTokens: number
  readonly cacheWriteTokens: number
}

export const NO_USAGE: Usage = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 }

export const addUsage = (a: Usage, b: Usage): Usage => ({
  inputTokens: a.inputTokens + b.inputTokens,
  outputTokens: a.outputTokens + b.outputTokens,
  cacheReadTokens: a.cacheReadTokens + b.cacheReadTokens,
  cacheWriteTokens: a.cacheWriteTokens + b.cacheWriteTokens,
})

/** Why the model stopped. `refusal` is the provider's safety stop; `other` is a reason it did not have before. */
export type FinishReason = "stop" | "tool_calls" | "max_tokens" | "refusal" | "other"

/** A tool as the model is told of it. `inputSchema` is JSON Schema of type object. */
export interface ToolDefinition {
  readonly name: string
  readonly description: string
  readonly inputSchema: JsonObject
}

/** How much a model thinks before it answers. */
export type Effort = "off" | "low" | "medium" | "high"

export interface ModelRequest {
  /** Undefined: the provider's default. */
  readonly model?: string | undefined
  readonly system?: string | undefined
  readonly messages: readonly Message[]
  readonly tools: readonly ToolDefinition[]
  /**
   * The whole answer is to be JSON of this form, where the model can be held to one; a provider or model that cannot
   * answers as it would, so what is asked says it in words too. All objects in the schema name all their members:
   * `additionalProperties: false`, and each of them required.
   */
  readonly output?: { readonly name: string; readonly schema: JsonObject }
  /** Most tokens to write, default 4,096 or the provider's own. */
  readonly maxTokens?: number | undefined
  readonly temperature?: number | undefined
  /** Default: the provider's. A model that cannot do this thinks as it would. */
  readonly effort?: Effort
}

/**
 * What a provider says while it answers. Text, thinking and tool calls arrive in pieces for display; `done` comes
 * last, exactly once, with the whole message as it is to be stored and sent back (ids, signatures). A stream that
 * fails throws a ProviderError instead of `done`.
 */
export type ModelEvent =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "thinking"; readonly text: string }
  | { readonly type: "tool_call"; readonly id: string; readonly name?: string; readonly text?: string }
  /** The call failed before it wrote anything and is tried again after `delayMs`. */
  | {
      readonly type: "retry"
      readonly attempt: number
      readonly delayMs: number
      readonly error: ProviderError
    }
  | {
      readonly type: "done"
      readonly message: AssistantMessage
      readonly finishReason: FinishReason
      readonly usage: Usage
    }

export interface ModelInfo {
  readonly id: string
  readonly name?: string
}

/** A model service. One method does the work; everything else is description. */
export interface Provider {
  /** Who answers: "anthropic", "openai". Thinking is sent back only to the provider of this id that wrote it. */
  readonly id: string
  /** The model used when a request names none. */
  readonly model: string
  /** @throws ProviderError; when `signal` fires, its kind is `aborted` and the connection is closed. */
  stream(request: ModelRequest, options?: { readonly signal?: AbortSignal }): AsyncIterable<ModelEvent>
  /** The most tokens that the answer to a request can have, thinking included; undefined where nothing limits it. */
  outputLimit?(request: ModelRequest): number | undefined
  /** What `effort` can be for a model, from the least; empty where it has none. Default: no model has one. */
  efforts?(model: string): readonly Effort[]
  /** The models the credentials can use, when the service can say. */
  models?(options?: { readonly signal?: AbortSignal }): Promise<readonly ModelInfo[]>
}

/**
 * - `auth`: the key is missing, wrong, or may not use this.
 * - `rate_limit`, `overloaded`: try again later, after `retryAfterMs` when given.
 * - `context_length`: the request is longer than the model takes.
 * - `invalid_request`: the service refuses the request as written; `model_not_found`: it has no such model.
 * - `quota`: the account has no credit left.
 * - `network`: not reachable, or the connection broke; `timeout`: no answer in time.
 * - `protocol`: it answered something that is not its own protocol.
 * - `aborted`: the caller's signal fired.
 * - `not_configured`: there is no provider yet.
 */
export type ProviderErrorKind =
  | "auth"
  | "rate_limit"
  | "overloaded"
  | "context_length"
  | "invalid_request"
  | "model_not_found"
  | "quota"
  | "network"
  | "timeout"
  | "protocol"
  | "aborted"
  | "not_configured"

const RETRYABLE: ReadonlySet<ProviderErrorKind> = new Set(["rate_limit", "overloaded", "network", "timeout"])

/** A model call that failed. The code is `provider_<kind>`. */
export class ProviderError extends OrraError {
  readonly kind: ProviderErrorKind
  readonly provider: string
  readonly status: number | undefined
  readonly retryAfterMs: number | undefined
  /** True when the same request may succeed later. */
  readonly retryable: boolean

  constructor(
    kind: ProviderErrorKind,
    message: string,
    options: {
      readonly provider: string
      readonly status?: number | undefined
      readonly retryAfterMs?: number | undefined
      readonly requestId?: string | undefined
      readonly cause?: unknown
    },
  ) {
    const { provider, status, retryAfterMs, requestId, cause } = options
    super(`provider_${kind}`, message, { provider, status, retryAfterMs, requestId }, cause)
    this.kind = kind
    this.provider = provider
    this.status = status
    this.retryAfterMs = retryAfterMs
    this.retryable = RETRYABLE.has(kind)
  }
}
