import fc from "fast-check"
import { describe, expect, test } from "vitest"
import {
  availableForInput,
  charEstimator,
  countMessage,
  cutBefore,
  DEFAULT_BUDGET,
  shortenResult,
  type Tokenizer,
  trimLastTurn,
  type ViewItem,
} from "./context.ts"
import { type AssistantPart, type Message, type ToolResultPart, userMessage } from "./message.ts"

const result = (...texts: readonly string[]): ToolResultPart => ({
  type: "tool_result",
  callId: "1",
  name: "t",
  status: "ok",
  content: texts.map((text) => ({ type: "text", text })),
})
const texts = (part: ToolResultPart): string[] =>
  part.content.map((piece) => (piece.type === "text" ? piece.text : ""))

const item = (seq: number, message: Message): ViewItem => ({
  seq,
  message,
  tokens: countMessage(message, charEstimator),
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

describe("a result that is too long", () => {
  test("keeps its head and its tail and says what is missing", () => {
    const text = `HEAD${"x".repeat(100_000)}TAIL`
    const [short = ""] = texts(shortenResult(result(text), 1_000, charEstimator))
    expect(short.startsWith("HEAD")).toBe(true)
    expect(short.endsWith("TAIL")).toBe(true)
    expect(short).toMatch(/\[… \d+ of 100008 characters left out …\]/)
    expect(charEstimator.count(short)).toBeLessThan(1_030)
  })

  test("is the same object when it fits", () => {
    const short = result("x".repeat(4_000))
    expect(shortenResult(short, 1_000, charEstimator)).toBe(short)
  })

  test("shares what is allowed among its pieces: the limit is the result's, not each piece's", () => {
    const many = shortenResult(
      result(...Array.from({ length: 10 }, () => "x".repeat(4_000))),
      1_000,
      charEstimator,
    )
    const total = texts(many).reduce((sum, text) => sum + charEstimator.count(text), 0)
    expect(total).toBeLessThan(1_000 + 10 * 20)
  })

  test("property: is cut between code points, from what was there, whatever the text", () => {
    const unit = fc.constantFrom("a", "é", "漢", "😀", "👩‍👩‍👧", "\ud800", "\udc00")
    fc.assert(
      fc.property(
        fc.array(unit, { minLength: 300, maxLength: 900 }),
        fc.integer({ min: 0, max: 200 }),
        (units, max) => {
          const text = units.join("")
          const [short = ""] = texts(shortenResult(result(text), max, charEstimator))
          const parts = short.split(/\n\n\[… \d+ of \d+ characters left out …\]\n\n/)
          expect(parts.length).toBeLessThanOrEqual(2)
          const [head = "", tail = text] = parts
          expect(text.startsWith(head)).toBe(true)
          expect(text.endsWith(tail)).toBe(true)
          expect(short.length).toBeLessThanOrEqual(text.length)
          if (text.isWellFormed()) expect(short.isWellFormed()).toBe(true)
        },
      ),
      { numRuns: 300 },
    )
  })
})

/** Turns of a conversation: a user message, then steps of an answer with some calls and their results. */
const conversation = fc
  .array(
    fc.record({
      user: fc.integer({ min: 1, max: 400 }),
      steps: fc.array(
        fc.record({ calls: fc.integer({ min: 0, max: 4 }), size: fc.integer({ min: 1, max: 2_000 }) }),
        { maxLength: 5 },
      ),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((turns) => {
    const items: ViewItem[] = []
    const add = (message: Message) => items.push(item(items.length * 3 + 1, message))
    for (const { user, steps } of turns) {
      add(userMessage("u".repeat(user)))
      for (const { calls, size } of steps) {
        const ids = Array.from({ length: calls }, (_, index) => `${items.length}-${index}`)
        add({
          role: "assistant",
          parts: [
            { type: "text", text: "hm" },
            ...ids.map((id) => ({ type: "tool_call" as const, id, name: "t", arguments: {} })),
          ],
        })
        for (const id of ids) add({ role: "tool", parts: [{ ...result("r".repeat(size)), callId: id }] })
      }
    }
    return items
  })

const total = (items: readonly ViewItem[]): number => items.reduce((sum, { tokens }) => sum + tokens, 0)

/** The calls that the items ask for and the results they have, in order: equal when no pair is separated. */
function pairs(items: readonly ViewItem[]): readonly [string[], string[]] {
  const parts = items.flatMap(({ message }) => [...message.parts] as Message["parts"][number][])
  return [
    parts.flatMap((part) => (part.type === "tool_call" ? [part.id] : [])),
    parts.flatMap((part) => (part.type === "tool_result" ? [part.callId] : [])),
  ]
}

describe("a view that is too long", () => {
  test("property: is cut before a user message, keeps the last turn, and leaves room", () => {
    fc.assert(
      fc.property(conversation, fc.integer({ min: 100, max: 3_000 }), (items, available) => {
        const from = cutBefore(items, 50, available)
        if (from === undefined) {
          const users = items.filter(({ message }) => message.role === "user").length
          expect(total(items) + 50 <= available || users === 1).toBe(true)
          return
        }
        const kept = items.filter(({ seq }) => seq >= from)
        expect(kept[0]?.message.role).toBe("user")
        const [asked, answered] = pairs(kept)
        expect(asked).toEqual(answered)
        const turns = kept.filter(({ message }) => message.role === "user").length
        expect(total(kept) + 50 <= available * 0.75 || turns === 1).toBe(true)
        // No more is cut than needed: one turn more would not have left the room.
        const before = items.filter(({ seq }) => seq < from)
        const previous = before.slice(before.findLastIndex(({ message }) => message.role === "user"))
        if (turns > 1 && total(kept) + 50 <= available * 0.75) {
          expect(
            total([...previous, ...kept]) + 50 > available * 0.75 || previous.length === before.length,
          ).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })

  test("property: its last turn loses its oldest steps whole, and fits whenever its frame does", () => {
    fc.assert(
      fc.property(conversation, fc.integer({ min: 600, max: 3_000 }), (all, available) => {
        const items = all.slice(all.findLastIndex(({ message }) => message.role === "user"))
        const kept = trimLastTurn(items, 50, available, charEstimator)
        expect(kept[0]).toBe(items[0])
        const [asked, answered] = pairs(kept)
        expect(asked).toEqual(answered)
        expect(kept.at(-1)?.seq).toBe(items.at(-1)?.seq)
        expect(total(kept) + 50).toBeLessThanOrEqual(available)
        if (total(items) + 50 <= available) expect(kept).toBe(items)
      }),
      { numRuns: 500 },
    )
  })
})
