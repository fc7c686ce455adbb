import { codePoints } from "@orra/core"

/** Block quotes and list items that a line stands in. Deeper ones are flattened, or each line would be all prefix. */
const MAX_CONTAINERS = 8
/** A link around more text than this is an anchor that was never closed. */
const MAX_LINK_TEXT = 500

type Container =
  | { readonly type: "quote" }
  | { readonly type: "item"; readonly marker: string; used: boolean }

/** Emphasis or a link around text. `open` once its mark is written. */
interface Inline {
  readonly mark: string
  readonly close: string
  open: boolean
}

/**
 * Writes Markdown from left to right: nothing written is looked at again, so the cost is that of the text. Marks
 * and breaks are held back until there is text for them, so empty elements leave nothing behind.
 *
 * Keeps the first `limit` characters (code points) and counts the rest.
 */
export class MarkdownWriter {
  readonly #limit: number
  readonly #parts: string[] = []
  #kept = 0
  #total = 0

  readonly #containers: Container[] = []
  /** For each container that was started, whether it is one of those, or was flattened. */
  readonly #started: boolean[] = []
  readonly #inlines: Inline[] = []
  #linkText = 0
  /** The break that was a space inside the link. */
  #afterLink = 0

  #breaks = 0
  #space = false
  #lineStart = true
  #linePrefix = ""
  /** The fewest containers since the last text: what a blank line still stands in. */
  #shallowest = 0
  /** Inside a heading, a cell or a link a break is a space. */
  #oneLine = 0

  #cells = 0
  /** Bars between cells that wait for the text after them. */
  #bars = 0
  #rowText = false

  constructor(limit: number) {
    this.#limit = limit
  }

  /** What was kept. May be longer than `limit` by a piece. */
  get text(): string {
    return this.#parts.join("")
  }

  /** Code points written, kept or not. */
  get total(): number {
    return this.#total
  }

