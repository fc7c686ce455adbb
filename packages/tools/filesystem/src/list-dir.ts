import { type Dirent, lstatSync } from "node:fs"
import { type Tool, tool } from "@orra/core"
import { isTemporary } from "./atomic-write.ts"
import { type Directory, openChild } from "./directory.ts"
import { FilesystemError } from "./errors.ts"
import { sizeText } from "./file-text.ts"
import { Pace } from "./pace.ts"
import { legible, type Place, type Sandbox } from "./sandbox.ts"
import { namesIn, passable } from "./trail.ts"

interface Input {
  readonly path?: string
  readonly recursive?: boolean
  readonly max_depth?: number
  readonly offset?: number
  readonly limit?: number
}

const LIMIT = 500
const MOST = 2_000
const TIMEOUT_MS = 20_000

/** `list_dir`: what is in a folder, and below it when asked. */
export const listDirTool = (sandbox: Sandbox, skip: ReadonlySet<string>): Tool =>
  tool<Input>({
    name: "list_dir",
    description:
      "Lists a folder: folders first, then files with their sizes. recursive lists what is below as well, but not " +
      "what is in folders such as node_modules. Of many entries offset and limit give a part.",
    input: {
      type: "object",
      properties: {
        path: { type: "string", description: "The folder. Default the working directory." },
        recursive: { type: "boolean", description: "Default false." },
        max_depth: {
          type: "integer",
          minimum: 1,
          maximum: 20,
          description: "How deep, when recursive. Default 3.",
        },
        offset: { type: "integer", minimum: 0, description: "Entries to leave out, to go on. Default 0." },
        limit: { type: "integer", minimum: 1, maximum: MOST, description: `Entries. Default ${LIMIT}.` },
      },
      additionalProperties: false,
    },
    risk: "read",
    untrusted: true,
    execute: (input, context) =>
      sandbox.enter(context, input.path || ".", async (place) => {
        const pace = new Pace(context.signal, performance.now() + TIMEOUT_MS)
        return await list(sandbox, skip, place, input, pace)
      }),
  })

async function list(
  sandbox: Sandbox,
  skip: ReadonlySet<string>,
  place: Place,
  { recursive = false, max_depth: depth = 3, offset = 0, limit = LIMIT }: Input,
  pace: Pace,
): Promise<string> {
  const { directory, name, stat, shown, way } = place
  if (name !== undefined && !stat)
    throw new FilesystemError("path_missing", `${shown} does not exist.`, { path: shown })
  if (name !== undefined && !stat?.isDirectory())
    throw new FilesystemError("path_kind", `${shown} is not a folder: use read_file.`, { path: shown })
  const own = name === undefined ? undefined : openChild(directory, name, sandbox.holding)
  const root = way[0]?.path ?? directory.path
  const entries = listed({ sandbox, skip, root }, own ?? directory, "", recursive ? depth : 1)
  const lines: string[] = []
  let [count, more] = [0, ""]
  try {
    for (const line of entries) {
      if (count === offset + limit) more = `there are more: go on with offset ${count}`
      else if (await pace.isOver()) more = "time is up: list one folder at a time"
      if (more) break
      if (count++ >= offset) lines.push(line())
    }
  } finally {
    // Folders that are still open are closed first.
    entries.return()
    own?.close()
  }
  const what = offset === 0 || count <= offset ? `${lines.length}` : `${offset + 1}-${count}`
  const header = [shown, `${what} ${what === "1" ? "entry" : "entries"}`, ...(more ? [more] : [])]
  return [`[${header.join(" | ")}]`, ...lines].join("\n")
}

interface Listing {
  readonly sandbox: Sandbox
  readonly skip: ReadonlySet<string>
  readonly root: string
}

/** Folders first, each followed by what is in it; then by name, whatever the case. Sizes are asked for when shown. */
function* listed(
  listing: Listing,
  directory: Directory,
  prefix: string,
  depth: number,
): Generator<() => string, void> {
  const { sandbox, skip, root } = listing
  for (const entry of sorted(directory)) {
    const { name } = entry
    const path = legible(prefix + name)
    const isProtected = sandbox.protection.entry(`${directory.path}/${name}`, root)
    if (!entry.isDirectory()) {
      yield () => `${path} (${isProtected ? "protected" : kindOf(directory, entry)})`
      continue
    }
    const isClosed = isProtected || skip.has(name)
    yield () => `${path}/${isProtected ? " (protected)" : isClosed && depth > 1 ? " (not listed)" : ""}`
    const child = depth > 1 && !isClosed ? opened(sandbox, directory, name) : undefined
    if (!child) continue
    try {
      yield* listed(listing, child, `${prefix}${name}/`, depth - 1)
    } finally {
      child.close()
    }
  }
}

function sorted(directory: Directory): readonly Dirent[] {
  const key = (entry: Dirent): string => (entry.isDirectory() ? "0" : "1") + entry.name.toLowerCase()
  return namesIn(directory)
    .filter(({ name }) => !isTemporary(name))
    .map((entry) => ({ entry, key: key(entry) }))
    .sort((a, b) => (a.key < b.key || (a.key === b.key && a.entry.name < b.entry.name) ? -1 : 1))
    .map(({ entry }) => entry)
}

function kindOf(directory: Directory, entry: Dirent): string {
  if (entry.isSymbolicLink()) return "link"
  if (!entry.isFile()) return "no file: a device, a pipe or a socket"
  const stat = lstatSync(directory.at(entry.name), { throwIfNoEntry: false })
  return stat ? sizeText(stat.size) : "gone"
}

function opened(sandbox: Sandbox, directory: Directory, name: string): Directory | undefined {
  try {
    return openChild(directory, name, sandbox.holding)
  } catch (error) {
    if (passable(error)) return undefined
    throw error
  }
}
