import { firstCodePoints, visibleText } from "@orra/core"
import { BLOCK, CODE, DROPPED, IMPLIED_END, LAYOUT, MARKS, SCOPE, SPACED, VOID } from "./html-elements.ts"
import { type HtmlHandler, readHtml } from "./html-tokens.ts"
import { MarkdownWriter } from "./markdown-writer.ts"

/** A page as Markdown. */
export interface MarkdownPage {
  /** On one line, at most 200 characters; empty when the page has none. */
  readonly title: string
  /** At least the first `limit` characters, if there are as many. */
  readonly markdown: string
  /** Characters (code points) of the whole page as Markdown. */
  readonly total: number
}

const ATTRIBUTES: ReadonlySet<string> = new Set(["alt", "class", "hidden", "href", "open", "start", "style"])
/** Every relative link is written with the base in front: a long one would make much of little. */
const MAX_BASE = 1_000
const MAX_LINK = 2_000

/**
 * Turns a page into Markdown: headings, lists, tables, code, emphasis, links made absolute, images as their
 * descriptions. Scripts, styles, comments, templates and hidden elements leave nothing behind.
 *
 * One pass, no recursion: time and memory are linear in the page, however it is nested.
 *
 * ```ts
 * const { markdown } = await htmlToMarkdown("<h1>Hi</h1><a href=/x>there</a>", { baseUrl: new URL("https://a.example/") })
 * // # Hi
 * //
 * // [there](https://a.example/x)
 * ```
 *
 * @param options.limit Characters to keep. Default: all.
 */
export async function htmlToMarkdown(
  html: string,
  options: { readonly baseUrl: URL; readonly limit?: number },
): Promise<MarkdownPage> {
  const writer = new MarkdownWriter(options.limit ?? Number.POSITIVE_INFINITY)
  const page = new Page(writer, options.baseUrl)
  await readHtml(visibleText(html), ATTRIBUTES, page)
  page.end()
  return { title: page.title, markdown: writer.text, total: writer.total }
}

/** An element that is open, and what its end takes back. `ended` when that is done, though it is still open. */
interface Element {
  readonly name: string
  readonly end: (() => void) | undefined
  ended: boolean
}

interface Table {
  rows: number
  inCell: boolean
  layout: boolean
}

class Page implements HtmlHandler {
  readonly #writer: MarkdownWriter
  #base: URL | undefined
  #hasBase = false
  #title: string | undefined

  readonly #stack: Element[] = []
  /** Where in the stack the open elements of a name are, so that no tag needs a search. */
  readonly #places = new Map<string, number[]>()
  /** Where block elements are: an inline end tag does not reach out of them. */
  readonly #blocks: number[] = []
  readonly #scopes: number[] = []
  /** The element that hides what is in it, by its place. */
  #hiddenFrom = Number.POSITIVE_INFINITY
  /** The place of the element whose text is collected, not written: title, pre, code. */
  #collecting: { readonly place: number; readonly parts: string[] } | undefined

  readonly #lists: { readonly ordered: boolean; next: number }[] = []
  readonly #tables: Table[] = []
  /** The place of the heading that is open. */
  #heading = -1
  /** Of the code block that is open. */
  #language = ""

  constructor(writer: MarkdownWriter, base: URL) {
    this.#writer = writer
    this.#base = base.href.length <= MAX_BASE ? base : undefined
  }