  /** Ends the line (1), or the paragraph (2). */
  break(lines: 1 | 2): void {
    if (this.#linkText > MAX_LINK_TEXT) this.closeLink()
    const inLink = this.#linkText > 0
    if (inLink && this.#oneLine === 0) this.#afterLink = Math.max(this.#afterLink, lines)
    if (this.#oneLine > 0 || inLink) this.#space = true
    else this.#breaks = Math.max(this.#breaks, lines)
  }

  /** Text of the page: white space collapses, and what Markdown would take for a mark is escaped. */
  words(text: string): void {
    const words = text.split(/[ \t\n\f\r\u00A0]+/)
    for (const [index, word] of words.entries()) {
      if (index > 0) this.#space = true
      if (word !== "") this.#put(escaped(word, this.#atLineStart(), this.#cells > 0))
    }
  }

  /** Text of ours: as it is. */
  raw(text: string): void {
    if (text !== "") this.#put(text)
  }

  /** Code within a line. */
  code(text: string): void {
    const code = text.replace(/\s+/g, " ").trim()
    if (code === "") return
    const mark = fence(code, 1)
    const pad = code.startsWith("`") || code.endsWith("`") ? " " : ""
    this.#put(`${mark}${pad}${code}${pad}${mark}`)
  }

  /** Lines of code, each in the containers that are open; within a line of text, they are one line too. */
  codeBlock(text: string, language: string): void {
    this.closeLink()
    const code = text.replace(/^\n|\s+$/g, "")
    if (this.#oneLine > 0 || code === "") {
      this.code(code)
      return
    }
    const mark = fence(code, 3)
    this.break(2)
    for (const line of [`${mark}${language}`, ...code.split("\n"), mark]) {
      this.#put(line, true)
      this.#breaks = 1
    }
    this.break(2)
  }

  /** A row of a table, as GitHub writes them: cells with bars between. */
  startRow(): void {
    this.break(1)
    this.#cells = 0
    this.#bars = 0
    this.#rowText = false
  }

  startCell(): void {
    this.closeLink()
    this.#shut(0)
    if (this.#cells++ > 0) this.#bars++
    this.#oneLine++
  }

  endCell(): void {
    this.#oneLine = Math.max(0, this.#oneLine - 1)
  }

  /** The number of cells, or 0 when none had text and nothing was written. */
  endRow(): number {
    this.closeLink()
    this.#shut(0)
    const cells = this.#rowText ? this.#cells : 0
    if (cells > 0 && this.#bars > 0) this.#append(" |".repeat(this.#bars))
    this.leaveRow()
    this.break(1)
    return cells
  }

  /** The row turns out to be layout, not data: no bars any more. */
  leaveRow(): void {
    this.#cells = 0
    this.#bars = 0
  }

  /** A mark at the start of the next line with text in it, such as "# ". What follows is one line. */
  startLine(prefix: string): void {
    this.break(2)
    if (this.#oneLine++ === 0) this.#linePrefix = prefix
  }

  endLine(): void {
    this.#oneLine = Math.max(0, this.#oneLine - 1)
    this.#linePrefix = ""
    this.break(2)
  }

  startQuote(): void {
    this.#startContainer({ type: "quote" })
  }

  startItem(marker: string): void {
    this.#startContainer({ type: "item", marker, used: false })
  }

  endContainer(): void {
    if (this.#started.pop()) this.#containers.pop()
    this.#shallowest = Math.min(this.#shallowest, this.#containers.length)
  }

  /** Emphasis: the same mark inside itself means nothing. */
  startInline(mark: string): boolean {
    if (this.#inlines.some((inline) => inline.mark === mark)) return false
    this.#inlines.push({ mark, close: mark, open: false })
    return true
  }

  endInline(mark: string): void {
    this.#remove((inline) => inline.mark === mark)
  }

  /** A link; one that is open ends here. */
  startLink(url: string): void {
    this.closeLink()
    this.#inlines.push({ mark: "[", close: `](${url})`, open: false })
  }

  closeLink(): void {
    this.#remove((inline) => inline.mark === "[")
    this.#linkText = 0
    this.#breaks = Math.max(this.#breaks, this.#afterLink)
    this.#afterLink = 0
  }

  #startContainer(container: Container): void {
    const fits = this.#containers.length < MAX_CONTAINERS && this.#oneLine === 0
    this.#started.push(fits)
    if (fits) this.#containers.push(container)
  }

  #atLineStart(): boolean {
    return (this.#lineStart || this.#breaks > 0) && this.#linePrefix === ""
  }

  /** Ends an inline, and those opened inside it for as long as it takes. At most one of each mark: four. */
  #remove(which: (inline: Inline) => boolean): void {
    const index = this.#inlines.findIndex(which)
    if (index === -1) return
    this.#shut(index)
    this.#inlines.splice(index, 1)
  }

  #shut(from: number): void {
    for (const inline of this.#inlines.slice(from).reverse()) {
      if (inline.open) this.#append(inline.close)
      inline.open = false
    }
  }

  #put(text: string, bare = false): void {
    if (this.#breaks > 0) this.#newLine()
    if (this.#bars > 0) this.#bar()
    else if (this.#space && !this.#lineStart) this.#append(" ")
    if (this.#lineStart) this.#append(this.#prefix())
    this.#space = false
    this.#lineStart = false
    this.#rowText = true
    if (!bare) {
      for (const inline of this.#inlines) {
        if (!inline.open) this.#append(inline.mark)
        inline.open = true
        if (inline.mark === "[") this.#linkText += text.length
      }
    }
    this.#append(text)
  }

  /** A row whose first cells are empty starts with a bar, which is what tells that they are there. */
  #bar(): void {
    const before = this.#rowText ? " " : "| "
    if (this.#lineStart) this.#append(this.#prefix())
    this.#append(`${before}${"| ".repeat(this.#bars)}`)
    this.#bars = 0
    this.#lineStart = false
  }

  #newLine(): void {
    this.#shut(0)
    // The first line of all needs no break before it.
    if (this.#total > 0) {
      this.#append("\n")
      if (this.#breaks > 1) this.#append(`${this.#blankPrefix()}\n`)
      this.#lineStart = true
    }
    this.#breaks = 0
    this.#shallowest = this.#containers.length
  }

  #prefix(): string {
    let prefix = ""
    for (const container of this.#containers) {
      if (container.type === "quote") prefix += "> "
      else if (container.used) prefix += " ".repeat(container.marker.length)
      else {
        prefix += container.marker
        container.used = true
      }
    }
    const mark = this.#linePrefix
    this.#linePrefix = ""
    return prefix + mark
  }

  #blankPrefix(): string {
    return this.#containers
      .slice(0, this.#shallowest)
      .map((container) => (container.type === "quote" ? "> " : " ".repeat(container.marker.length)))
      .join("")
      .trimEnd()
  }

  #append(text: string): void {
    const count = codePoints(text)
    this.#total += count
    if (this.#kept >= this.#limit) return
    this.#parts.push(text)
    this.#kept += count
  }
}

/** Backslashes where a word would otherwise become a mark. */
function escaped(word: string, atLineStart: boolean, inRow: boolean): string {
  let text = /[\\`*[\]<_]/.test(word)
    ? word.replace(/[\\`*[\]<]|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu, "\\$&")
    : word
  if (inRow) text = text.replaceAll("|", "\\|")
  if (!atLineStart) return text
  const numbered = /^\d{1,9}(?=[.)]$)/.exec(text)?.[0]
  if (numbered) return `${numbered}\\${text.slice(numbered.length)}`
  return /^(?:#{1,6}$|\+$|-+$|=+$|~{3}|>)/.test(text) ? `\\${text}` : text
}

/** Backticks, one more than the longest run in the code. */
function fence(code: string, least: number): string {
  let longest = least - 1
  for (const [run] of code.matchAll(/`+/g)) longest = Math.max(longest, run.length)
  return "`".repeat(longest + 1)
}
