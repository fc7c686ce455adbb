/** Text as it is compared: without case, accents and forms of the same letter. */
export const fold = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  /^[\x00-\x7f]*$/.test(text) ? text.toLowerCase() : foldAny(text)

const foldAny = (text: string): string =>
  text
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .toLowerCase()
    .replaceAll("ς", "σ")

/** The words of a question, all of which a text must hold; what stands in quotes is one. */
export const wordsOf = (query: string): readonly string[] => [
  ...new Set(
    Array.from(fold(query).matchAll(/"([^"]+)"|\S+/g), ([word, quoted]) => quoted ?? word)
      .map((word) => word.trim())
      .filter((word) => word !== ""),
  ),
]

export interface Snippet {
  readonly before: string
  readonly match: string
  readonly after: string
}

/** Code points shown around what was found. */
const BEFORE = 40
const AFTER = 120

/** The place of a text where the first of the words stands, in one line. */
export function snippetOf(text: string, words: readonly string[]): Snippet {
  const points = Array.from(text)
  let folded = ""
  // Which code point each unit of the folded text is from.
  const from: number[] = []
  for (const [index, point] of points.entries()) {
    const piece = fold(point)
    folded += piece
    for (let unit = 0; unit < piece.length; unit++) from.push(index)
  }
  const [at, word] = words
    .map((one) => [folded.indexOf(one), one] as const)
    .filter(([found]) => found >= 0)
    .sort(([a], [b]) => a - b)[0] ?? [0, ""]
  const start = from[at] ?? 0
  const end = word === "" ? start : (from[at + word.length - 1] ?? start) + 1
  const line = (a: number, b: number): string => points.slice(a, b).join("").replace(/\s+/g, " ")
  return {
    before: `${start > BEFORE ? "…" : ""}${line(Math.max(0, start - BEFORE), start)}`.trimStart(),
    match: line(start, end),
    after: `${line(end, end + AFTER)}${points.length > end + AFTER ? "…" : ""}`.trimEnd(),
  }
}
