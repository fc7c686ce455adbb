import {
  type AssistantPart,
  type FinishReason,
  isObject,
  type ModelEvent,
  NO_USAGE,
  randomId,
  type TextPart,
  type Usage,
} from "@orra/core"
import { toolCallPart } from "@orra/provider-http"
import type { Answer } from "./answer.ts"
import { usageOf } from "./usage.ts"

type Fields = Readonly<Record<string, unknown>>

/** An output item as it is written. */
type Item =
  | { readonly type: "message"; text: string; phase: TextPart["phase"] }
  /** `part` is the number of the summary being written. */
  | { readonly type: "reasoning"; text: string; part: unknown; sealed: string }
  | { readonly type: "function_call"; text: string; readonly id: string; readonly name: string }

const INCOMPLETE: Readonly<Record<string, FinishReason>> = {
  max_output_tokens: "max_tokens",
  content_filter: "refusal",
}

/** Puts an answer together from the events of a Responses stream, or from a whole response in place of them. */
export function responsesAnswer(provider: string, model: string): Answer {
  const items: Item[] = []
  const byIndex = new Map<unknown, Item>()
  const ids = new Set<string>()
  let usage: Usage = NO_USAGE
  let finish: FinishReason | undefined
  let refused = false

  function open(index: unknown, item: Fields): ModelEvent[] {
    const opened = itemOf(item)
    if (!opened) return []
    items.push(opened)
    byIndex.set(index, opened)
    return opened.type === "function_call" ? [{ type: "tool_call", id: opened.id, name: opened.name }] : []
  }

  function itemOf({ type, call_id, name }: Fields): Item | undefined {
    switch (type) {
      case "message":
        return { type, text: "", phase: undefined }
      case "reasoning":
        return { type, text: "", part: undefined, sealed: "" }
      case "function_call": {
        const given = string(call_id)
        const id = given && !ids.has(given) ? given : `call_${randomId()}`
        ids.add(id)
        return { type, text: "", id, name: string(name) || "unknown" }
      }
      default:
        return undefined
    }
  }

  function append(item: Item, piece: string): ModelEvent[] {
    if (piece === "") return []
    item.text += piece
    switch (item.type) {
      case "message":
        return [{ type: "text", text: piece }]
      case "reasoning":
        return [{ type: "thinking", text: piece }]
      case "function_call":
        return [{ type: "tool_call", id: item.id, text: piece }]
    }
  }

  /** A piece of an item. Servers exist that open none: the first piece does. */
  function extend(event: Fields, type: Item["type"]): ModelEvent[] {
    const index = event["output_index"]
    const opening = byIndex.get(index)?.type === type ? [] : open(index, { type })
    const item = byIndex.get(index)
    if (!item) return opening
    const part = event["summary_index"]
    const next = item.type === "reasoning" && item.text !== "" && item.part !== part
    if (item.type === "reasoning") item.part = part
    return [...opening, ...append(item, (next ? "\n\n" : "") + string(event["delta"]))]
  }

  /** The whole of an item, with what did not come in pieces. */
  function close(index: unknown, whole: Fields): ModelEvent[] {
    const opening = byIndex.has(index) ? [] : open(index, whole)
    const item = byIndex.get(index)
    byIndex.delete(index)
    if (!item || item.type !== whole["type"]) return opening
    if (hasRefusal(whole)) refused = true
    if (item.type === "message") item.phase = phaseOf(whole)
    if (item.type === "reasoning" && whole["status"] !== "incomplete")
      item.sealed = string(whole["encrypted_content"])
    const text = textOf(whole)
    return [...opening, ...append(item, text.startsWith(item.text) ? text.slice(item.text.length) : "")]
  }

  function end(response: Fields): ModelEvent[] {
    if (isObject(response["usage"])) usage = usageOf(response["usage"])
    const { status, output, incomplete_details: details } = response
    const events: ModelEvent[] = []
    if (items.length === 0 && Array.isArray(output)) {
      for (const [index, item] of output.entries()) if (isObject(item)) events.push(...close(index, item))
    }
    if (status === "incomplete") {
      finish = INCOMPLETE[isObject(details) ? string(details["reason"]) : ""] ?? "other"
    } else if (status === "completed") finish = "stop"
    return events
  }

  return {
    get finished() {
      return finish !== undefined
    },
    get whole() {
      return finish !== undefined
    },
    take(event) {
      const { item, response } = event
      switch (event["type"]) {
        case "response.output_item.added":
          return isObject(item) ? open(event["output_index"], item) : []
        case "response.output_text.delta":
          return extend(event, "message")
        case "response.refusal.delta":
          refused = true
          return extend(event, "message")
        case "response.reasoning_summary_text.delta":
        case "response.reasoning_text.delta":
          return extend(event, "reasoning")
        case "response.function_call_arguments.delta":
          return extend(event, "function_call")
        case "response.output_item.done":
          return isObject(item) ? close(event["output_index"], item) : []
        case "response.completed":
        case "response.incomplete":
          return isObject(response) ? end(response) : []
        default:
          return event["object"] === "response" ? end(event) : []
      }
    },
    done: () => ({
      type: "done",
      message: {
        role: "assistant",
        parts: items.flatMap((item) => partsOf(item, provider)),
        provider,
        model,
      },
      finishReason: refused
        ? "refusal"
        : finish === "stop" && ids.size > 0
          ? "tool_calls"
          : (finish ?? "other"),
      usage,
    }),
  }
}

function partsOf(item: Item, provider: string): AssistantPart[] {
  const { text } = item
  switch (item.type) {
    case "message": {
      const { phase } = item
      return text === "" ? [] : [{ type: "text", text, ...(phase !== undefined && { phase }) }]
    }
    case "function_call":
      return [toolCallPart(item.id, item.name, text)]
    case "reasoning": {
      const { sealed } = item
      if (text === "") return sealed === "" ? [] : [{ type: "thinking", text, provider, data: sealed }]
      return [{ type: "thinking", text, provider, ...(sealed !== "" && { signature: sealed }) }]
    }
  }
}

/** All text of an item, as it comes in pieces. */
function textOf({ type, content, summary, arguments: args }: Fields): string {
  if (type === "function_call") return string(args)
  if (type === "message") {
    return fields(content)
      .map((part) => string(part["text"]) || string(part["refusal"]))
      .join("")
  }
  const shown = fields(summary)
  return shown.length > 0
    ? shown.map((part) => string(part["text"])).join("\n\n")
    : fields(content)
        .map((part) => string(part["text"]))
        .join("")
}

const phaseOf = ({ phase }: Fields): TextPart["phase"] =>
  phase === "commentary" || phase === "final_answer" ? phase : undefined

const hasRefusal = ({ content }: Fields): boolean =>
  fields(content).some((part) => part["type"] === "refusal")

const string = (value: unknown): string => (typeof value === "string" ? value : "")
const fields = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isObject) : [])
