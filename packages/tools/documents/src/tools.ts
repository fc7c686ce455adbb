import { codePoints, informationFrom, type Namespace, NotFound, type Tool, tool, truncated } from "@orra/core"
import type { DocumentInfo } from "./document.ts"
import type { DocumentSearchResult, Documents } from "./documents.ts"
import type { Passage } from "./passages.ts"

export interface DocumentToolsOptions {
  /**
   * Whose documents a session works with. Default its own namespace's. `(session) => session.parent ?? session`
   * gives all sessions of a user the user's documents. Of several all are read, and the first is written to.
   */
  readonly scope?: (session: Namespace) => Namespace | readonly [Namespace, ...Namespace[]]
  /** Also tools with which the model adds and removes documents. Default false. */
  readonly write?: boolean
}

const MARK = informationFrom("stored documents")
const MAX_READ = 50_000
const PAGE = 100

/**
 * `search_documents`, `read_document` and `list_documents`; with `write` also `add_document` and `remove_document`.
 * What they return is marked as written by strangers.
 *
 * ```ts
 * const tools = documentTools(documents, { scope: (session) => session.parent ?? session })
 * ```
 */
export function documentTools(documents: Documents, options: DocumentToolsOptions = {}): readonly Tool[] {
  const { scope: chosen = (session) => session, write = false } = options
  const scope: Scope = (session) => {
    const found = chosen(session)
    return "key" in found ? [found] : found
  }
  const reading = [searchTool(documents, scope), readTool(documents, scope), listTool(documents, scope)]
  return write ? [...reading, addTool(documents, scope), removeTool(documents, scope)] : reading
}

type Scope = (session: Namespace) => readonly [Namespace, ...Namespace[]]

const searchTool = (documents: Documents, scope: Scope): Tool =>
  tool<{
    readonly query: string
    readonly limit?: number
    readonly id?: string
    readonly metadata?: Readonly<Record<string, string>>
  }>({
    name: "search_documents",
    description:
      "Searches the stored documents and returns the passages that fit best, with the document's id and the lines to cite. With id it searches within that document.",
    input: {
      type: "object",
      properties: {
        query: { type: "string", minLength: 1, maxLength: 1_000, description: "What to look for." },
        limit: { type: "integer", minimum: 1, maximum: 20, description: "Most passages. Default 5." },
        id: { type: "string", description: "Only in this document." },
        metadata: {
          type: "object",
          additionalProperties: { type: "string" },
          description: "Only in documents with these metadata.",
        },
      },
      required: ["query"],
      additionalProperties: false,
    },
    risk: "read",
    untrusted: true,
    async execute({ query, ...options }, { namespace, signal }) {
      const found = await documents.search(scope(namespace), query, { ...options, signal })
      const content = [{ type: "text" as const, text: searchText(query, found) }]
      return { content, structured: found.passages.map(({ namespace: _, ...passage }) => passage) }
    },
  })

function searchText(query: string, { passages, failure, mode, unembedded }: DocumentSearchResult): string {
  const notes = [
    ...(failure ? [`[Searched by words only: ${failure.message}]`] : []),
    ...(!failure && mode !== "keyword" && unembedded > 0
      ? [`[${unembedded} documents could only be searched by words]`]
      : []),
  ]
  if (passages.length === 0) return [...notes, `No documents found matching '${query}'.`].join("\n")
  const numbered = passages.map(
    (passage, index) =>
      `${index + 1}. [${passage.id}] ${passage.title} (score: ${passage.score.toFixed(3)}) — ${placeOf(passage)}\n${passage.text}`,
  )
  return [MARK, ...notes, ...numbered].join("\n\n")
}

function placeOf({ lines: [from, to], page, heading }: Passage): string {
  const lines = from === to ? `line ${from}` : `lines ${from}-${to}`
  return [...(page === undefined ? [] : [`page ${page}`]), lines, ...(heading ? [heading] : [])].join(", ")
}

