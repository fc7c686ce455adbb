import type { ViewItem } from "./context.ts"
import type { AssistantPart, Message, ToolCallPart, ToolResultPart } from "./message.ts"

/**
 * The messages of a request, valid for every provider whatever happened in the session: each tool call is followed
 * by its result, no result stands without its call, no id names two calls, no message is empty, no text is blank,
 * thinking that was cut off is left out, and the first message is a user's.
 */
export function requestMessages(items: readonly ViewItem[]): readonly Message[] {
  const messages: Message[] = []
  const usedIds = new Set<string>()
  let index = 0
  while (index < items.length) {
    const message = items[index]?.message
    index++
    if (!message || message.role === "tool") continue
    if (messages.length === 0 && message.role !== "user") continue
    if (message.role === "user") {
      const parts = message.parts.filter(isSendable)
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
    const answers: ToolResultPart[] = []
    let changed = false
    const parts: AssistantPart[] = []
    for (const part of message.parts) {
      if (!isSendable(part)) {
        changed = true
        continue
      }
      if (part.type !== "tool_call") {
        parts.push(part)
        continue
      }
      const id = unusedId(part.id, usedIds)
      if (id !== part.id) changed = true
      parts.push(id === part.id ? part : { ...part, id })
      answers.push(sendable(results.get(part.id) ?? unanswered(part), id))
    }
    if (parts.length === 0) continue
    messages.push(changed ? { ...message, parts } : message)
    if (answers.length > 0) messages.push({ role: "tool", parts: answers })
  }
  return messages
}

/** Providers refuse blank text; thinking without its proof was interrupted and cannot be sent back. */
function isSendable(part: Message["parts"][number]): boolean {
  if (part.type === "text") return part.text.trim() !== ""
  return part.type !== "thinking" || part.signature !== undefined || part.data !== undefined
}

/** Some servers number their calls anew in each answer, and others refuse an id that comes twice. */
function unusedId(id: string, used: Set<string>): string {
  let unused = id
  for (let n = 2; used.has(unused); n++) unused = `${id}_${n}`
  used.add(unused)
  return unused
}

function sendable(result: ToolResultPart, callId: string): ToolResultPart {
  const content = result.content.filter(isSendable)
  if (content.length === result.content.length && callId === result.callId) return result
  return { ...result, callId, content }
}

const unanswered = (call: ToolCallPart): ToolResultPart => ({
  type: "tool_result",
  callId: call.id,
  name: call.name,
  status: "cancelled",
  content: [{ type: "text", text: "This call was not carried out: the run ended before it." }],
})