  get title(): string {
    return firstCodePoints(
      visibleText(this.#title ?? "")
        .replace(/\s+/g, " ")
        .trim(),
      200,
    )
  }

  end(): void {
    this.#popTo(0)
  }

  text(text: string): void {
    if (this.#stack.length > this.#hiddenFrom) return
    if (this.#collecting) this.#collecting.parts.push(text)
    else this.#writer.words(text)
  }

  open(name: string, attributes: ReadonlyMap<string, string>): void {
    if (VOID.has(name)) this.#void(name, attributes)
    else this.#openElement(name, attributes)
  }

  #openElement(name: string, attributes: ReadonlyMap<string, string>): void {
    this.#endImplied(name)
    const place = this.#stack.length
    const shown = place <= this.#hiddenFrom
    // A title is not part of the text, wherever it stands.
    const strayTitle = name === "title" && this.#collecting !== undefined
    if (shown && (strayTitle || DROPPED.has(name) || isHidden(name, attributes))) this.#hiddenFrom = place
    const visible = place < this.#hiddenFrom && !this.#collecting
    const language = this.#collecting && CODE.has(name) ? languageOf(attributes) : ""
    if (language) this.#language = language
    this.#push(name, visible ? this.#start(name, attributes, place) : undefined)
  }

  close(name: string): void {
    // What browsers do as well.
    if (name === "br") this.#void("br", new Map())
    const place = last(this.#places.get(name))
    if (place <= this.#wall(name)) return
    if (BLOCK.has(name) || DROPPED.has(name) || place > last(this.#blocks)) this.#popTo(place)
    else this.#endEarly(place)
  }

  /** The place that the end tag of an element does not reach beyond. */
  #wall(name: string): number {
    if (name === "table" || DROPPED.has(name)) return -1
    return TABLE_PARTS.has(name) ? last(this.#places.get("table")) : last(this.#scopes)
  }

  /** An inline element ends inside a block that began within it: the block goes on, the emphasis does not. */
  #endEarly(place: number): void {
    const element = this.#stack[place]
    if (!element) return
    this.#places.get(element.name)?.pop()
    element.ended = true
    element.end?.()
  }

  /** Begins an element that is seen. What it gives back ends it. */
  #start(name: string, attributes: ReadonlyMap<string, string>, place: number): (() => void) | undefined {
    const writer = this.#writer
    if (LAYOUT.has(name)) this.#leaveTable()
    if (SPACED.has(name)) this.#endHeading()
    this.#break(name)
    const heading = /^h([1-6])$/.exec(name)?.[1]
    if (heading) {
      this.#heading = place
      writer.startLine(`${"#".repeat(Number(heading))} `)
      return () => {
        this.#heading = -1
        writer.endLine()
      }
    }
    const mark = MARKS.get(name)
    if (mark) return writer.startInline(mark) ? () => writer.endInline(mark) : undefined
    if (CODE.has(name)) return this.#collect(place, (text) => writer.code(text))
    switch (name) {
      case "title":
        return this.#collect(place, (text) => {
          this.#title ??= text
        })
      case "pre":
      case "listing":
      case "xmp":
        this.#language = languageOf(attributes)
        return this.#collect(place, (text) => writer.codeBlock(text, this.#language))
      case "a":
        return this.#startLink(attributes.get("href"))
      case "blockquote":
        writer.startQuote()
        return () => writer.endContainer()
      case "ul":
      case "ol":
      case "menu":
      case "dir":
        this.#lists.push({
          ordered: name === "ol",
          next: Number.parseInt(attributes.get("start") ?? "1", 10) || 1,
        })
        return () => void this.#lists.pop()
      case "li":
        writer.startItem(this.#itemMarker())
        return () => writer.endContainer()
      case "q":
        writer.raw('"')
        return () => writer.raw('"')
      default:
        return this.#startTablePart(name)
    }
  }

  /** A heading without its end tag ends at the next paragraph, or it would be the whole page. */
  #endHeading(): void {
    const heading = this.#stack[this.#heading]
    if (!heading || this.#heading <= last(this.#scopes)) return
    heading.ended = true
    this.#places.get(heading.name)?.pop()
    heading.end?.()
  }

  /** The space around a block. Cells of data stand on one line, and lists in lists close to it. */
  #break(name: string): void {
    const cell = (name === "td" || name === "th") && this.#tables.at(-1)?.layout === false
    if (!BLOCK.has(name) || cell) return
    this.#writer.break(SPACED.has(name) && !(LISTS.has(name) && this.#lists.length > 0) ? 2 : 1)
  }

