import type { ViewItem } from "./context.ts"
import type { AssistantPart, Message, ToolCallPart, ToolResultPart } from "./message.ts"

/**
 * The messages of a request, valid for every provider whatever happened in the session: each tool call is followed
 * by its result, no result stands without its call, no message is empty, thinking that was cut off is left out,
 * and the first message is a user's.
 */
export function requestMessages(items: readonly ViewItem[]): readonly Message[] {
  const messages: Message[] = []
  let index = items.findIndex((item) => item.message.role === "user")
  while (index >= 0 && index < items.length) {
    const message = items[index]?.message
    index++
    if (!message || message.role === "tool") continue
    if (message.role === "user") {
      const parts = message.parts.filter((part) => part.type !== "text" || part.text !== "")
      if (parts.length > 0)
        messages.push(parts.length === message.parts.length ? message : { ...message, parts })
      continue
    }
    const results = new Map<string, ToolResultPart>()
    for (; items[index]?.message.role === "tool"; index++) {
      for (const part of items[index]?.message.parts ?? []) {
        if (part.type === "tool_result") results.set(part.callId, part)
      }
    }
    const parts = message.parts.filter(isSendable)
    if (parts.length === 0) continue
    messages.push(parts.length === message.parts.length ? message : { ...message, parts })
    const calls = parts.filter((part) => part.type === "tool_call")
    if (calls.length > 0) {
      messages.push({ role: "tool", parts: calls.map((call) => results.get(call.id) ?? unanswered(call)) })
    }
  }
  return messages
}

/** Empty text is refused by providers; thinking without its proof was interrupted and cannot be sent back. */
function isSendable(part: AssistantPart): boolean {
  if (part.type === "text") return part.text !== ""
  return part.type !== "thinking" || part.signature !== undefined || part.data !== undefined
}

const unanswered = (call: ToolCallPart): ToolResultPart => ({
  type: "tool_result",
  callId: call.id,
  name: call.name,
  status: "cancelled",
  content: [{ type: "text", text: "This call was not carried out: the run ended before it." }],
})
