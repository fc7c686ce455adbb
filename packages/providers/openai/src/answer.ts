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
import { usageOf } from "./usage.ts"

interface Call {
  readonly id: string
  readonly givenId: string
  name: string
  text: string
}

type Fields = Readonly<Record<string, unknown>>

const FINISH_REASONS: Readonly<Record<string, FinishReason>> = {
  stop: "stop",
  eos: "stop",
  tool_calls: "tool_calls",
  function_call: "tool_calls",
  length: "max_tokens",
  content_filter: "refusal",
}

/** An answer as it arrives. `finished` is true once it has said why it ends. */
export interface Answer {
  readonly finished: boolean
  /** True once nothing more comes, where the protocol has no mark for that of its own. */
  readonly whole?: boolean
  /** Takes one chunk; what it means for the reader. */
  take(chunk: Fields): readonly ModelEvent[]
  done(): ModelEvent
}

/** Puts an answer together from the chunks of a Chat Completions stream. */
export function answer(provider: string, model: string): Answer {
  let text = ""
  let thinking = ""
  let refusal = ""
  let finish: string | undefined
  let usage: Usage = NO_USAGE
  const calls: Call[] = []
  const byIndex = new Map<unknown, Call>()

  /**
   * The call a fragment goes on with. The index says it; only the first fragment has an id. Servers exist that leave
   * out the index, and others that give every call the index 0, each whole and with an id of its own.
   */
  function callBefore(index: unknown, givenId: string, name: string): Call | undefined {
    if (typeof index === "number") {
      const call = byIndex.get(index)
      const isAnother = call !== undefined && name !== "" && givenId !== "" && call.givenId !== givenId
      return isAnother ? undefined : call
    }
    if (givenId !== "") return calls.find((call) => call.givenId === givenId)
    return name === "" ? calls.at(-1) : undefined
  }

  function newCall(index: unknown, givenId: string): Call {
    const taken = givenId === "" || calls.some((call) => call.id === givenId)
    const call: Call = { id: taken ? `call_${randomId()}` : givenId, givenId, name: "", text: "" }
    calls.push(call)
    byIndex.set(index, call)
    return call
  }

  function takeCall(fragment: Fields): readonly ModelEvent[] {
    const of = isObject(fragment["function"]) ? fragment["function"] : {}
    const name = string(of["name"])
    const givenId = string(fragment["id"])
    const before = callBefore(fragment["index"], givenId, name)
    const call = before ?? newCall(fragment["index"], givenId)
    const events: ModelEvent[] = []
    if (!before || (call.name === "" && name !== "")) {
      call.name = name
      events.push({ type: "tool_call", id: call.id, ...(name !== "" && { name }) })
    }
    // Ollama and others send the arguments as an object.
    const piece = isObject(of["arguments"]) ? JSON.stringify(of["arguments"]) : string(of["arguments"])
    if (piece !== "") {
      call.text += piece
      events.push({ type: "tool_call", id: call.id, text: piece })
    }
    return events
  }

  function takeDelta(delta: Fields): readonly ModelEvent[] {
    const thought = string(delta["reasoning_content"]) || string(delta["reasoning"])
    const refused = string(delta["refusal"])
    const said = (string(delta["content"]) || contentText(delta["content"])) + refused
    thinking += thought
    refusal += refused
    text += said
    const events: ModelEvent[] = said === "" ? [] : [{ type: "text", text: said }]
    if (thought !== "") events.unshift({ type: "thinking", text: thought })
    if (Array.isArray(delta["tool_calls"])) {
      for (const fragment of delta["tool_calls"]) if (isObject(fragment)) events.push(...takeCall(fragment))
    }
    return events
  }

  return {
    get finished() {
      return finish !== undefined
    },
    take(chunk) {
      if (isObject(chunk["usage"])) usage = usageOf(chunk["usage"])
      const choice = Array.isArray(chunk["choices"]) ? chunk["choices"][0] : undefined
      if (!isObject(choice)) return []
      if (typeof choice["finish_reason"] === "string") finish = choice["finish_reason"]
      // A server that does not stream sends the whole message in place of a delta.
      const delta = choice["delta"] ?? choice["message"]
      return isObject(delta) ? takeDelta(delta) : []
    },
    done() {
      const parts: AssistantPart[] = []
      if (thinking !== "") parts.push({ type: "thinking", text: thinking, provider })
      if (text !== "") parts.push({ type: "text", text })
      for (const call of calls) parts.push(toolCallPart(call.id, call.name || "unknown", call.text))
      return {
        type: "done",
        message: { role: "assistant", parts, provider, model },
        finishReason: refusal === "" ? finishReasonOf(finish, calls.length > 0) : "refusal",
        usage,
      }
    },
  }
}

function finishReasonOf(finish: string | undefined, hasCalls: boolean): FinishReason {
  const reason = finish === undefined ? "stop" : (FINISH_REASONS[finish] ?? "other")
  return reason === "stop" && hasCalls ? "tool_calls" : reason
}

const string = (value: unknown): string => (typeof value === "string" ? value : "")

/** Mistral sends content as parts when it thinks. */
const contentText = (content: unknown): string =>
  Array.isArray(content)
    ? content.map((part) => (isObject(part) && part["type"] === "text" ? string(part["text"]) : "")).join("")
    : ""
