import type { ViewItem } from "./context.ts"
import type { AssistantPart, Message, ToolCallPart, ToolResultPart } from "./message.ts"

/**
 * The messages of a request, valid for every provider whatever happened in the session: each tool call is followed
 * by its result, no result stands without its call, no id names two calls, no message is empty, no text is blank,
 * thinking that was cut off is left out, and the first message is a user's.
 */
export const requestMessages = (items: readonly ViewItem[]): readonly Message[] => new Transcript().of(items)

/**
 * Makes the messages of one request after the other. A list of items that has only grown since the last time is not
 * gone through again, so a turn costs what is new in it.
 */
export class Transcript {
  #items: readonly ViewItem[] = []
  /** The items before this one are done: nothing that follows can change their messages. */
  #next = 0
  #messages: Message[] = []
  #first: Message | undefined
  #usedIds = new Set<string>()

  /** `first` comes before all others: what stands for the messages that were cut away. */
  of(items: readonly ViewItem[], first?: Message): readonly Message[] {
    if (items !== this.#items || items.length < this.#next || first !== this.#first) {
      this.#items = items
      this.#next = 0
      this.#first = first
      this.#messages = first ? [first] : []
      this.#usedIds = new Set()
    }
    while (this.#next < items.length) {
      const group = groupAt(items, this.#next, this.#usedIds, this.#messages.length === 0)
      // The last one may still get results.
      if (group.end === items.length) return [...this.#messages, ...group.messages]
      this.#messages.push(...group.messages)
      for (const id of group.ids) this.#usedIds.add(id)
      this.#next = group.end
    }
    return [...this.#messages]
  }
}

/** An item with the results that belong to it. */
interface Group {
  readonly messages: readonly Message[]
  readonly ids: ReadonlySet<string>
  /** The index of the item after it. */
  readonly end: number
}

function groupAt(
  items: readonly ViewItem[],
  start: number,
  usedIds: ReadonlySet<string>,
  isFirst: boolean,
): Group {
  const ids = new Set<string>()
  const message = items[start]?.message
  let end = start + 1
  if (!message || message.role === "tool" || (isFirst && message.role !== "user")) {
    return { messages: [], ids, end }
  }
  if (message.role === "user") {
    const parts = message.parts.every(isSendable) ? message.parts : message.parts.filter(isSendable)
    if (parts.length === 0) return { messages: [], ids, end }
    return { messages: [parts === message.parts ? message : { ...message, parts }], ids, end }
  }
  const results = new Map<string, ToolResultPart>()
  for (; items[end]?.message.role === "tool"; end++) {
    for (const part of items[end]?.message.parts ?? []) {
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
    const id = unusedId(part.id, usedIds, ids)
    if (id !== part.id) changed = true
    parts.push(id === part.id ? part : { ...part, id })
    answers.push(sendable(results.get(part.id) ?? unanswered(part), id))
  }
  const messages: Message[] = []
  if (parts.length > 0) messages.push(changed ? { ...message, parts } : message)
  if (answers.length > 0) messages.push({ role: "tool", parts: answers })
  return { messages, ids, end }
}

/** Providers refuse blank text; thinking without its proof was interrupted and cannot be sent back. */
function isSendable(part: Message["parts"][number]): boolean {
  if (part.type === "text") return part.text.trim() !== ""
  return part.type !== "thinking" || part.signature !== undefined || part.data !== undefined
}

/** Some servers number their calls anew in each answer, and others refuse an id that comes twice. */
function unusedId(id: string, before: ReadonlySet<string>, here: Set<string>): string {
  let unused = id
  for (let n = 2; before.has(unused) || here.has(unused); n++) unused = `${id}_${n}`
  here.add(unused)
  return unused
}

function sendable(result: ToolResultPart, callId: string): ToolResultPart {
  if (callId === result.callId && result.content.every(isSendable)) return result
  return { ...result, callId, content: result.content.filter(isSendable) }
}

const unanswered = (call: ToolCallPart): ToolResultPart => ({
  type: "tool_result",
  callId: call.id,
  name: call.name,
  status: "cancelled",
  content: [{ type: "text", text: "This call was not carried out: the run ended before it." }],
})
