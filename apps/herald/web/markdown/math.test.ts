import type { Token } from "marked"
import { describe, expect, test } from "vitest"
import { blocksOf, growingBlocks } from "./blocks.ts"
import type { MathToken } from "./math-tokens.ts"
import { type MathElement, typeset } from "./typeset.ts"

const flat = (tokens: readonly Token[]): readonly Token[] =>
  tokens.flatMap((token) => [
    token,
    ...flat("tokens" in token ? (token.tokens ?? []) : []),
    ...("items" in token ? flat(token.items) : []),
  ])
const formulas = (tokens: readonly Token[]) =>
  flat(tokens)
    .filter(({ type }) => type === "math")
    .map((token) => (token as MathToken).tex)
const inWhole = (text: string) => formulas(blocksOf(text).map(({ token }) => token))
const inGrowing = (text: string) => formulas(growingBlocks()(text).map(({ token }) => token))

test.each([
  ["in a line", "So $a_1 * b$ and \\(c*d*e\\), **$x$** too", ["a_1 * b", "c*d*e", "x"]],
  ["of its own", "By this:\n$$\n- a\n+ b\n$$\nand\n\n\\[ x \\\\[2pt] y \\]", ["- a\n+ b", "x \\\\[2pt] y"]],
  ["in a list", "- one $x$\n- two\n  $$\n  y\n  $$\n", ["x", "y"]],
  ["display within a line", "So $$x$$ it is", ["x"]],
])("formulas %s", (_, text, expected) => {
  expect(inWhole(text)).toEqual(expected)
})

test.each([
  "It costs $5 and $10.",
  "From $5/$10 to US$7 or A$8",
  "$HOME/$USER and $PATH",
  "$ 5 $",
  "escaped \\$x\\$",
  "`$x$` and ``\\(y\\)``",
  "```\n$$\nx\n$$\n```",
  "    $$x$$",
  "$a `b$ c`",
  "\\(never closed",
  "$$\nnever closed\n\nmore",
  "\\[escaped\\](https://example.org)",
  "$$$ and more",
])("no formula: %j", (text) => {
  expect(inWhole(text)).toEqual([])
})

const DOCUMENT =
  "So **$a_1 *b$** and \\([0, <b)\\).\n\n$$\n- a_1\n* b[0] < _c\n$$\n\nThe _end_ is \\[ x * y \\] it."

test("while it is written, a formula is its source, and nothing in it is taken for a mark", () => {
  expect(inGrowing("So \\(a_1 *b")).toEqual([undefined])
  expect(inGrowing("$$\n- a\n* b_")).toEqual([undefined])
  expect(growingBlocks()("$$\n- a\n* b_").map(({ raw }) => raw)).toEqual(["$$\n- a\n* b_"])
  expect(inGrowing("It costs $5 and **so")).toEqual([])
  const grow = growingBlocks()
  for (let end = 1; end <= DOCUMENT.length; end++) {
    const shown = grow(DOCUMENT.slice(0, end))
    expect(shown.every(({ token }) => token.type === "paragraph" || token.type === "math")).toBe(true)
  }
  expect(formulas(grow(DOCUMENT).map(({ token }) => token))).toEqual(inWhole(DOCUMENT))
})

const tags = (element: MathElement): readonly string[] => [
  element.tag,
  ...element.children.flatMap((child) => (typeof child === "string" ? [] : tags(child))),
]
const attributes = (element: MathElement): readonly string[] => [
  ...Object.keys(element.attributes),
  ...element.children.flatMap((child) => (typeof child === "string" ? [] : attributes(child))),
]

describe("setting", () => {
  test("gives MathML with the source as a note", () => {
    const math = typeset("\\frac{a}{b} < c", true)
    expect(math?.attributes).toEqual({ display: "block" })
    expect(math && tags(math)).toContain("mfrac")
    expect(JSON.stringify(math)).toContain('"\\\\frac{a}{b} < c"')
  })

  test("knows what answers use", () => {
    for (const tex of [
      "\\begin{pmatrix} 1 & 0 \\\\ 0 & 1 \\end{pmatrix}",
      "\\begin{aligned} a &= b \\\\ &= c \\end{aligned}",
      "f(x) = \\begin{cases} 1 & x > 0 \\\\ 0 & \\text{else} \\end{cases}",
      "\\sum_{i=1}^n i \\pmod{p} \\iff \\int_0^\\infty e^{-x}\\,dx \\tag{1}",
      "\\boxed{E = mc^2} \\cancel{x} \\xrightarrow{f} \\color{red} y",
    ]) {
      const math = typeset(tex, true)
      expect(math, tex).toBeDefined()
      expect(math && attributes(math), tex).not.toContain("style")
    }
  })

  test.each([
    ["an error", "\\frac{a"],
    ["an unknown command", "\\nosuchthing"],
    ["a macro that grows", "\\def\\a{\\a\\a}\\a"],
    ["a macro by another name", "\\newcommand{\\a}{x}\\a"],
    ["a macro after a new line", "a\\\\\\def\\a{x}\\a"],
    ["nesting", "{".repeat(2_000) + "}".repeat(2_000)],
    ["nesting without braces", `${"\\sqrt".repeat(900)} x`],
    ["nesting by \\left", "\\left(".repeat(400) + "\\right)".repeat(400)],
    ["length", "x+".repeat(3_000)],
  ])("refuses %s", (_, tex) => {
    expect(typeset(tex, false)).toBeUndefined()
  })

  test("makes no links, pictures, ids or handlers, and reaches over nothing", () => {
    for (const tex of [
      "\\href{javascript:alert(1)}{x}",
      "\\url{javascript:alert(1)}",
      "\\includegraphics{https://evil.example/a.png}",
      "\\htmlId{root}{x}",
      "\\htmlStyle{position: fixed}{x}",
      "\\kern-100em x \\raisebox{-100em}{x}",
      '\\text{<img src=x onerror="a"> " onclick="b}',
    ]) {
      const math = typeset(tex, false)
      if (!math) continue
      expect(attributes(math).join(" "), tex).not.toMatch(/\b(?:href|src|id|style|class|on\w+)\b/)
      expect(tags(math), tex).not.toContain("img")
      expect(JSON.stringify(math)).not.toContain('"-100')
    }
  })
})
