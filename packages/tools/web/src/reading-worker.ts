// The thread in which pages and documents of strangers are read. It imports nothing that is not its own.

import { parentPort, workerData } from "node:worker_threads"
import { toMarkdown } from "./html-to-markdown.ts"
import type { PageReading, PdfText, Reading, ReadingTask } from "./reading.ts"

/** A page with more elements is no article. */
const MAX_ELEMENTS = 100_000

async function reading(task: ReadingTask): Promise<Reading> {
  try {
    if (task.type === "pdf") return { type: "pdf", pdf: await textOf(task.bytes, task.maxCharacters) }
    const article = task.type === "article" ? await articleOf(task.html, task.url) : undefined
    return { type: "page", page: article ?? toMarkdown(task.html, task.url) }
  } catch (error) {
    return { type: "failed", reason: error instanceof Error ? error.message.slice(0, 200) : "unknown" }
  }
}

/** The article of a page; undefined when it has none that can be told apart. */
async function articleOf(html: string, url: string): Promise<PageReading | undefined> {
  const [{ Readability }, { parseHTML }] = await Promise.all([
    import("@mozilla/readability"),
    import("linkedom"),
  ])
  const { document } = parseHTML(html)
  for (const element of document.querySelectorAll("[class], [id]")) {
    if (SOLD.test(`${element.id} ${element.className}`) && textLength(element) < SHORT) element.remove()
  }
  // Links are made absolute by what writes the Markdown, which checks them as well.
  const found = new Readability(document as never, { maxElemsToParse: MAX_ELEMENTS }).parse()
  if (!found?.content) return undefined
  const { title, byline, publishedTime, content } = found
  const base = document.querySelector("base")?.getAttribute("href")
  const article = withoutMenus(parseHTML(`<html><body>${content}</body></html>`).document.body) ?? content
  const { markdown } = toMarkdown(article, (base && URL.parse(base, url)?.href) || url)
  return {
    title: title ?? "",
    markdown,
    article: { byline: byline ?? "", published: publishedTime ?? "" },
  }
}

/** Names of what is sold or asked for between the paragraphs. */
const SOLD =
  /(?:^|[\s_-])(?:ads?|adverts?|advertisements?|sponsored|promo|newsletter|cookies?|consent)(?:[\s_-]|$)/i
/** Whatever it is named, so much text is worth reading. */
const SHORT = 600
/** A paragraph is at least so long, where it is to tell where an article begins and ends. */
const PARAGRAPH = 140
/** This share of its text in links makes a list a menu. */
const MENU = 0.6

/** Without the lists of links before its first paragraph and after its last. */
function withoutMenus(body: Body): string | undefined {
  const blocks = [...body.querySelectorAll("p, ul, ol, div, td, pre, blockquote")]
  const isText = blocks.map(
    (block) => block.localName !== "ul" && block.localName !== "ol" && ownText(block) >= PARAGRAPH,
  )
  const [first, last] = [isText.indexOf(true), isText.lastIndexOf(true)]
  if (first < 0) return undefined
  for (const [index, block] of blocks.entries()) {
    const isList = block.localName === "ul" || block.localName === "ol"
    if (!isList || (index > first && index < last)) continue
    const linked = [...block.querySelectorAll("a")].reduce((sum, link) => sum + textLength(link), 0)
    if (linked > textLength(block) * MENU) block.remove()
  }
  return body.innerHTML
}

type Body = ReturnType<typeof import("linkedom").parseHTML>["document"]["body"]

/** Of the document, what is looked at here. */
interface DomNode {
  readonly localName?: string
  readonly textContent: string
  readonly childNodes: Iterable<DomNode>
}

const textLength = (element: DomNode): number => element.textContent.replace(/\s+/g, " ").trim().length

/** The length of the text that is in it and in no block within it. */
function ownText(element: DomNode): number {
  let length = 0
  for (const node of element.childNodes) {
    const isBlock = node.localName !== undefined && BLOCKS.has(node.localName)
    if (!isBlock) length += node.textContent.trim().length
  }
  return length
}

const BLOCKS: ReadonlySet<string> = new Set(
  "p ul ol div table tbody tr td th section article pre blockquote".split(" "),
)

async function textOf(bytes: Uint8Array, maxCharacters: number): Promise<PdfText> {
  const { getDocumentProxy } = await import("unpdf")
  const pdf = await getDocumentProxy(bytes, { verbosity: 0 })
  const texts: string[] = []
  let characters = 0
  while (texts.length < pdf.numPages && characters <= maxCharacters) {
    const page = await pdf.getPage(texts.length + 1)
    const { items } = await page.getTextContent()
    const lines = items.map((item) => ("str" in item ? `${item.str}${item.hasEOL ? "\n" : ""}` : ""))
    const text = lines.join("").trim()
    texts.push(text)
    characters += text.length
    page.cleanup()
  }
  const { info } = await pdf.getMetadata()
  const title = (info as { readonly Title?: unknown }).Title
  return { title: typeof title === "string" ? title : "", texts, pages: pdf.numPages }
}

parentPort?.postMessage(await reading(workerData as ReadingTask))
