import fc from "fast-check"
import { expect, test } from "vitest"
import type { JsonObject } from "./json.ts"
import { type AssistantMessage, userMessage } from "./message.ts"
import { wellFormed } from "./well-formed.ts"

test("mends text, calls with all that is in their arguments, and results", () => {
  const lone = "a\ud800b"
  const message: AssistantMessage = {
    role: "assistant",
    parts: [
      { type: "text", text: lone },
      { type: "tool_call", id: "1", name: "x", arguments: { [lone]: [lone, { deep: lone }, 1, null] } },
    ],
  }
  expect(wellFormed(message).parts).toEqual([
    { type: "text", text: "a\ufffdb" },
    {
      type: "tool_call",
      id: "1",
      name: "x",
      arguments: { "a\ufffdb": ["a\ufffdb", { deep: "a\ufffdb" }, 1, null] },
    },
  ])
})

test("property: whatever text comes, what is sent has a UTF-8 form, and what had one is the same object", () => {
  const units = ["a", "é", "漢", "😀", "\ud800", "\udfff", "\\ud800", '"', "\n", "__proto__"]
  const text = fc.array(fc.constantFrom(...units), { maxLength: 6 }).map((parts) => parts.join(""))
  fc.assert(
    fc.property(text, fc.dictionary(text, text), (said, args: JsonObject) => {
      const user = userMessage(said)
      const mended = wellFormed(user)
      expect(JSON.stringify(mended).isWellFormed()).toBe(true)
      if (said.isWellFormed()) expect(mended).toBe(user)
      const calling = wellFormed({
        role: "assistant",
        parts: [{ type: "tool_call", id: "1", name: "x", arguments: args }],
      })
      expect(new TextDecoder().decode(new TextEncoder().encode(JSON.stringify(calling)))).toBe(
        JSON.stringify(calling),
      )
      expect(JSON.parse(JSON.stringify(calling))).toEqual(calling)
    }),
  )
})

test("text that only speaks of an escape is left alone", () => {
  const message: AssistantMessage = {
    role: "assistant",
    parts: [{ type: "tool_call", id: "1", name: "x", arguments: { text: "\\ud800" } }],
  }
  expect(wellFormed(message)).toEqual(message)
})
