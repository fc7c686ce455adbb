import { STATUS_CODES } from "node:http"
import { codePoints, informationFrom, truncated, visibleText } from "@orra/core"
import { type ContentKind, contentType, decodeText, kindOfBytes, kindOfType } from "./content.ts"
import { WebError } from "./errors.ts"
import type { ResponseHead } from "./exchange.ts"
import type { Page } from "./page-source.ts"
import { htmlToMarkdown, line, readArticle, readPdf } from "./reading.ts"

export const FROM_STRANGERS = informationFrom("the web, written by strangers")

/** What stands above a page's text, and the text. */
interface PageText {
  readonly title: string
  /** Further lines of the head, such as who wrote it. */
  readonly notes: readonly string[]
  readonly content: string
}

/** How a page is shown: all of it, or the article that it is there for. */
export type View = "page" | "article"

const PDF = "application/pdf"

/** A page for a model: where it is from, and at most `limit` characters of it. @throws WebError. */
export async function pageText(page: Page, view: View, limit: number, signal: AbortSignal): Promise<string> {
  const { title, notes, content } = await textOf(page, view, limit, signal)
  const head = line(title)
  return [
    FROM_STRANGERS,
    `URL: ${page.url.href}`,
    ...(head ? [`Title: ${head}`] : []),
    ...notes,
    ...(page.ageMs > 0 ? [`[Fetched ${Math.ceil(page.ageMs / 1_000)} s ago]`] : []),
    ...(page.complete
      ? []
      : [`[The page is larger than ${size(page.bytes.length)}: only its beginning was read]`]),
    "",
    content || "[The page has no text. It may need a browser to show any.]",
  ].join("\n")
}

async function textOf(page: Page, view: View, limit: number, signal: AbortSignal): Promise<PageText> {
  const { type, charset } = contentType(page.headers["content-type"])
  if (isPdf(type, page.bytes)) return await pdfText(page, limit, signal)
  const kind = kindOfType(type) ?? kindOfBytes(page.bytes)
  if (kind === "binary") throw notText(type)
  const text = decodeText(page.bytes, { kind, charset, complete: page.complete })
  if (kind !== "html") return { title: "", notes: [], content: shown(visibleText(text), limit) }
  if (view === "article") return await articleText(text, page.url, limit, signal)
  const { title, markdown, total } = await htmlToMarkdown(text, { baseUrl: page.url, limit, signal })
  return { title, notes: [], content: truncated(markdown, total, limit) }
}

const isPdf = (type: string, bytes: Uint8Array): boolean =>
  type === PDF ||
  (kindOfType(type) !== "html" && Buffer.from(bytes.subarray(0, 5)).toString("latin1") === "%PDF-")

async function articleText(html: string, url: URL, limit: number, signal: AbortSignal): Promise<PageText> {
  const { title, markdown, article } = await readArticle(html, url, signal)
  const content = shown(markdown, limit)
  if (!article) return { title, notes: ["[No article could be told apart: this is the whole page]"], content }
  const [byline, published] = [line(article.byline), line(article.published)]
  const notes = [...(byline ? [`By: ${byline}`] : []), ...(published ? [`Published: ${published}`] : [])]
  return { title, notes, content }
}

async function pdfText(page: Page, limit: number, signal: AbortSignal): Promise<PageText> {
  if (!page.complete) {
    throw new WebError(
      "content_unsupported",
      `The PDF is larger than ${size(page.bytes.length)}, more than is read. Try another source.`,
      { type: PDF },
    )
  }
  const { title, texts, pages } = await readPdf(page.bytes, { maxCharacters: limit, signal })
  const numbered = texts.map((text, index) => (text === "" ? "" : `[page ${index + 1}]\n${text}`))
  const visible = visibleText(numbered.filter(Boolean).join("\n\n"))
  const left = pages - texts.length
  const more = left > 0 ? ["", `[${left} more pages are not shown]`] : []
  return {
    title,
    notes: [`PDF, ${pages} ${pages === 1 ? "page" : "pages"}`],
    content: visible
      ? [shown(visible, limit), ...more].join("\n")
      : "[The PDF has no text: its pages may be pictures.]",
  }
}

const shown = (text: string, limit: number): string => truncated(text, codePoints(text), limit)

/** Refuses what cannot be read before any of it is downloaded. @throws WebError. */
export function readable({ status, headers }: ResponseHead): void {
  if (status < 200 || status > 299) throw badStatus(status, headers["retry-after"])
  const { type } = contentType(headers["content-type"])
  const kind: ContentKind | undefined = type === PDF ? undefined : kindOfType(type)
  if (kind === "binary") throw notText(type, headers["content-length"])
}

function notText(type: string, length?: string): WebError {
  const named = /^[\w.+-]{1,60}\/[\w.+-]{1,100}$/.test(type) ? type : "binary data"
  const bytes = /^\d{1,15}$/.test(length ?? "") ? `, ${size(Number(length))}` : ""
  return new WebError(
    "content_unsupported",
    `The URL leads to ${named}${bytes}: only web pages, texts and PDFs can be read.`,
    { type: named },
  )
}

function badStatus(status: number, retryAfter: string | undefined): WebError {
  const reason = STATUS_CODES[status]
  return new WebError(
    "http_status",
    `HTTP ${status}${reason ? `: ${reason}` : ""}. ${advice(status, retryAfter)}`,
    {
      status,
    },
  )
}

function advice(status: number, retryAfter: string | undefined): string {
  if (status === 401 || status === 403 || status === 407 || status === 451)
    return "The site does not let this page be read without a login, or not by programs: try another source."
  if (status === 404 || status === 410)
    return "There is no such page: check the URL, or look for another one."
  if (status === 429 || status === 503) {
    const seconds = /^\d{1,6}$/.test(retryAfter ?? "") ? `in ${retryAfter} s` : "later"
    return `The site is busy: try again ${seconds}, or another source.`
  }
  if (status >= 500) return "The site has a problem: try again later, or another source."
  return "The site does not answer this request with a page: check the URL, or try another source."
}

const size = (bytes: number): string =>
  bytes < 1_000
    ? `${bytes} bytes`
    : bytes < 1e6
      ? `${Math.round(bytes / 1e3)} kB`
      : `${Math.round(bytes / 1e5) / 10} MB`
