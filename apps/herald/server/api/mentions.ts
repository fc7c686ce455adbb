import type { Dirent } from "node:fs"
import { readdir, realpath } from "node:fs/promises"
import { basename, join } from "node:path"
import { InvalidInput, type Namespace, type SessionInfo } from "@orra/core"
import type { GatewayRequest, Route } from "@orra/gateway"
import type { LoadedConfig } from "../config/load.ts"
import type { Library } from "../documents/library.ts"
import { WORKING_DIRECTORY, workFolders } from "../tools/work-folders.ts"
import { ownChat } from "./files.ts"

/** Offered at once. */
const MAX_FOUND = 8
const MAX_QUERY = 200
/** Of a folder so many files and folders are looked at, the nearest first. */
const MAX_LOOKED_AT = 5_000
/** Folders of what programs make or fetch. */
const SKIPPED = new Set(["node_modules", "target", "dist", "build", "venv", "__pycache__"])

/** Names that would not stay what they are between the backticks of a message. */
const UNSPEAKABLE = /[`\p{Cc}]/u

/** What can be spoken of in a message by a name that the assistant's tools take. */
interface Mentioned {
  readonly type: "file" | "document"
  /** The path in the chat's folder, or the document's id. */
  readonly name: string
  readonly title?: string
}

interface MentionParts {
  readonly loaded: () => LoadedConfig
  readonly library: Library
  /** The folder that was chosen for a chat, begun or not. */
  readonly directoryOf: (namespace: Namespace, info: SessionInfo | undefined) => Promise<string | null>
}

/** Completes the names of documents, and of files in the folder of a chat; documented in docs/herald/api.md. */
export function mentionRoute({ loaded, library, directoryOf }: MentionParts): Route {
  const filesOf = async (namespace: Namespace, info: SessionInfo | undefined, signal: AbortSignal) => {
    const now = loaded()
    const folderOf = workFolders(now, now.config.tools.filesystem_base_dir, { mayHoldData: true })
    const directory = await directoryOf(namespace, info)
    const metadata = directory === null ? {} : { [WORKING_DIRECTORY]: directory }
    try {
      const folder = await realpath(await folderOf({ namespace, metadata }))
      return await filesIn(folder, await realpath(now.dataDir), signal)
    } catch (error) {
      // A folder that is gone: the tools say so when they are used.
      if (error instanceof InvalidInput) return []
      throw error
    }
  }

  const documentsOf = async (namespace: Namespace): Promise<readonly Mentioned[]> => {
    const { documents, scope } = library
    const lists = await Promise.all(scope(namespace).map((one) => documents.list(one)))
    return lists.flat().map(({ id, title }) => ({ type: "document", name: id, title }))
  }

  const find = async (request: GatewayRequest): Promise<Response> => {
    const wanted = (request.query.get("q") ?? "").slice(0, MAX_QUERY).toLowerCase()
    const { namespace, info } = await ownChat(request)
    const { runtime, signal } = request
    const isReadable = (tool: string): boolean =>
      runtime.tools.get(tool) !== undefined &&
      runtime.policies.explain(namespace, { tool, risk: "read" }).decision !== "deny"
    const all = [
      ...(isReadable("read_document") ? await documentsOf(namespace) : []),
      ...(isReadable("read_file") ? await filesOf(namespace, info, signal) : []),
    ]
    const ranked = all.flatMap((each) => {
      const rank = rankOf(each, wanted)
      return rank === undefined || UNSPEAKABLE.test(each.name) ? [] : [{ each, rank }]
    })
    ranked.sort((a, b) => a.rank - b.rank)
    return Response.json({ found: ranked.slice(0, MAX_FOUND).map(({ each }) => each) })
  }
  return { method: "GET", path: "/api/sessions/:namespace/mentions", permission: "chat", handle: find }
}

/** Names that begin so come first, then those in which it is; undefined: it does not fit. */
function rankOf({ name, title = "" }: Mentioned, wanted: string): number | undefined {
  const names = [name, basename(name), title].map((each) => each.toLowerCase())
  if (names.some((each) => each.startsWith(wanted))) return 0
  return names.some((each) => each.includes(wanted)) ? 1 : undefined
}

/** The files below a folder, the nearest first; both paths are real. What is hidden, links, and Herald's own data are left out. */
async function filesIn(root: string, dataDir: string, signal: AbortSignal): Promise<readonly Mentioned[]> {
  const found: Mentioned[] = []
  const folders = [""]
  let looked = 0
  for (const folder of folders) {
    signal.throwIfAborted()
    const entries: readonly Dirent[] = await readdir(join(root, folder), { withFileTypes: true }).catch(
      () => [],
    )
    for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith(".")) continue
      if (++looked > MAX_LOOKED_AT) return found
      // As the tools take it, on each system.
      const name = folder === "" ? entry.name : `${folder}/${entry.name}`
      if (entry.isFile()) found.push({ type: "file", name })
      else if (entry.isDirectory() && !SKIPPED.has(entry.name) && join(root, name) !== dataDir)
        folders.push(name)
    }
  }
  return found
}
