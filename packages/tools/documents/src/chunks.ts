/** A piece of a document that is found and cited by itself. */
export interface Chunk {
  readonly text: string
  /** Where it begins in the document, in UTF-16 code units. */
  readonly start: number
  /** The line of the document it begins in, from 1. */
  readonly line: number
  /** The page it is on, from 1, where the document has pages. */
  readonly page?: number
  /** The headings above it, outermost first: "Guide > Installing". */
  readonly heading?: string
}

/** Text with the places where its pages begin, in UTF-16 code units; none for what has no pages. */
export interface Paged {
  readonly text: string
  readonly pageStarts?: readonly number[]
}

/** Longest piece, in UTF-16 code units: some 200 words, what a search result can show whole. */
const MAX_CHUNK = 1_200
/** A heading or a page begins a new piece when the one before has so much already. */
const MIN_CHUNK = 200
/** A heading with more above it says no more. */
const MAX_HEADING = 200

/**
 * The document in pieces that make up all of it: put together they are its text. A piece ends before a heading, else
 * after a paragraph, a line, a sentence, a word, whichever is to be had; it never goes over the end of a page.
 */
export function chunksOf({ text, pageStarts = [] }: Paged): readonly Chunk[] {
  const headings = headingsOf(text)
  const chunks: Chunk[] = []
  let line = 1
  let page = 0
  let trail: Trail = []
  let nextHeading = 0
  for (let start = 0; start < text.length; ) {
    while ((pageStarts[page] ?? text.length) <= start) page++
    const pageEnd = Math.min(pageStarts[page] ?? text.length, text.length)
    const end = endOf(text, start, pageEnd, headings, nextHeading)
    // A heading at the very beginning of a piece is above the piece; the others are above what follows.
    for (let at = headings[nextHeading]; at && at.start <= start; at = headings[nextHeading]) {
      trail = below(trail, at)
      nextHeading++
    }
    const piece = text.slice(start, end)
    const heading = trail.map(({ title }) => title).join(" > ")
    chunks.push({
      text: piece,
      start,
      line,
      ...(page > 0 && { page }),
      ...(heading && { heading: heading.slice(0, MAX_HEADING).toWellFormed() }),
    })
    for (let at = headings[nextHeading]; at && at.start < end; at = headings[nextHeading]) {
      trail = below(trail, at)
      nextHeading++
    }
    line += newlines(piece)
    start = end
  }
  return chunks
}

interface Heading {
  readonly start: number
  readonly level: number
  readonly title: string
}

type Trail = readonly Heading[]

/** The headings above the text that follows a heading. */
const below = (trail: Trail, heading: Heading): Trail => [
  ...trail.filter(({ level }) => level < heading.level),
  heading,
]

/** Markdown's headings with "#", those in code fences excepted. */
function headingsOf(text: string): readonly Heading[] {
  const headings: Heading[] = []
  let fence: string | undefined
  for (const { 0: line, 1: mark = "", 2: level = "", 3: title = "", index } of text.matchAll(
    /^ {0,3}(?:(`{3,}|~{3,})[^\n]*|(#{1,6})[ \t]+([^\n]+))$/gm,
  )) {
    if (fence !== undefined) {
      if (mark.startsWith(fence) && line.trim() === mark) fence = undefined
    } else if (mark !== "") fence = mark
    else
      headings.push({ start: index, level: level.length, title: title.replace(/[ \t]+#*[ \t]*$/, "").trim() })
  }
  return headings
}

/** Where the piece from `start` on ends. */
function endOf(
  text: string,
  start: number,
  pageEnd: number,
  headings: readonly Heading[],
  nextHeading: number,
): number {
  const most = Math.min(start + MAX_CHUNK, pageEnd)
  for (let index = nextHeading; ; index++) {
    const at = headings[index]?.start ?? Number.POSITIVE_INFINITY
    if (at > most) break
    if (at >= start + MIN_CHUNK) return at
  }
  if (most === pageEnd) return pageEnd
  const half = start + (MAX_CHUNK >> 1)
  return (
    lastEnd(text, /\n[ \t]*\n\s*/g, half, most) ??
    lastEnd(text, /\n/g, half, most) ??
    lastEnd(text, /[.!?…]["')\]]*\s+|[。！？]/g, half, most) ??
    lastEnd(text, /\s+/g, half, most) ??
    (isSplitPair(text, most) ? most - 1 : most)
  )
}

/** The end of the last match between two places, the second included. */
function lastEnd(text: string, pattern: RegExp, from: number, to: number): number | undefined {
  let end: number | undefined
  for (const match of text.slice(from, to).matchAll(pattern)) end = from + match.index + match[0].length
  return end
}

/** True when a cut here would go through a character. */
const isSplitPair = (text: string, at: number): boolean => (text.codePointAt(at - 1) ?? 0) > 0xffff

/** How many lines end in the text. */
export function newlines(text: string): number {
  let count = 0
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) count++
  return count
}