const readTool = (documents: Documents, scope: Scope): Tool =>
  tool<{ readonly id: string; readonly line?: number; readonly max_length?: number }>({
    name: "read_document",
    description:
      "Reads a stored document, from a line on if it is long. The id is one that search_documents or list_documents gave.",
    input: {
      type: "object",
      properties: {
        id: { type: "string", description: "The document's id." },
        line: { type: "integer", minimum: 1, description: "The first line to read. Default 1." },
        max_length: {
          type: "integer",
          minimum: 1,
          maximum: MAX_READ,
          description: "Most characters to return. Default 16000.",
        },
      },
      required: ["id"],
      additionalProperties: false,
    },
    risk: "read",
    untrusted: true,
    async execute({ id, line = 1, max_length: limit = 16_000 }, { namespace }) {
      const found = await Promise.all(scope(namespace).map((one) => documents.get(one, id)))
      const document = found.find((one) => one !== undefined)
      if (!document) throw new NotFound(`document "${id}": list_documents shows which there are`)
      const rest = fromLine(document.content, line)
      const total = codePoints(rest)
      return [
        MARK,
        `# ${document.title}`,
        `(id: ${id})`,
        ...sorted(document.metadata).map(([key, value]) => `${key}: ${value}`),
        ...(line > 1 ? [`[From line ${line} of ${document.lines}]`] : []),
        "",
        truncated(rest, total, limit),
        ...(total > limit ? [`[Read on with line ${nextLine(rest, limit, line)}]`] : []),
      ].join("\n")
    },
  })

function fromLine(text: string, line: number): string {
  let start = 0
  for (let at = 1; at < line; at++) {
    const end = text.indexOf("\n", start)
    if (end < 0) return ""
    start = end + 1
  }
  return text.slice(start)
}

/** The line in which the text was cut, counted from the one it begins with; the next one when that is the same. */
const nextLine = (text: string, limit: number, first: number): number =>
  first + Math.max(1, truncatedLines(text, limit))

const truncatedLines = (text: string, limit: number): number => text.slice(0, limit).split("\n").length - 1

const sorted = (metadata: Readonly<Record<string, string>>): readonly (readonly [string, string])[] =>
  Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))

const listTool = (documents: Documents, scope: Scope): Tool =>
  tool<{ readonly after?: string }>({
    name: "list_documents",
    description: `Lists the stored documents with their ids, ${PAGE} at a time.`,
    input: {
      type: "object",
      properties: { after: { type: "string", description: "Only those behind this id in the list." } },
      additionalProperties: false,
    },
    risk: "read",
    untrusted: true,
    async execute({ after = "" }, { namespace }) {
      const lists = await Promise.all(scope(namespace).map((one) => documents.list(one)))
      // Of those with the same id the first can be read.
      const all = [
        ...new Map(lists.reverse().flatMap((list) => list.map((one) => [one.id, one]))).values(),
      ].sort((a, b) => (a.id < b.id ? -1 : 1))
      if (all.length === 0) return "No documents in the store."
      const rest = all.filter(({ id }) => id > after)
      const shown = rest.slice(0, PAGE)
      const more = rest.length - shown.length
      return [
        MARK,
        ...shown.map(listLine),
        ...(more > 0 ? [`[${more} more: list_documents with after "${shown.at(-1)?.id}"]`] : []),
      ].join("\n")
    },
  })

function listLine({ id, title, metadata }: DocumentInfo): string {
  const facts = sorted(metadata).map(([key, value]) => `${key}=${value}`)
  return `- [${id}] ${title}${facts.length > 0 ? ` (${facts.join(", ")})` : ""}`
    .slice(0, 1_000)
    .toWellFormed()
}

const addTool = (documents: Documents, scope: Scope): Tool =>
  tool<{
    readonly id: string
    readonly title: string
    readonly content: string
    readonly metadata?: Readonly<Record<string, string>>
  }>({
    name: "add_document",
    description: "Stores a document, in the place of the one with the same id.",
    input: {
      type: "object",
      properties: {
        id: { type: "string", description: "A short name, such as notes/2026-03-01." },
        title: { type: "string" },
        content: { type: "string", description: "Text or Markdown." },
        metadata: {
          type: "object",
          additionalProperties: { type: "string" },
          description: "Short facts about it.",
        },
      },
      required: ["id", "title", "content"],
      additionalProperties: false,
    },
    risk: "write",
    idempotent: true,
    async execute(document, { namespace, signal }) {
      const { failure } = await documents.put(scope(namespace)[0], document, { signal })
      return `Stored document ${document.id}.${failure ? ` For now it is found by its words only: ${failure.message}` : ""}`
    },
  })

const removeTool = (documents: Documents, scope: Scope): Tool =>
  tool<{ readonly id: string }>({
    name: "remove_document",
    description: "Removes a stored document.",
    input: {
      type: "object",
      properties: { id: { type: "string", description: "The document's id." } },
      required: ["id"],
      additionalProperties: false,
    },
    risk: "write",
    idempotent: true,
    execute: async ({ id }, { namespace }) =>
      (await documents.remove(scope(namespace)[0], id))
        ? `Removed document ${id}.`
        : `Document ${id} not found.`,
  })
