import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { charEstimator } from "./context.ts"
import type { ToolResultPart } from "./message.ts"
import { shortenResult } from "./shorten.ts"

const result = (...texts: readonly string[]): ToolResultPart => ({
  type: "tool_result",
  callId: "1",
  name: "t",
  status: "ok",
  content: texts.map((text) => ({ type: "text", text })),
})
const texts = (part: ToolResultPart): string[] =>
  part.content.map((piece) => (piece.type === "text" ? piece.text : ""))
const NOTE = /\n\n\[… result 9: (\d+) characters left out here, from (\d+) on …\]\n\n/

describe("R1: a result that is too long", () => {
  test("keeps its head and its tail and says what is missing", () => {
    const text = `HEAD${"x".repeat(100_000)}TAIL`
    const [short = ""] = texts(shortenResult(result(text), 1_000, charEstimator, 9))
    expect(short.startsWith("HEAD")).toBe(true)
    expect(short.endsWith("TAIL")).toBe(true)
    const [head = "", missing, at, tail = ""] = short.split(NOTE)
    expect(Number(at)).toBe(head.length)
    expect(head.length + Number(missing) + tail.length).toBe(text.length)
    expect(charEstimator.count(short)).toBeLessThanOrEqual(1_000)
  })

  test("is the same object when it fits", () => {
    const short = result("x".repeat(4_000))
    expect(shortenResult(short, 1_000, charEstimator, 9)).toBe(short)
  })

  test("shares what is allowed among its pieces: the limit is the result's, not each piece's", () => {
    const many = shortenResult(
      result(...Array.from({ length: 10 }, () => "x".repeat(4_000))),
      1_000,
      charEstimator,
      9,
    )
    const total = texts(many).reduce((sum, text) => sum + charEstimator.count(text), 0)
    expect(total).toBeLessThanOrEqual(1_000)
  })

  test("property: is cut between code points, from what was there, whatever the text", () => {
    const unit = fc.constantFrom("a", "é", "漢", "😀", "👩‍👩‍👧")
    fc.assert(
      fc.property(
        fc.array(unit, { minLength: 300, maxLength: 900 }),
        fc.integer({ min: 0, max: 200 }),
        fc.constantFrom("", "\ud800", "\udc00"),
        (units, max, between) => {
          const text = units.join(between)
          const [short = ""] = texts(shortenResult(result(text), max, charEstimator, 9))
          const [head = "", missing = "", at = "", tail = text] = short.split(NOTE)
          expect(text.startsWith(head)).toBe(true)
          expect(text.endsWith(tail)).toBe(true)
          expect(short.length).toBeLessThanOrEqual(text.length)
          if (max > 60) expect(charEstimator.count(short)).toBeLessThanOrEqual(max)
          if (missing) expect([...head, ...tail]).toHaveLength([...text].length - Number(missing))
          if (missing) expect([...head]).toHaveLength(Number(at))
          if (text.isWellFormed()) expect(short.isWellFormed()).toBe(true)
        },
      ),
      { numRuns: 300 },
    )
  })

  test("says of several pieces where each goes on in the whole, and of two cuts what both left out", () => {
    const piece = "😀".repeat(4_000)
    const once = shortenResult(result(piece, piece), 2_000, charEstimator, 9)
    for (const part of [once, shortenResult(once, 1_000, charEstimator, 9)]) {
      for (const [index, text] of texts(part).entries()) {
        const [head = "", missing, at, tail = ""] = text.split(NOTE)
        expect(Number(at)).toBe(index * 4_000 + [...head].length)
        expect([...head, ...tail]).toHaveLength(4_000 - Number(missing))
      }
    }
  })
})
