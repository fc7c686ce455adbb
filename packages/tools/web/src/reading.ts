import { Worker } from "node:worker_threads"
import { WebError } from "./errors.ts"

/** What is read in a thread of its own: pages and documents of strangers, by libraries that know many forms. */
export type ReadingTask =
  | { readonly type: "article"; readonly html: string; readonly url: string }
  | { readonly type: "pdf"; readonly bytes: Uint8Array; readonly maxCharacters: number }

/** The part of a page that is there to be read. */
export interface Article {
  readonly title: string
  readonly byline: string
  readonly published: string
  readonly html: string
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
  | { readonly type: "article"; readonly article: Article | undefined }
  | { readonly type: "pdf"; readonly pdf: PdfText }
  | { readonly type: "failed"; readonly reason: string }

const TIMEOUT_MS = 15_000
const MEMORY_MB = 512

/** The article of a page; undefined when it has none that can be told apart, or is too much of a maze. */
export async function readArticle(html: string, url: URL, signal: AbortSignal): Promise<Article | undefined> {
  const reading = await read({ type: "article", html, url: url.href }, signal)
  return reading.type === "article" ? reading.article : undefined
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
  const reason = reading.type === "failed" ? reading.reason : "not a PDF"
  throw new WebError("content_invalid", `The PDF cannot be read (${reason}). Try another source.`, { reason })
}

/** Runs in a thread: what takes too long or too much memory is ended, and takes nothing with it. */
async function read(task: ReadingTask, signal: AbortSignal, timeoutMs = TIMEOUT_MS): Promise<Reading> {
  signal.throwIfAborted()
  const file = import.meta.url.endsWith(".ts") ? "./reading-worker.ts" : "./reading-worker.js"
  const worker = new Worker(new URL(file, import.meta.url), {
    workerData: task,
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  })
  const done = Promise.withResolvers<Reading>()
  const timer = setTimeout(() => done.resolve({ type: "failed", reason: "it takes too long" }), timeoutMs)
  const stop = (): void => done.reject(signal.reason)
  signal.addEventListener("abort", stop, { once: true })
  worker.once("message", done.resolve)
  worker.once("error", () => done.resolve({ type: "failed", reason: "it takes too much memory" }))
  try {
    return await done.promise
  } finally {
    clearTimeout(timer)
    signal.removeEventListener("abort", stop)
    await worker.terminate()
  }
}
