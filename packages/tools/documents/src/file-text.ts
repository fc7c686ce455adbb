import { isUtf8 } from "node:buffer"
import { basename, extname } from "node:path"
import { visibleText } from "@orra/core"
import { decodeText, htmlToMarkdown, kindOfBytes, readPdf, WebError } from "@orra/web/text"
import { DocumentError } from "./errors.ts"

/** What is in a file. */
export interface FileText {
  readonly title: string
  readonly content: string
  /** Where the pages of a PDF begin in `content`. */
  readonly pageStarts?: readonly number[]
  /** What was guessed and may be wrong. */
  readonly warning?: string
}

export interface FileTextOptions {
  /** What text is encoded in that does not say so itself, such as "shift_jis". Default UTF-8, else windows-1252. */
  readonly encoding?: string | undefined
  readonly signal: AbortSignal
}

const HTML: ReadonlySet<string> = new Set([".html", ".htm", ".xhtml"])
/** A page is not begun after so many characters. */
const MAX_CHARACTERS = 10_000_000
/** For reading a PDF. */
const PDF_MS = 60_000

/** The text of a file: of HTML as Markdown, of a PDF page by page. @throws DocumentError. */
export async function fileText(path: string, bytes: Uint8Array, options: FileTextOptions): Promise<FileText> {
  const name = basename(path)
  try {
    if (Buffer.from(bytes.subarray(0, 5)).toString("latin1") === "%PDF-")
      return await pdfText(name, bytes, options.signal)
    return await decodedText(name, bytes, options.encoding)
  } catch (error) {
    if (!(error instanceof WebError)) throw error
    const reason = String(error.details["reason"] ?? error.message)
    if (/password/i.test(reason)) {
      throw new DocumentError(
        "document_encrypted",
        `"${name}" asks for a password: save it without one and try again.`,
        { name },
        error,
      )
    }
    throw new DocumentError(
      "document_unreadable",
      `"${name}" cannot be read (${reason}).`,
      { name, reason },
      error,
    )
  }
}

async function pdfText(name: string, bytes: Uint8Array, signal: AbortSignal): Promise<FileText> {
  const options = { maxCharacters: MAX_CHARACTERS, signal, timeoutMs: PDF_MS }
  const { title, texts, pages } = await readPdf(bytes, options)
  if (texts.length < pages) {
    throw new DocumentError(
      "document_too_large",
      `"${name}" has more text than the ${MAX_CHARACTERS} characters that a document may have: split it.`,
      { name, limit: MAX_CHARACTERS },
    )
  }
  const pageStarts: number[] = []
  let content = ""
  for (const text of texts) {
    pageStarts.push(content.length)
    content += `${visibleText(text.toWellFormed())}\n\n`
  }
  return { title: title || withoutExtension(name), content, pageStarts }
}

async function decodedText(name: string, bytes: Uint8Array, encoding: string | undefined): Promise<FileText> {
  if (!encoding && kindOfBytes(bytes) === "binary") throw notText(name)
  const kind = HTML.has(extname(name).toLowerCase()) ? "html" : "text"
  const text = decodeText(bytes, { kind, charset: encoding, complete: true })
  if (text.includes("\0")) throw notText(name)
  if (kind === "html") {
    const { title, markdown } = await htmlToMarkdown(text, { baseUrl: new URL("file:///") })
    return { title: title || withoutExtension(name), content: markdown }
  }
  const isGuessed =
    !encoding && !isUtf8(bytes) && text.charCodeAt(0) < 0x100 && bytes[0] !== 0xff && bytes[0] !== 0xfe
  const warning = `"${name}" is not UTF-8 and was read as windows-1252: if it reads wrong, ingest it with its "encoding".`
  return { title: titleIn(text) ?? withoutExtension(name), content: text, ...(isGuessed && { warning }) }
}

const notText = (name: string): DocumentError =>
  new DocumentError(
    "document_unsupported",
    `"${name}" is neither text, HTML nor PDF. If it is text, ingest it with its "encoding".`,
    { name },
  )

/** The title that Markdown gives itself: in its front matter, or as its first heading. */
const titleIn = (text: string): string | undefined =>
  (/^---\r?\n(?:.*\r?\n){0,40}?title:[ \t]*["']?(.+?)["']?[ \t]*\r?\n/.exec(text) ??
    /^(?:[^\n]*\n){0,20}?#[ \t]+([^\n]+)/.exec(text))?.[1]?.trim()

const withoutExtension = (name: string): string => name.slice(0, name.length - extname(name).length) || name
