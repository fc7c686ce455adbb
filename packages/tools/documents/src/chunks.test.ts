import fc from "fast-check"
import { expect, test } from "vitest"
import { chunksOf } from "./chunks.ts"

const words = (count: number, word = "word"): string =>
  Array.from({ length: count }, (_, at) => `${word}${at}`).join(" ")

test("a short text is one piece", () => {
  expect(chunksOf({ text: "Hello\nthere" })).toEqual([{ text: "Hello\nthere", start: 0, line: 1 }])
})

test("a piece knows its line and the headings above it", () => {
  const text = `# Guide\n\n${words(60)}\n\n## Installing\n\n${words(60)}\n\n### On Linux\n\n${words(60)}\n\n## Using\n\n${words(60)}\n`
  const chunks = chunksOf({ text })
  expect(chunks.map(({ heading, line }) => [line, heading])).toEqual([
    [1, "Guide"],
    [5, "Guide > Installing"],
    [9, "Guide > Installing > On Linux"],
    [13, "Guide > Using"],
  ])
})

test("what looks like a heading in a code fence is none", () => {
  const text = `# Real\n\n${words(60)}\n\n~~~sh\n# a comment\n~~~\n\n${words(60)}`
  expect(new Set(chunksOf({ text }).map(({ heading }) => heading))).toEqual(new Set(["Real"]))
})

test("pieces end with a paragraph, a sentence, a word, and never within a character", () => {
  const ends = (text: string): string => (chunksOf({ text })[0]?.text ?? "").slice(-4)
  expect(ends(`${words(100)}\n\n${words(200)}`)).toBe("99\n\n")
  expect(ends(`${words(110)}. ${words(300)}`)).toMatch(/\d\. $/)
  expect(ends(words(300))).toMatch(/\d $/)
  const emoji = chunksOf({ text: `a${"😀".repeat(2_000)}` })
  expect(emoji.every(({ text }) => text.isWellFormed())).toBe(true)
})

test("a piece is on one page", () => {
  const pages = [words(30, "one"), words(300, "two"), "", words(10, "four")]
  const pageStarts: number[] = []
  let text = ""
  for (const page of pages) {
    pageStarts.push(text.length)
    text += `${page}\n\n`
  }
  const chunks = chunksOf({ text, pageStarts })
  for (const { text: piece, page } of chunks)
    expect(piece.match(/one|two|four/)?.[0]).toBe([undefined, "one", "two", undefined, "four"][page ?? 0])
  expect(chunks.at(-1)?.page).toBe(4)
})

test("the pieces together are the text, none too long, and each is where it says", () => {
  const piece = fc.oneof(
    fc.constantFrom("# Heading\n", "\n", "\n\n", "```\n", "## Other ##\n", "。", ". ", " ", "\t", "\r"),
    fc.string({ unit: "grapheme", maxLength: 20 }),
    fc.nat(800).map((length) => "x".repeat(length)),
    fc.nat(400).map((length) => "😀".repeat(length)),
  )
  const document = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(""))
  fc.assert(
    fc.property(document, fc.array(fc.nat(5_000), { maxLength: 4 }), (text, starts) => {
      const pageStarts = [0, ...starts.filter((at) => at < text.length).sort((a, b) => a - b)]
      const chunks = chunksOf({ text, pageStarts })
      expect(chunks.map((chunk) => chunk.text).join("")).toBe(text)
      for (const chunk of chunks) {
        expect(chunk.text.length).toBeGreaterThan(0)
        expect(chunk.text.length).toBeLessThanOrEqual(1_200)
        expect(text.startsWith(chunk.text, chunk.start)).toBe(true)
        expect(text.slice(0, chunk.start).split("\n")).toHaveLength(chunk.line)
        expect(pageStarts.filter((at) => at <= chunk.start)).toHaveLength(chunk.page ?? 0)
      }
    }),
    { numRuns: 60 },
  )
})
