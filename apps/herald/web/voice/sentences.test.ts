import { expect, test } from "vitest"
import { spokenPieces } from "./sentences.ts"

test("what is said is the text: no marks, no code, no addresses, no rules of tables", () => {
  const markdown = [
    "# A heading",
    "",
    "Some **bold** and `inline` words, [a link](https://example.org/x) and https://example.org/y.",
    "",
    "```ts",
    "const secret = 1",
    "```",
    "",
    "| One | Two |",
    "| --- | ---: |",
    "| a | b |",
    "",
    "- first",
    "1. second",
  ].join("\n")
  const said = spokenPieces(markdown).join(" ")
  expect(said.replace(/\s+/g, " ")).toBe(
    "A heading Some bold and inline words, a link and One Two a b first second",
  )
  expect(spokenPieces("```\nonly code\n```\n")).toEqual([])
  expect(spokenPieces("```\nnever closed")).toEqual([])
})

test("a long answer comes in pieces that end with a sentence, the first one short", () => {
  const pieces = spokenPieces("This is one sentence of the answer. ".repeat(200))
  expect(pieces.length).toBeGreaterThan(3)
  expect(pieces[0]?.length).toBeLessThanOrEqual(300)
  for (const piece of pieces) {
    expect(piece.length).toBeLessThanOrEqual(1_500)
    expect(piece.endsWith("answer.")).toBe(true)
  }
  expect(spokenPieces("😀".repeat(2_000)).join("")).toBe("😀".repeat(2_000))
})
