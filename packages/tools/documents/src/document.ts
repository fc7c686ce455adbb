import { InvalidInput, recordName, visibleText } from "@orra/core"
import { chunksOf, newlines, type Paged } from "./chunks.ts"
import { DocumentError } from "./errors.ts"
import { documentKey, type Source, type StoredDocument } from "./stored.ts"

/** What is to be kept. */
export interface NewDocument {
  /** 1 to 500 characters. Another document with this id is replaced. */
  readonly id: string
  readonly title: string
  /** Text or Markdown. Invisible characters are left out, lines end in \n. */
  readonly content: string
  /** Short facts that are shown with it and can be searched by: `{ author: "Ann" }`. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** What there is to know of a document without its text. */
export interface DocumentInfo {
  readonly id: string
  readonly title: string
  readonly metadata: Readonly<Record<string, string>>
  /** In UTF-16 code units. */
  readonly characters: number
  readonly lines: number
  /** How many, where it has pages. */
  readonly pages?: number
  /** The file it was read from. */
  readonly path?: string
  /** What made its vectors; without them it is found by its words only. */
  readonly embedder?: string
  /** When it was last written, ms since 1970. */
  readonly updatedAt: number
}

export interface Document extends DocumentInfo {
  readonly content: string
}

/** A document as it will be kept, in one piece. */
export type Draft = Omit<StoredDocument, "revision" | "parts" | "embedder" | "updatedAt"> & {
  readonly id: string
  /** Only in the place of this revision: it is the same content once more. */
  readonly replaces?: string
}

const MAX_ID = 500
const MAX_TITLE = 500
const MAX_METADATA = 10_000
/** Longest text, in UTF-16 code units: some 5,000 pages. */
const MAX_CHARACTERS = 10_000_000

/** The document as it will be kept. @throws DocumentError. */
export function prepared(
  { id, title, content, metadata = {} }: NewDocument,
  more: { readonly pageStarts?: readonly number[]; readonly source?: Source } = {},
): Draft {
  checkId(id)
  const { pageStarts, source } = more
  if (content.length > MAX_CHARACTERS) {
    throw new DocumentError(
      "document_too_large",
      `"${id}" has ${content.length} characters, more than the ${MAX_CHARACTERS} that a document may have: split it.`,
      { id, limit: MAX_CHARACTERS },
    )
  }
  const paged: Paged = pageStarts
    ? { text: content, pageStarts }
    : { text: visibleText(content.toWellFormed()) }
  if (paged.text.trim() === "") {
    const pictures = pageStarts ? ": its pages may be pictures, which need text recognition first" : ""
    throw new DocumentError("document_empty", `"${id}" has no text${pictures}.`, { id })
  }
  const chunks = chunksOf(paged)
  return {
    id,
    title: titleOf(title) || id,
    metadata: metadataOf(id, metadata),
    ...(source && { source }),
    characters: paged.text.length,
    lines: newlines(paged.text) + 1,
    ...(pageStarts && { pages: pageStarts.length }),
    count: chunks.length,
    chunks,
  }
}

function checkId(id: string): void {
  try {
    recordName(documentKey(id))
    if (id.length > 0 && id.length <= MAX_ID && visibleText(id) === id && !id.includes("\n")) return
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error
  }
  throw new DocumentError(
    "document_invalid",
    `A document's id is 1 to ${MAX_ID} visible characters in one line.`,
    {},
  )
}

const titleOf = (title: string): string =>
  visibleText(title.toWellFormed()).replace(/\s+/g, " ").trim().slice(0, MAX_TITLE).toWellFormed()

function metadataOf(
  id: string,
  metadata: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const entries = Object.entries(metadata)
  const isText = entries.every(([, value]) => typeof value === "string")
  const size = entries.reduce((sum, [key, value]) => sum + key.length + value.length, 0)
  if (isText && size <= MAX_METADATA) {
    return Object.fromEntries(
      entries.map(([key, value]) => [visibleText(key.toWellFormed()), visibleText(value.toWellFormed())]),
    )
  }
  throw new DocumentError(
    "document_invalid",
    `The metadata of "${id}" are texts with at most ${MAX_METADATA} characters together.`,
    { id, limit: MAX_METADATA },
  )
}

/** What there is to know of a document that is kept. */
export const infoOf = (id: string, document: Omit<StoredDocument, "chunks">): DocumentInfo => ({
  id,
  title: document.title,
  metadata: document.metadata,
  characters: document.characters,
  lines: document.lines,
  ...(document.pages !== undefined && { pages: document.pages }),
  ...(document.source && { path: document.source.path }),
  ...(document.embedder !== undefined && { embedder: document.embedder }),
  updatedAt: document.updatedAt,
})
