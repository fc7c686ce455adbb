import { Worker } from "node:worker_threads"
import { codePoints, firstCodePoints, visibleText } from "@orra/core"
import { WebError } from "./errors.ts"

/** What is read in a thread of its own: pages and documents of strangers, by libraries that know many forms. */
export type ReadingTask =
  | { readonly type: "page" | "article"; readonly html: string; readonly url: string }
  | { readonly type: "pdf"; readonly bytes: Uint8Array; readonly maxCharacters: number }

/** A page, or the article in it, as the thread gives it back. */
export interface PageReading {
  readonly title: string
  readonly markdown: string
  /** Who wrote it and when, if this is the article of the page and not all of it. */
  readonly article?: { readonly byline: string; readonly published: string }
}

/** A page as Markdown. */
export interface MarkdownPage {
  /** On one line, at most 200 characters; empty when the page has none. */
  readonly title: string
  /** The first `limit` characters, if there are as many. */
  readonly markdown: string
  /** Characters (code points) of the whole page as Markdown. */
  readonly total: number
}

/** The text of a PDF. */
export interface PdfText {
  readonly title: string
  /** The text of each page that was read, from the first on; empty for a picture. */
  readonly texts: readonly string[]
  /** How many pages there are. */
  readonly pages: number
}

/** What the thread answers. */
export type Reading =
  | { readonly type: "page"; readonly page: PageReading }
  | { readonly type: "pdf"; readonly pdf: PdfText }
  | { readonly type: "failed"; readonly reason: string }

const TIMEOUT_MS = 15_000
/** Without a page there is nothing to give: it has the time that a busy machine needs for it. */
const PAGE_TIMEOUT_MS = 30_000
const MEMORY_MB = 512

/**
 * Turns a page into Markdown: headings, lists, tables, code, emphasis, links made absolute, images as their
 * descriptions. Scripts, styles, comments, templates and hidden elements leave nothing behind, and neither do
 * invisible characters.
 *
 * Time and memory are linear in the page, however it is nested, and it is read in a thread of its own (30 s, 512 MB).
 * Beyond its first 100,000 elements there is only text.
 *
 * ```ts
 * const { markdown } = await htmlToMarkdown("<h1>Hi</h1><a href=/x>there</a>", { baseUrl: new URL("https://a.example/") })
 * // # Hi
 * //
 * // [there](https://a.example/x)
 * ```
 *
 * @param options.limit Characters to keep. Default: all.
 * @param options.signal Ends it; its reason is thrown.
 * @throws WebError (`content_invalid`) for a page that takes too much time or memory.
 */
export async function htmlToMarkdown(
  html: string,
  options: { readonly baseUrl: URL; readonly limit?: number; readonly signal?: AbortSignal },
): Promise<MarkdownPage> {
  const { baseUrl, limit = Number.POSITIVE_INFINITY, signal } = options
  const page = await readPage("page", html, baseUrl, signal)
  return { ...page, markdown: firstCodePoints(page.markdown, limit), total: codePoints(page.markdown) }
}

/** The article of a page, or all of it when it has none that can be told apart, or is too much of a maze. */
export async function readArticle(html: string, url: URL, signal: AbortSignal): Promise<PageReading> {
  const article = await readPage("article", html, url, signal).catch((error: unknown) => {
    if (error instanceof WebError) return undefined
    throw error
  })
  return article ?? (await readPage("page", html, url, signal))
}

async function readPage(
  type: "page" | "article",
  html: string,
  { href: url }: URL,
  signal: AbortSignal | undefined,
): Promise<PageReading> {
  const timeoutMs = type === "page" ? PAGE_TIMEOUT_MS : TIMEOUT_MS
  const reading = await read({ type, html: visibleText(html), url }, signal, timeoutMs)
  if (reading.type !== "page") throw unreadable("page", reading)
  const { page } = reading
  return { ...page, title: line(page.title), markdown: visibleText(page.markdown) }
}

/** On one line, and not a long one. */
export const line = (text: string): string =>
  firstCodePoints(visibleText(text).replace(/\s+/g, " ").trim(), 200)

function unreadable(what: string, reading: Reading): WebError {
  const reason = reading.type === "failed" ? reading.reason : `not a ${what}`
  return new WebError("content_invalid", `The ${what} cannot be read (${reason}). Try another source.`, {
    reason,
  })
}

/** How much of a PDF is read, and for how long. */
export interface PdfOptions {
  /** No page is begun after so many characters. */
  readonly maxCharacters: number
  readonly signal: AbortSignal
  /** Default 15,000. */
  readonly timeoutMs?: number
}

/**
 * The text of a PDF, read in a thread with 512 MB of memory that is ended when the time is up.
 *
 * @throws WebError (`content_invalid`, with `details.reason`) for a PDF that cannot be read.
 */
export async function readPdf(
  bytes: Uint8Array,
  { maxCharacters, signal, timeoutMs }: PdfOptions,
): Promise<PdfText> {
  const reading = await read({ type: "pdf", bytes, maxCharacters }, signal, timeoutMs)
  if (reading.type === "pdf") return reading.pdf
  throw unreadable("PDF", reading)
}

/** Runs in a thread: what takes too long or too much memory is ended, and takes nothing with it. */
async function read(task: ReadingTask, signal?: AbortSignal, timeoutMs = TIMEOUT_MS): Promise<Reading> {
  signal?.throwIfAborted()
  const file = import.meta.url.endsWith(".ts") ? "./reading-worker.ts" : "./reading-worker.js"
  const worker = new Worker(new URL(file, import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  })
  const done = Promise.withResolvers<Reading>()
  const timer = setTimeout(() => done.resolve({ type: "failed", reason: "it takes too long" }), timeoutMs)
  const stop = (): void => done.reject(signal?.reason)
  signal?.addEventListener("abort", stop, { once: true })
  worker.once("message", done.resolve)
  worker.once("error", () => done.resolve({ type: "failed", reason: "it takes too much memory" }))
  try {
    return await done.promise
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener("abort", stop)
    await worker.terminate()
  }
}
