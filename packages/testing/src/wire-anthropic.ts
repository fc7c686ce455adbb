import type { FinishReason, ProviderErrorKind, Usage } from "@orra/core"
import type { WireContext, WireError, WireFormat } from "./wire-format.ts"

const STOP_REASONS: Readonly<Record<FinishReason, string>> = {
  stop: "end_turn",
  tool_calls: "tool_use",
  max_tokens: "max_tokens",
  refusal: "refusal",
  other: "pause_turn",
}

const ERRORS: Readonly<Record<ProviderErrorKind, readonly [status: number, type: string, message: string]>> =
  {
    auth: [401, "authentication_error", "invalid x-api-key"],
    rate_limit: [429, "rate_limit_error", "This request would exceed your organization's rate limit."],
    overloaded: [529, "overloaded_error", "Overloaded"],
    context_length: [400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"],
    invalid_request: [400, "invalid_request_error", "max_tokens: 99999999 > 64000, which is too many tokens"],
    model_not_found: [404, "not_found_error", "model: no-such-model"],
    quota: [
      400,
      "invalid_request_error",
      "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing.",
    ],
    network: [502, "api_error", "Bad gateway"],
    timeout: [504, "timeout_error", "Request timed out"],
    protocol: [500, "api_error", "Internal server error"],
    aborted: [499, "api_error", "Client closed request"],
    not_configured: [401, "authentication_error", "x-api-key header is required"],
  }

const frame = (event: { readonly type: string }): string =>
  `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`

/** Anthropic Messages: numbered content blocks, opened and closed. */
export function anthropicFormat({ id, model, usage }: WireContext): WireFormat {
  let index = -1
  let block: "text" | "thinking" | "tool_use" | undefined

  const stop = (): string => {
    if (!block) return ""
    block = undefined
    return frame(event("content_block_stop", { index }))
  }
  const start = (type: NonNullable<typeof block>, content: object): string => {
    const before = stop()
    index++
    block = type
    return before + frame(event("content_block_start", { index, content_block: { type, ...content } }))
  }
  const delta = (content: object): string => frame(event("content_block_delta", { index, delta: content }))

  return {
    open: () =>
      frame(
        event("message_start", {
          message: {
            id,
            type: "message",
            role: "assistant",
            model,
            content: [],
            stop_reason: null,
            stop_sequence: null,
            usage: { ...inputUsage(usage), output_tokens: 1 },
          },
        }),
      ) + frame({ type: "ping" }),
    text: (piece) =>
      (block === "text" ? "" : start("text", { text: "" })) + delta({ type: "text_delta", text: piece }),
    thinking: (piece) =>
      (block === "thinking" ? "" : start("thinking", { thinking: "", signature: "" })) +
      delta({ type: "thinking_delta", thinking: piece }),
    signature: (value) => delta({ type: "signature_delta", signature: value }) + stop(),
    redactedThinking(data) {
      const before = stop()
      index++
      return (
        before +
        frame(event("content_block_start", { index, content_block: { type: "redacted_thinking", data } })) +
        frame(event("content_block_stop", { index }))
      )
    },
    callStart: (callId, name) => start("tool_use", { id: callId, name, input: {} }),
    callArguments: (piece) => delta({ type: "input_json_delta", partial_json: piece }),
    close: (finishReason, total) =>
      stop() +
      frame(
        event("message_delta", {
          delta: { stop_reason: STOP_REASONS[finishReason], stop_sequence: null },
          usage: { ...inputUsage(total), output_tokens: total.outputTokens },
        }),
      ) +
      frame({ type: "message_stop" }),
    error: (kind, message) => frame(event("error", { error: { type: ERRORS[kind][1], message } })),
  }
}

const event = (type: string, content: object) => ({ type, ...content })

const inputUsage = (usage: Usage) => ({
  input_tokens: usage.inputTokens - usage.cacheReadTokens - usage.cacheWriteTokens,
  cache_creation_input_tokens: usage.cacheWriteTokens,
  cache_read_input_tokens: usage.cacheReadTokens,
})

export function anthropicError(kind: ProviderErrorKind, message?: string): WireError {
  const [status, type, usual] = ERRORS[kind]
  return {
    status,
    body: { type: "error", error: { type, message: message ?? usual }, request_id: "req_fake" },
  }
}
