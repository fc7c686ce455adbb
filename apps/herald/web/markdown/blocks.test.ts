import fc from "fast-check"
import { expect, test } from "vitest"
import { blocksOf, growingBlocks } from "./blocks.ts"

/** Pieces of which documents are made, whole and broken. */
const PIECES = [
  "# Heading\n\n",
  "A paragraph with **bold** and `code`.\n",
  "\n",
  "- item\n- item **two**\n",
  "  - nested\n",
  "1. one\n2. two\n\n",
  "```ts\nconst a = 1\n\n\nconst b = 2\n```\n",
  "```\nnever closed\n\n",
  "| a | b |\n| --- | --- |\n| 1 | 2 |\n",
  "> quote\n> more\n\n",
  "<details><summary>x</summary>\n\ntext\n\n</details>\n\n",
  "[link](https://example.org) ",
  "[a]: https://example.org\n",
  "---\n",
  "Title\n===\n",
  "two  \nlines\n\n",
]

test("a document read while it grew has, but for its last blocks, the blocks of the whole one", () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(...PIECES), { maxLength: 14 }),
      fc.integer({ min: 1, max: 17 }),
      (pieces, step) => {
        const text = pieces.join("")
        const grow = growingBlocks()
        let shown = grow("")
        for (let end = step; end <= text.length + step; end += step) shown = grow(text.slice(0, end))
        const grown = shown.map(({ raw }) => raw.trimEnd())
        const whole = blocksOf(text).map(({ raw }) => raw.trimEnd())
        expect(grown.slice(0, -2)).toEqual(whole.slice(0, Math.max(0, grown.length - 2)))
      },
    ),
    { numRuns: 300 },
  )
})

test("blocks that are finished keep their identity while the last one grows", () => {
  const grow = growingBlocks()
  const before = grow("one\n\ntwo\n\nthree\n\nfo")
  const after = grow("one\n\ntwo\n\nthree\n\nfour and mo")
  expect(after[0]).toBe(before[0])
  expect(after[1]).toBe(before[1])
  expect(after.at(-1)?.raw).toBe("four and mo")
})

test("a text that does not go on from the one before is read anew", () => {
  const grow = growingBlocks()
  grow("one\n\ntwo\n\nthree\n\nfour")
  expect(grow("# other").map(({ token }) => token.type)).toEqual(["heading"])
})
