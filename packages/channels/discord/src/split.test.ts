import { array, assert, constantFrom, integer, property, string } from "fast-check"
import { expect, test } from "vitest"
import { splitText } from "./split.ts"

const bits = constantFrom(
  "word ",
  "\n",
  "\n\n",
  "```",
  "```ts\n",
  "const a = 1\n",
  "```\n",
  "😀",
  "x".repeat(50),
  "  ",
)
/** What there is besides white space and code blocks, whose marks and language are repeated. */
const plain = (text: string): string => text.replaceAll(/[`\s]/g, "").replaceAll("ts", "")

test("R1, R7: property: no message is too long or empty, none cuts a character, and together they are the text", () => {
  assert(
    property(array(bits, { maxLength: 120 }), integer({ min: 60, max: 200 }), (parts, limit) => {
      const text = parts.join("")
      const pieces = splitText(text, limit)
      for (const piece of pieces) {
        expect(piece.length).toBeLessThanOrEqual(limit)
        expect(piece.trim()).not.toBe("")
        expect(piece.isWellFormed()).toBe(true)
      }
      expect(plain(pieces.join(""))).toBe(plain(text))
    }),
  )
})

test("property: any text is kept", () => {
  assert(
    property(string({ unit: "grapheme", maxLength: 400 }), (text) => {
      const joined = splitText(text, 80).join("")
      expect(plain(joined)).toBe(plain(text))
    }),
  )
})

test("a code block that goes on is closed and opened again, with its language", () => {
  const code = Array.from({ length: 30 }, (_, line) => `const line${line} = ${line}`).join("\n")
  const pieces = splitText(`Here:\n\`\`\`ts\n${code}\n\`\`\`\nThat is all.`, 200)
  expect(pieces.length).toBeGreaterThan(2)
  expect(pieces[0]).toMatch(/^Here:\n```ts\n[^`]*\n```$/)
  for (const piece of pieces.slice(1, -1)) expect(piece).toMatch(/^```ts\n[^`]*\n```$/)
  expect(pieces.at(-1)).toMatch(/^```ts\n[^`]*\n```\nThat is all\.$/)
})

test("a line that opens a code block and is cut is not taken for the name of a language", () => {
  const pieces = splitText(`const a = 1\n\`\`\`word ${"x".repeat(50)}`, 60)
  expect(pieces.join("").split("word")).toHaveLength(2)
})

test("a word that just fits does not make a message too long", () => {
  for (const piece of splitText(`\`\`\`\n${"x".repeat(50)}const a = 1\n`, 63))
    expect(piece.length).toBeLessThanOrEqual(63)
})

test("paragraphs stay whole where they can", () => {
  expect(splitText(`${"a".repeat(60)}\n\n${"b".repeat(60)}`, 100)).toEqual([
    "a".repeat(60),
    `\n${"b".repeat(60)}`,
  ])
})
