import type { Json } from "./json.ts"
import type { Message } from "./message.ts"

/**
 * The message without lone surrogates, which have no UTF-8 form: a service refuses the request that carries one, and
 * with it every later request of the session. The same object when there is nothing to mend, which is nearly always.
 */
export const wellFormed = (message: Message): Message =>
  isMended(message as unknown as Json) ? message : (mend(message as unknown as Json) as unknown as Message)

function isMended(value: Json): boolean {
  if (typeof value === "string") return value.isWellFormed()
  if (typeof value !== "object" || value === null) return true
  // Not by its indices: each of them would be made a text and looked at.
  if (Array.isArray(value)) return value.every(isMended)
  for (const key in value) {
    if (!isMended(key) || !isMended((value as Record<string, Json>)[key] ?? null)) return false
  }
  return true
}

function mend(value: Json): Json {
  if (typeof value === "string") return value.toWellFormed()
  if (typeof value !== "object" || value === null) return value
  if (Array.isArray(value)) return value.map(mend)
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key.toWellFormed(), mend(member)]))
}
