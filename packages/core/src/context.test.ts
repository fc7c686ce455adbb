import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { availableForInput, charEstimator, countMessage, DEFAULT_BUDGET, type Tokenizer } from "./context.ts"
import { type AssistantPart, type Message, type ToolResultPart, userMessage } from "./message.ts"

const result = (...texts: readonly string[]): ToolResultPart => ({
  type: "tool_result",
  callId: "1",
  name: "t",
  status: "ok",
  content: texts.map((text) => ({ type: "text", text })),
})

describe("the estimator", () => {
  test("property: is a quarter of the UTF-8 bytes, rounded up, for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        const bytes = new TextEncoder().encode(text).length
        expect(charEstimator.count(text)).toBe(Math.ceil(bytes / 4))
      }),
    )
    for (const text of ["", "plain", "grüße", "漢字かな", "😀👩‍👩‍👧", "\u07ff\u0800\uffff"]) {
      expect(charEstimator.count(text)).toBe(Math.ceil(new TextEncoder().encode(text).length / 4))
    }
  })
})

describe("a message", () => {
  test("is not charged for the base64 of a picture as if it were text", () => {
    const data = "A".repeat(4_000_000)
    const picture = userMessage([{ type: "image", mediaType: "image/png", data }])
    expect(countMessage(picture, charEstimator)).toBeLessThan(2_000)
    const shown: Message = {
      role: "tool",
      parts: [{ ...result(), content: [{ type: "image", mediaType: "image/png", data }] }],
    }
    expect(countMessage(shown, charEstimator)).toBeLessThan(2_000)
  })

  test("is charged for a text file as for text, for a document less", () => {
    const file = (mediaType: string) =>
      countMessage(
        userMessage([{ type: "file", mediaType, name: "f", data: "A".repeat(40_000) }]),
        charEstimator,
      )
    expect(file("text/plain")).toBeGreaterThan(7_000)
    expect(file("application/pdf")).toBeLessThan(1_500)
  })

  test("is charged for thinking, shown or not, and for a call as the model wrote it", () => {
    const count = (...parts: AssistantPart[]) => countMessage({ role: "assistant", parts }, charEstimator)
    const text = "x".repeat(4_000)
    expect(count({ type: "thinking", provider: "p", text })).toBe(1_004)
    expect(count({ type: "thinking", provider: "p", text: "", data: text })).toBe(1_004)
    const call = { type: "tool_call", id: "1", name: "toolname" } as const
    expect(count({ ...call, arguments: { text } })).toBe(4 + 5 + 2 + Math.ceil((4_000 + 11) / 4))
    expect(count({ ...call, arguments: {}, invalid: text })).toBe(4 + 5 + 2 + 1_000)
  })

  test("is counted whole by a tokenizer that can, and estimated where that has no answer", () => {
    const exact: Tokenizer = {
      count: (text) => text.length,
      countMessage: ({ role }) => (role === "user" ? 7 : undefined),
    }
    expect(countMessage(userMessage([{ type: "image", mediaType: "image/png", data: "AAAA" }]), exact)).toBe(
      7,
    )
    expect(countMessage({ role: "assistant", parts: [{ type: "text", text: "12345" }] }, exact)).toBe(4 + 5)
  })

  test("leaves the window less what is kept for the answer, never less than nothing", () => {
    expect(availableForInput(DEFAULT_BUDGET)).toBe(195_904)
    expect(availableForInput({ ...DEFAULT_BUDGET, maxTokens: 10 })).toBe(0)
  })
})
