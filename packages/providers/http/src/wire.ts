import { isObject, type Json, type JsonObject, parseJson, type ToolCallPart } from "@orra/core"

/** The call a model wrote, from the text of its arguments: empty text means no arguments. */
export function toolCallPart(id: string, name: string, text: string): ToolCallPart {
  const call = { type: "tool_call", id, name } as const
  if (text.trim() === "") return { ...call, arguments: {} }
  try {
    const value = parseJson(text)
    if (isObject(value)) return { ...call, arguments: value as JsonObject }
  } catch {
    // Text that is not JSON makes an invalid call, which the model is told about.
  }
  return { ...call, arguments: {}, invalid: text }
}

/** A JSON value whose strings all have a UTF-8 form: services refuse lone surrogates. */
export function wellFormed<T extends Json>(value: T): T
export function wellFormed(value: Json): Json {
  if (typeof value === "string") return value.toWellFormed()
  if (Array.isArray(value)) return value.map((item: Json) => wellFormed(item))
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([key, item]) => [key.toWellFormed(), wellFormed(item)]),
  )
}

/**
 * Gives the calls of a transcript the ids a service accepts (letters, digits, "_" and "-", at most `maxLength`, none
 * twice), the same ones each time the same transcript is sent. Use one per request.
 */
export function callIdMapper(maxLength: number): {
  /** The id to send for a call. */
  call(id: string): string
  /** The id to send with the result of the latest call of this id. */
  result(id: string): string
} {
  const used = new Set<string>()
  const latest = new Map<string, string>()
  const next = new Map<string, number>()
  const accepted = (id: string) => id.replace(/[^a-zA-Z0-9_-]/g, "_").slice(-maxLength) || "call"
  return {
    call(id) {
      const wanted = accepted(id)
      let sent = wanted
      // Servers exist that count from 0 in every answer: the search for a free number goes on where it ended.
      let number = next.get(wanted) ?? 2
      while (used.has(sent)) sent = `${wanted.slice(0, maxLength - 8)}_${number++}`
      next.set(wanted, number)
      used.add(sent)
      latest.set(id, sent)
      return sent
    },
    result: (id) => latest.get(id) ?? accepted(id),
  }
}

/** A part of a message that the service cannot take. The message says what to send instead. */
export class UnsupportedPart extends Error {}

/** A tool name a service accepts: a model may have invented one that it would not take back. */
export const acceptedToolName = (name: string): string =>
  name.replace(/[^a-zA-Z0-9_-]/g, "_").slice(0, 64) || "unknown"
