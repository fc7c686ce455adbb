import type { Json } from "./json.ts"
import type { Message } from "./message.ts"

/**
 * The message without lone surrogates, which have no UTF-8 form: a service refuses the request that carries one, and
 * with it every later request of the session. The same object when there is nothing to mend, which is nearly always.
 */
export function wellFormed(message: Message): Message {
  if (isWellFormed(message)) return message
  return mend(message as unknown as Json) as unknown as Message
}

function isWellFormed(message: Message): boolean {
  for (const part of message.parts) {
    if (part.type === "text") {
      if (!part.text.isWellFormed()) return false
    } else if (part.type === "tool_call") {
      if (!part.name.isWellFormed() || !isMended(part.arguments)) return false
    } else if (part.type === "tool_result") {
      for (const piece of part.content) if (piece.type === "text" && !piece.text.isWellFormed()) return false
    }
  }
  return true
}

function isMended(value: Json): boolean {
  if (typeof value === "string") return value.isWellFormed()
  if (typeof value !== "object" || value === null) return true
  for (const [key, member] of Object.entries(value)) {
    if (!key.isWellFormed() || !isMended(member)) return false
  }
  return true
}

function mend(value: Json): Json {
  if (typeof value === "string") return value.toWellFormed()
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(mend)
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key.toWellFormed(), mend(member)]))
}
