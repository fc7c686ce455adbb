import { DomHandler, Parser } from "htmlparser2"
import { BLOCK, DROPPED, ENDED_BY_NEXT, KEPT, LAYOUT, SPACED, TABLE_PARTS, VOID } from "./html-elements.ts"

/** Elements inside one another; browsers have such a limit as well. Of what is nested deeper there is the text. */
const MAX_DEPTH = 512
/** Of those that are kept. Deeper ones are no more than lines. */
const MAX_KEPT_DEPTH = 24
/** Quotes and items inside one another: each line begins with the marks of all. */
const MAX_CONTAINERS = 8
/** Elements that are kept. Of what comes after them there is the text. */
const MAX_ELEMENTS = 100_000

/**
 * The outline of a page: a document with no more kinds of elements, and no deeper, than Markdown can say. Of what has
 * no meaning in it, such as divisions, stays the break at either end: `<br>`, and `<br class="gap">` where a paragraph
 * ends. Of scripts, styles, comments, templates and hidden elements there is nothing.
 *
 * What writes the Markdown looks at each text once for every element around it: so few elements keep that linear.
 */
export function outlineOf(html: string): Outline["root"] {
  const outline = new Outline()
  new ShallowParser(html, outline).end(html)
  return outline.root
}

/** htmlparser2 looks through all that is open at every tag: here that is never much. */
class ShallowParser extends Parser {
  readonly #html: string
  readonly #outline: Outline

  constructor(html: string, outline: Outline) {
    super(outline)
    this.#html = html
    this.#outline = outline
  }