  #startLink(href: string | undefined): (() => void) | undefined {
    const url = this.#absolute(href)
    if (!url) return undefined
    this.#writer.startLink(url)
    return () => this.#writer.closeLink()
  }

  #startTablePart(name: string): (() => void) | undefined {
    const writer = this.#writer
    const table = this.#tables.at(-1)
    if (name === "table") {
      this.#tables.push({ rows: 0, inCell: false, layout: false })
      return () => void this.#tables.pop()
    }
    if (!table || table.layout) return undefined
    if (name === "tr") {
      writer.startRow()
      return () => this.#endRow(table)
    }
    if (name !== "td" && name !== "th") return undefined
    writer.startCell()
    table.inCell = true
    return () => {
      if (table.inCell) writer.endCell()
      table.inCell = false
    }
  }

  #endRow(table: Table): void {
    if (table.layout) return
    const cells = this.#writer.endRow()
    if (cells < 2 || table.rows++ > 0) return
    this.#writer.raw(Array.from({ length: cells }, () => "---").join(" | "))
    this.#writer.break(1)
  }

  /** The table that is open is there for layout: its cells are blocks like others. */
  #leaveTable(): void {
    const table = this.#tables.at(-1)
    if (!table || table.layout) return
    table.layout = true
    if (table.inCell) this.#writer.endCell()
    table.inCell = false
    this.#writer.leaveRow()
  }

  #itemMarker(): string {
    const list = this.#lists.at(-1)
    return list?.ordered ? `${list.next++}. ` : "- "
  }

  #void(name: string, attributes: ReadonlyMap<string, string>): void {
    if (name === "base" && !this.#hasBase) this.#setBase(attributes.get("href"))
    if (this.#stack.length > this.#hiddenFrom) return
    if (this.#collecting) {
      if (name === "br") this.#collecting.parts.push("\n")
      return
    }
    if (name === "br") this.#writer.break(1)
    else if (name === "hr") {
      this.#leaveTable()
      this.#writer.break(2)
      this.#writer.raw("---")
      this.#writer.break(2)
    } else if (name === "img" && !isHidden(name, attributes)) {
      const alt = attributes.get("alt")?.trim()
      if (alt) this.#writer.words(`(image: ${visibleText(alt)})`)
    }
  }

  #setBase(href: string | undefined): void {
    if (href === undefined) return
    this.#hasBase = true
    const url = this.#base ? URL.parse(href, this.#base.href) : null
    if (url && /^https?:$/.test(url.protocol)) this.#base = url.href.length <= MAX_BASE ? url : undefined
  }

  /** The link's address, or undefined when it leads nowhere a reader could go: a script, data, a mail. */
  #absolute(href: string | undefined): string | undefined {
    if (href === undefined || href.startsWith("#") || href.length > MAX_LINK || !this.#base) return undefined
    const url = URL.parse(href, this.#base.href)
    if (!url || !/^https?:$/.test(url.protocol) || url.username || url.password) return undefined
    return url.href.length > MAX_LINK ? undefined : url.href.replace(/[()<>\s]/g, percentEncoded)
  }

  #collect(place: number, done: (text: string) => void): () => void {
    const parts: string[] = []
    this.#collecting = { place, parts }
    return () => {
      this.#collecting = undefined
      done(parts.join(""))
    }
  }

  #endImplied(name: string): void {
    if (name === "a") this.#closeWithin("a", this.#blocks)
    if (BLOCK.has(name)) this.#closeWithin("p", this.#scopes)
    const rule = IMPLIED_END.get(name)
    if (!rule) return
    const wall = Math.max(...rule.within.map((outer) => last(this.#places.get(outer))))
    const places = rule.closes.map((open) => last(this.#places.get(open))).filter((place) => place > wall)
    if (places.length > 0) this.#popTo(Math.min(...places))
  }

  #closeWithin(name: string, walls: readonly number[]): void {
    const place = last(this.#places.get(name))
    if (place > last(walls)) this.#popTo(place)
  }

  #push(name: string, end: (() => void) | undefined): void {
    const place = this.#stack.length
    this.#stack.push({ name, end, ended: false })
    const places = this.#places.get(name)
    if (places) places.push(place)
    else this.#places.set(name, [place])
    if (BLOCK.has(name)) this.#blocks.push(place)
    if (SCOPE.has(name)) this.#scopes.push(place)
  }

  #popTo(place: number): void {
    while (this.#stack.length > place) {
      const element = this.#stack.pop()
      if (!element) return
      const { name } = element
      if (!element.ended) this.#places.get(name)?.pop()
      if (BLOCK.has(name)) this.#blocks.pop()
      if (SCOPE.has(name)) this.#scopes.pop()
      const visible = this.#stack.length < this.#hiddenFrom
      if (this.#stack.length <= this.#hiddenFrom) this.#hiddenFrom = Number.POSITIVE_INFINITY
      if (!element.ended) element.end?.()
      if (visible && !this.#collecting) this.#break(name)
    }
  }
}

const LISTS: ReadonlySet<string> = new Set(["ul", "ol", "menu", "dir"])
const TABLE_PARTS: ReadonlySet<string> = new Set(["td", "th", "tr", "tbody", "thead", "tfoot", "caption"])

const last = (places: readonly number[] | undefined): number => places?.at(-1) ?? -1

function isHidden(name: string, attributes: ReadonlyMap<string, string>): boolean {
  if (attributes.has("hidden") || (name === "dialog" && !attributes.has("open"))) return true
  const style = attributes.get("style")
  return style !== undefined && /(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*hidden)/i.test(style)
}

const languageOf = (attributes: ReadonlyMap<string, string>): string =>
  /(?:^|\s)lang(?:uage)?-([\w+#-]{1,30})(?:\s|$)/.exec(attributes.get("class") ?? "")?.[1] ?? ""

const percentEncoded = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`
