import { InvalidInput, NotFound } from "@orra/core"
import { DocumentError, type DocumentInfo, type Passage } from "@orra/documents"
import { type GatewayRequest, HttpError, type Route } from "@orra/gateway"
import type { Folder } from "../documents/folders.ts"
import type { Library } from "../documents/library.ts"
import { jsonRoutes } from "./json-route.ts"

const PAGE = 100
/** Lines of a document at once. */
const LINES = 300
/** A file of 20 MB in base64, and its name. */
const UPLOAD_BYTES = 28 * 1_048_576

/** What a person does with documents; documented in docs/herald/api.md. */
export function documentRoutes(library: Library, isSearched: () => boolean): readonly Route[] {
  const { documents, sync } = library
  const route = jsonRoutes(withStatus)

  /** The folders that somebody may know of. */
  const foldersOf = ({ principal }: GatewayRequest): readonly Folder[] =>
    library.folders.filter(({ namespace }) =>
      library.scope(principal.namespace).some((each) => each.equals(namespace)),
    )

  const shownFolder = async (folder: Folder, isOwner: boolean) => {
    const { name, path, namespace } = folder
    const { state, at, ...details } = sync.stateOf(folder)
    const own = (await documents.list(namespace)).filter(({ id }) => id.startsWith(`${name}/`))
    return {
      name,
      shared: !namespace.equals(library.owner),
      documents: own.length,
      state,
      ...(at !== undefined && { at }),
      // Where something is on this machine is its owner's business.
      ...(isOwner && { path, ...details }),
    }
  }

  const list = async (request: GatewayRequest) => {
    const { principal, query } = request
    const isOwner = principal.permissions.includes("owner")
    const folders = foldersOf(request)
    const name = query.get("folder")
    const folder = folders.find((each) => each.name === name)
    if (name !== null && !folder) throw new NotFound(`folder "${name.slice(0, 100)}"`)
    const after = query.get("after") ?? ""
    const all = (await documents.list(folder?.namespace ?? principal.namespace)).filter(
      ({ id, path }) => id > after && (folder ? id.startsWith(`${folder.name}/`) : path === undefined),
    )
    const shown = all.slice(0, PAGE)
    return {
      documents: shown.map(shownDocument),
      ...(all.length > PAGE && { cursor: shown.at(-1)?.id }),
      folders: await Promise.all(folders.map((each) => shownFolder(each, isOwner))),
      model: library.model ?? null,
      searched: isSearched(),
    }
  }

  const upload = async ({ principal: { namespace }, body, signal }: GatewayRequest) => {
    const { name, bytes } = fileIn(await body())
    const had = (await documents.list(namespace)).some(({ id }) => id === name)
    const { warning, failure } = await documents.putFile(namespace, { name, bytes }, { signal })
    const document = (await documents.list(namespace)).find(({ id }) => id === name)
    return {
      document: document && shownDocument(document),
      replaced: had,
      ...(warning !== undefined && { warning }),
      ...(failure && { failure: failure.message }),
    }
  }

  const remove = async ({ principal: { namespace }, params }: GatewayRequest) => {
    const id = params["id"] ?? ""
    const known = (await documents.list(namespace)).find((each) => each.id === id)
    if (known?.path !== undefined) {
      throw new HttpError(
        409,
        "document_synced",
        `"${id}" is read from a folder: remove the file, or the folder from the configuration.`,
      )
    }
    if (!(await library.remove(namespace, id))) throw new NotFound("document")
    return { deleted: true }
  }

  return [
    route("GET", "/api/documents", list),
    route("POST", "/api/documents", upload, { maxBytes: UPLOAD_BYTES }),
    route("GET", "/api/documents/search", async ({ principal: { namespace }, query, signal }) => {
      const text = query.get("q")?.trim() ?? ""
      if (text === "") throw new InvalidInput('"q" is missing: say what to look for.')
      const found = await documents.search(library.scope(namespace), text.slice(0, 1_000), {
        limit: 10,
        signal,
      })
      return {
        passages: found.passages.map(shownPassage),
        ...(found.failure && { failure: found.failure.message }),
      }
    }),
    route("GET", "/api/documents/text", async ({ principal: { namespace }, query }) => {
      const id = query.get("id") ?? ""
      const line = Number(query.get("line") ?? 1)
      if (!Number.isSafeInteger(line) || line < 1)
        throw new InvalidInput('"line" is the number of a line, from 1.')
      for (const each of library.scope(namespace)) {
        const document = await documents.get(each, id)
        if (!document) continue
        const { content, ...info } = document
        const lines = content.split("\n").slice(line - 1, line - 1 + LINES)
        return { document: shownDocument(info), from: line, lines }
      }
      throw new NotFound("document")
    }),
    route("DELETE", "/api/documents/:id", remove),
    route("POST", "/api/documents/:id/restore", async ({ principal: { namespace }, params }) => {
      if (!(await library.restore(namespace, params["id"] ?? ""))) throw new NotFound("document")
      return { restored: true }
    }),
    route(
      "POST",
      "/api/documents/sync",
      async () => {
        await library.refresh()
        return { done: true }
      },
      { permission: "owner" },
    ),
  ]
}

/** Where on this machine it was read from is not for the page. */
const shownDocument = ({ id, title, lines, characters, pages, path, embedder, updatedAt }: DocumentInfo) => ({
  id,
  title,
  lines,
  characters,
  ...(pages !== undefined && { pages }),
  synced: path !== undefined,
  byMeaning: embedder !== undefined,
  updatedAt,
})

const shownPassage = ({ namespace: _, metadata: __, characters: ___, ...passage }: Passage) => passage

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

function fileIn(body: Readonly<Record<string, unknown>>): {
  readonly name: string
  readonly bytes: Uint8Array
} {
  const { name, data } = body
  if (typeof name !== "string" || name.trim() === "")
    throw new InvalidInput('"name" is missing: the name of the file.')
  if (typeof data !== "string" || !BASE64.test(data))
    throw new InvalidInput('"data" must be the bytes of the file in base64.')
  // A "/" is for those of folders.
  const own = name
    .trim()
    .replaceAll(/[/\\]+/g, "-")
    .slice(-400)
    .toWellFormed()
  return { name: own, bytes: Buffer.from(data, "base64") }
}

function withStatus(error: unknown): unknown {
  if (!(error instanceof DocumentError)) return error
  return new HttpError(error.code === "document_too_large" ? 413 : 422, error.code, error.message)
}