  override onopentagname(start: number, end: number): void {
    const name = this.#name(start, end)
    if (this.#outline.endsAtNext(name)) super.onclosetag(start, end)
    if (VOID.has(name) || this.#outline.hasRoomFor(name)) super.onopentagname(start, end)
  }

  override onclosetag(start: number, end: number): void {
    if (this.#outline.reaches(this.#name(start, end))) super.onclosetag(start, end)
  }

  #name(start: number, end: number): string {
    return this.#html.slice(start, end).toLowerCase()
  }
}

type Attributes = Readonly<Record<string, string>>
/** What becomes of an element: it is kept, its ends are breaks, or there is only what is in it. */
type Part = "kept" | "gap" | "line" | "nothing"

class Outline extends DomHandler {
  /** What is open, and what became of it. */
  readonly #names: string[] = []
  readonly #parts: Part[] = []
  /** The place of the element that hides what is in it. */
  #hiddenFrom = Number.POSITIVE_INFINITY
  #elements = 0
  #containers = 0
  /** The break after which there is no text yet. */
  #break: Part = "nothing"

  constructor() {
    super()
    // cheerio compares what stands at the top with each other.
    super.onopentag("main", {})
  }

  /** Whether an element of this name is open that ends where another one begins. */
  endsAtNext(name: string): boolean {
    const walls = ENDED_BY_NEXT.get(name)
    if (!walls) return false
    const place = this.#names.lastIndexOf(name)
    return place >= 0 && walls.every((wall) => this.#names.lastIndexOf(wall) < place)
  }

  hasRoomFor(name: string): boolean {
    return this.#names.length < MAX_DEPTH || (DROPPED.has(name) && this.#isShown)
  }

  /** Whether the end tag ends something. It does not reach out of the cell of a table. */
  reaches(name: string): boolean {
    if (TABLE_PARTS.has(name)) return true
    const cell = Math.max(this.#names.lastIndexOf("td"), this.#names.lastIndexOf("th"))
    return cell < 0 || this.#names.lastIndexOf(name) > cell
  }

  override onopentag(name: string, attributes: Attributes): void {
    const place = this.#names.length
    const isHidden = DROPPED.has(name) || hides(name, attributes) || (name === "title" && this.#isIn(CODE))
    if (this.#isShown && isHidden) this.#hiddenFrom = place
    this.#names.push(name)
    this.#parts.push(this.#isShown ? this.#begin(name, attributes) : "nothing")
  }

  override onclosetag(): void {
    const name = this.#names.pop() ?? ""
    const part = this.#parts.pop()
    if (this.#names.length <= this.#hiddenFrom) this.#hiddenFrom = Number.POSITIVE_INFINITY
    if (part === "gap" || part === "line") this.#addBreak(part)
    if (part !== "kept") return
    if (CONTAINERS.has(name)) this.#containers--
    super.onclosetag()
  }

  override ontext(text: string): void {
    if (!this.#isShown) return
    const words = this.#isIn(PRE) ? text : text.replace(/\s+/g, " ")
    if (words !== " ") this.#break = "nothing"
    super.ontext(words)
  }

  override oncomment(): void {}
  override onprocessinginstruction(): void {}

  get #isShown(): boolean {
    return this.#names.length <= this.#hiddenFrom
  }

  /** Among what is kept and open. */
  #isIn(names: ReadonlySet<string>): boolean {
    return this.tagStack.some((element) => "name" in element && names.has(element.name))
  }

  #begin(name: string, attributes: Attributes): Part {
    if (this.#isIn(CODE)) return this.#beginInCode(name, attributes)
    if (SPACED.has(name)) this.#endHeading()
    if (LAYOUT.has(name)) this.#leaveTable()
    const kept = KEPT.get(name)
    if (kept && this.#keeps(kept, attributes)) {
      this.#elements++
      this.#break = "nothing"
      if (CONTAINERS.has(kept)) this.#containers++
      super.onopentag(kept, keptAttributes(attributes))
      return "kept"
    }
    const part = SPACED.has(name) ? "gap" : BLOCK.has(name) || name === "br" ? "line" : "nothing"
    if (part !== "nothing") this.#addBreak(part)
    return part
  }

  /** In code there is nothing but text. */
  #beginInCode(name: string, attributes: Attributes): Part {
    if (name === "br") this.ontext("\n")
    const code = this.tagStack.at(-1)
    if (code && "attribs" in code) code.attribs["class"] ??= attributes["class"] ?? ""
    return "nothing"
  }

  #keeps(kept: string, attributes: Attributes): boolean {
    if (this.#elements >= MAX_ELEMENTS || this.tagStack.length > MAX_KEPT_DEPTH) return false
    if (CONTAINERS.has(kept) || LISTS.has(kept)) return this.#containers < MAX_CONTAINERS
    if (kept === "img") return Boolean(attributes["alt"]?.trim())
    if (kept === "a") return attributes["href"] !== undefined && !this.#isIn(LINK)
    if (kept === "tr") return this.#parent === "table"
    if (kept === "td") return this.#parent === "tr"
    if (HEADINGS.has(kept)) return !this.#isIn(HEADINGS)
    return !MARKS.has(kept) || !this.#isIn(new Set([kept]))
  }

  get #parent(): string {
    const element = this.tagStack.at(-1)
    return element && "name" in element ? element.name : ""
  }

  /** A heading without its end tag ends at the next paragraph, or it would be the whole page. */
  #endHeading(): void {
    if (!HEADINGS.has(this.#parent)) return
    this.#parts[this.#parts.lastIndexOf("kept")] = "nothing"
    super.onclosetag()
  }

  /** The table that is open is there for its layout. */
  #leaveTable(): void {
    const table = this.tagStack.findLast((element) => "name" in element && element.name === "table")
    if (table && "attribs" in table) table.attribs["class"] = "layout"
  }

  #addBreak(part: "gap" | "line"): void {
    if (this.#break === part || this.#break === "gap") return
    if (this.#elements++ >= MAX_ELEMENTS) {
      super.ontext(" ")
      return
    }
    super.onopentag("br", part === "gap" ? { class: "gap" } : {})
    super.onclosetag()
    this.#break = part
  }
}

const set = (names: string): ReadonlySet<string> => new Set(names.split(" "))

const CODE = set("pre code")
const PRE = set("pre")
const LINK = set("a")
const LISTS = set("ul ol")
const CONTAINERS = set("li blockquote")
const MARKS = set("strong em del")
const HEADINGS = set("h1 h2 h3 h4 h5 h6")

function hides(name: string, attributes: Attributes): boolean {
  if (attributes["hidden"] !== undefined || (name === "dialog" && attributes["open"] === undefined))
    return true
  const style = attributes["style"]
  return style !== undefined && /(?:^|[;\s])(?:display\s*:\s*none|visibility\s*:\s*hidden)/i.test(style)
}

/** Of the attributes, those that are read. */
function keptAttributes({ href, alt, start, class: classes }: Attributes): Record<string, string> {
  const entries = Object.entries({ href, alt, start, class: classes })
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => entry[1] !== undefined))
}
