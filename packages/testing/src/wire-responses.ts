import type { FinishReason, Usage } from "@orra/core"
import type { WireContext, WireFormat } from "./wire-format.ts"
import { openaiErrorCode } from "./wire-openai.ts"

/** Why an answer is not complete; undefined where it is. */
const INCOMPLETE: Readonly<Record<FinishReason, string | undefined>> = {
  stop: undefined,
  tool_calls: undefined,
  max_tokens: "max_output_tokens",
  refusal: "content_filter",
  other: "max_messages",
}

type Item = Readonly<Record<string, unknown>> & { readonly id: string }

/** The item that is being written. */
interface Open {
  readonly id: string
  readonly kind: "message" | "reasoning" | "function_call"
  text: string
  encrypted?: string
  readonly call?: { readonly call_id: string; readonly name: string }
}

/** OpenAI Responses: numbered output items, each opened, written and closed with all that is in it. */
export function responsesFormat({ id, model, usage }: WireContext): WireFormat {
  const output: Item[] = []
  let open: Open | undefined
  let sequence = 0
  let made = 0

  const frame = (type: string, content: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...content, sequence_number: sequence++ })}\n\n`
  const response = (status: string, extra: object = {}) => ({
    response: { id, object: "response", created_at: 1_700_000_000, model, status, output, ...extra },
  })
  /** Where in the answer an event happens. */
  const at = ({ id: item_id }: Open, index: object = {}) => ({
    item_id,
    output_index: output.length,
    ...index,
  })

  function start(item: Omit<Open, "id" | "text">): string {
    const before = stop("completed")
    const prefix = { message: "msg", reasoning: "rs", function_call: "fc" }[item.kind]
    open = { ...item, id: `${prefix}_${id}_${++made}`, text: "" }
    const added = frame("response.output_item.added", {
      output_index: output.length,
      item: itemOf(open, "in_progress"),
    })
    if (item.kind !== "message") return before + added
    const part = { type: "output_text", text: "", annotations: [] }
    return before + added + frame("response.content_part.added", { ...at(open, { content_index: 0 }), part })
  }

  function stop(status: "completed" | "incomplete"): string {
    if (!open) return ""
    const { kind, text } = open
    const item = itemOf(open, status)
    let frames = ""
    if (kind === "message") {
      const where = at(open, { content_index: 0 })
      frames += frame("response.output_text.done", { ...where, text, logprobs: [] })
      const part = { type: "output_text", text, annotations: [] }
      frames += frame("response.content_part.done", { ...where, part })
    } else if (kind === "function_call") {
      frames += frame("response.function_call_arguments.done", { ...at(open), arguments: text })
    } else if (text !== "") {
      const where = at(open, { summary_index: 0 })
      frames += frame("response.reasoning_summary_text.done", { ...where, text })
      const part = { type: "summary_text", text }
      frames += frame("response.reasoning_summary_part.done", { ...where, part })
    }
    frames += frame("response.output_item.done", { output_index: output.length, item })
    output.push(item)
    open = undefined
    return frames
  }

  const write = (kind: Open["kind"], type: string, piece: string, index: object): string => {
    const before = open?.kind === kind ? "" : start({ kind })
    if (!open) return before
    const first =
      kind === "reasoning" && open.text === ""
        ? frame("response.reasoning_summary_part.added", {
            ...at(open, index),
            part: { type: "summary_text", text: "" },
          })
        : ""
    open.text += piece
    return before + first + frame(type, { ...at(open, index), delta: piece })
  }

  return {
    open: () =>
      frame("response.created", response("in_progress", { usage: null })) +
      frame("response.in_progress", response("in_progress", { usage: null })),
    text: (piece) => write("message", "response.output_text.delta", piece, { content_index: 0 }),
    thinking: (piece) =>
      write("reasoning", "response.reasoning_summary_text.delta", piece, { summary_index: 0 }),
    signature(value) {
      if (open?.kind !== "reasoning") return ""
      open.encrypted = value
      return stop("completed")
    },
    redactedThinking(data) {
      const frames = start({ kind: "reasoning", encrypted: data })
      return frames + stop("completed")
    },
    callStart: (callId, name) => start({ kind: "function_call", call: { call_id: callId, name } }),
    callArguments: (piece) => write("function_call", "response.function_call_arguments.delta", piece, {}),
    close(finishReason, total) {
      const reason = INCOMPLETE[finishReason]
      const frames = stop(reason === undefined ? "completed" : "incomplete")
      const end = reason === undefined ? "completed" : "incomplete"
      const details = reason === undefined ? null : { reason }
      const body = { error: null, incomplete_details: details, usage: usageOf(total) }
      return frames + frame(`response.${end}`, response(end, body))
    },
    error: (kind, message) =>
      frame(
        "response.failed",
        response("failed", { error: { code: openaiErrorCode(kind), message }, usage: usageOf(usage) }),
      ),
  }
}

function itemOf({ id, kind, text, encrypted, call }: Open, status: string): Item {
  switch (kind) {
    case "message": {
      const content = status === "in_progress" ? [] : [{ type: "output_text", text, annotations: [] }]
      return { id, type: "message", role: "assistant", status, content }
    }
    case "reasoning": {
      const summary = text === "" ? [] : [{ type: "summary_text", text }]
      return { id, type: "reasoning", status, summary, encrypted_content: encrypted ?? null }
    }
    case "function_call":
      return { id, type: "function_call", status, ...call, arguments: text }
  }
}

const usageOf = (usage: Usage) => ({
  input_tokens: usage.inputTokens,
  input_tokens_details: { cached_tokens: usage.cacheReadTokens, cache_write_tokens: usage.cacheWriteTokens },
  output_tokens: usage.outputTokens,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: usage.inputTokens + usage.outputTokens,
})
