import type { FinishReason, ProviderErrorKind, Usage } from "@orra/core"
import type { WireContext, WireError, WireFormat } from "./wire-format.ts"

const FINISH_REASONS: Readonly<Record<FinishReason, string>> = {
  stop: "stop",
  tool_calls: "tool_calls",
  max_tokens: "length",
  refusal: "content_filter",
  other: "other",
}

type ErrorRow = readonly [status: number, type: string, code: string | null, message: string]

const ERRORS: Readonly<Record<ProviderErrorKind, ErrorRow>> = {
  auth: [401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."],
  rate_limit: [429, "requests", "rate_limit_exceeded", "Rate limit reached for this model."],
  overloaded: [503, "server_error", null, "The engine is currently overloaded, please try again later."],
  context_length: [
    400,
    "invalid_request_error",
    "context_length_exceeded",
    "This model's maximum context length is 128000 tokens. However, your messages resulted in 130000 tokens.",
  ],
  invalid_request: [
    400,
    "invalid_request_error",
    null,
    "max_tokens is too large: this model supports 4096 tokens.",
  ],
  model_not_found: [
    404,
    "invalid_request_error",
    "model_not_found",
    "The model `no-such-model` does not exist.",
  ],
  quota: [429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."],
  network: [502, "server_error", null, "Bad gateway"],
  timeout: [504, "server_error", null, "Gateway timeout"],
  protocol: [500, "server_error", null, "The server had an error while processing your request."],
  aborted: [499, "server_error", null, "Client closed request"],
  not_configured: [401, "invalid_request_error", null, "You didn't provide an API key."],
}

const frame = (data: object): string => `data: ${JSON.stringify(data)}\n\n`

/** OpenAI Chat Completions: deltas of one choice; tool calls are numbered and named only in their first fragment. */
export function openaiFormat({ id, model, includeUsage }: WireContext): WireFormat {
  let index = -1
  const chunk = (delta: object, finishReason: string | null = null): string =>
    frame({
      id,
      object: "chat.completion.chunk",
      created: 1_700_000_000,
      model,
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finishReason }],
      ...(includeUsage && { usage: null }),
    })

  return {
    open: () => chunk({ role: "assistant", content: "", refusal: null }),
    text: (piece) => chunk({ content: piece }),
    thinking: (piece) => chunk({ reasoning_content: piece }),
    signature: () => "",
    redactedThinking: () => "",
    callStart(callId, name) {
      index++
      return chunk({
        tool_calls: [{ index, id: callId, type: "function", function: { name, arguments: "" } }],
      })
    },
    callArguments: (piece) => chunk({ tool_calls: [{ index, function: { arguments: piece } }] }),
    close: (finishReason, usage) =>
      chunk({}, FINISH_REASONS[finishReason]) +
      (includeUsage ? frame(usageChunk(id, model, usage)) : "") +
      "data: [DONE]\n\n",
    error: (kind, message) => frame({ error: { message, type: ERRORS[kind][1], code: ERRORS[kind][2] } }),
  }
}

const usageChunk = (id: string, model: string, usage: Usage) => ({
  id,
  object: "chat.completion.chunk",
  created: 1_700_000_000,
  model,
  choices: [],
  usage: {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cacheReadTokens },
  },
})

/** The code of such an error within an answer, where no status says it. */
export const openaiErrorCode = (kind: ProviderErrorKind): string => ERRORS[kind][2] ?? "server_error"

export function openaiError(kind: ProviderErrorKind, message?: string): WireError {
  const [status, type, code, usual] = ERRORS[kind]
  return { status, body: { error: { message: message ?? usual, type, param: null, code } } }
}
