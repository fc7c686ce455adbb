import {
  type AssistantPart,
  type FinishReason,
  isObject,
  type ModelEvent,
  NO_USAGE,
  randomId,
  type Usage,
} from "@orra/core"
import { toolCallPart } from "@orra/provider-http"
import { PROVIDER_ID } from "./messages.ts"

type Block =
  | { readonly type: "text"; text: string }
  | { readonly type: "thinking"; text: string; signature: string }
  | { readonly type: "redacted"; readonly data: string }
  | {
      readonly type: "tool_use"
      readonly id: string
      readonly name: string
      text: string
      readonly input: unknown
    }

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  tool_use: "tool_calls",
  max_tokens: "max_tokens",
  model_context_window_exceeded: "max_tokens",
  refusal: "refusal",
}

/** An answer as it arrives. `finished` is true once the service has said that it is whole. */
export interface Answer {
  readonly finished: boolean
  /** Takes one event of the service; what it means for the reader, if anything. */
  take(event: Readonly<Record<string, unknown>>): ModelEvent | undefined
  done(): ModelEvent
}

/** Puts an answer together from the events of the Messages stream. Blocks and events it does not know are skipped. */
export function answer(model: string): Answer {
  const blocks = new Map<unknown, Block>()
  const ids = new Set<string>()
  let stopReason: string | undefined
  let usage: Readonly<Record<string, number>> = {}
  let finished = false

  function open(index: unknown, block: Readonly<Record<string, unknown>>): ModelEvent | undefined {
    switch (block["type"]) {
      case "text":
        blocks.set(index, { type: "text", text: "" })
        return append(index, "text", text(block["text"]))
      case "thinking":
        blocks.set(index, { type: "thinking", text: "", signature: text(block["signature"]) })
        return append(index, "thinking", text(block["thinking"]))
      case "redacted_thinking":
        blocks.set(index, { type: "redacted", data: text(block["data"]) })
        return undefined
      case "tool_use": {
        const given = text(block["id"])
        const id = given && !ids.has(given) ? given : `toolu_${randomId()}`
        ids.add(id)
        const name = text(block["name"])
        blocks.set(index, { type: "tool_use", id, name, text: "", input: block["input"] })
        return { type: "tool_call", id, name }
      }
    }
    return undefined
  }

  function append(index: unknown, type: Block["type"], piece: string): ModelEvent | undefined {
    const block = blocks.get(index)
    if (piece === "" || block?.type !== type || block.type === "redacted") return undefined
    block.text += piece
    return block.type === "tool_use"
      ? { type: "tool_call", id: block.id, text: piece }
      : { type: block.type, text: piece }
  }

  function extend(index: unknown, delta: Readonly<Record<string, unknown>>): ModelEvent | undefined {
    switch (delta["type"]) {
      case "text_delta":
        return append(index, "text", text(delta["text"]))
      case "thinking_delta":
        return append(index, "thinking", text(delta["thinking"]))
      case "input_json_delta":
        return append(index, "tool_use", text(delta["partial_json"]))
      case "signature_delta": {
        const block = blocks.get(index)
        if (block?.type === "thinking") block.signature += text(delta["signature"])
      }
    }
    return undefined
  }

  return {
    get finished() {
      return finished
    },
    take(event) {
      switch (event["type"]) {
        case "message_start":
          if (isObject(event["message"])) usage = known(usage, event["message"]["usage"])
          return undefined
        case "content_block_start":
          return isObject(event["content_block"]) ? open(event["index"], event["content_block"]) : undefined
        case "content_block_delta":
          return isObject(event["delta"]) ? extend(event["index"], event["delta"]) : undefined
        case "message_delta":
          usage = known(usage, event["usage"])
          if (isObject(event["delta"]) && typeof event["delta"]["stop_reason"] === "string") {
            stopReason = event["delta"]["stop_reason"]
          }
          return undefined
        case "message_stop":
          finished = true
      }
      return undefined
    },
    done() {
      const parts = [...blocks.values()].flatMap(partOf)
      return {
        type: "done",
        message: { role: "assistant", parts, provider: PROVIDER_ID, model },
        finishReason: finishReasonOf(stopReason, parts),
        usage: usageOf(usage),
      }
    },
  }
}

function finishReasonOf(stopReason: string | undefined, parts: readonly AssistantPart[]): FinishReason {
  const reason = stopReason === undefined ? "stop" : (FINISH_REASONS[stopReason] ?? "other")
  return reason === "stop" && parts.some((part) => part.type === "tool_call") ? "tool_calls" : reason
}

function partOf(block: Block): AssistantPart[] {
  switch (block.type) {
    case "text":
      return block.text === "" ? [] : [{ type: "text", text: block.text }]
    case "thinking": {
      const { text, signature } = block
      if (text === "" && signature === "") return []
      return [{ type: "thinking", text, provider: PROVIDER_ID, ...(signature !== "" && { signature }) }]
    }
    case "redacted":
      return [{ type: "thinking", text: "", provider: PROVIDER_ID, data: block.data }]
    case "tool_use":
      // Services that copy this protocol send the whole input at the start of the block.
      return [toolCallPart(block.id, block.name, block.text || JSON.stringify(block.input ?? {}))]
  }
}

/** Figures grow while the answer is written; a null says nothing, and neither does the 0 with which others fill in. */
function known(before: Readonly<Record<string, number>>, after: unknown): Readonly<Record<string, number>> {
  const grown = { ...before }
  for (const [key, value] of Object.entries(isObject(after) ? after : {})) {
    if (typeof value === "number") grown[key] = Math.max(value, before[key] ?? 0)
  }
  return grown
}

/** Anthropic counts cached input apart; ours counts everything sent. */
function usageOf(usage: Readonly<Record<string, number>>): Usage {
  const count = (key: string) => usage[key] ?? 0
  const cacheReadTokens = count("cache_read_input_tokens")
  const cacheWriteTokens = count("cache_creation_input_tokens")
  return {
    ...NO_USAGE,
    inputTokens: count("input_tokens") + cacheReadTokens + cacheWriteTokens,
    outputTokens: count("output_tokens"),
    cacheReadTokens,
    cacheWriteTokens,
  }
}

const text = (value: unknown): string => (typeof value === "string" ? value : "")
