import { realpathSync } from "node:fs"
import { isAbsolute } from "node:path"
import type { Tool, ToolContext } from "@orra/core"
import type { Holding } from "./directory.ts"
import { editFileTool } from "./edit-file.ts"
import { listDirTool } from "./list-dir.ts"
import { locks } from "./locks.ts"
import { PROTECTED, protection } from "./protect.ts"
import { readFileTool } from "./read-file.ts"
import { sandbox } from "./sandbox.ts"
import { searchTool } from "./search.ts"
import { seenFiles } from "./seen.ts"
import { writeFileTool } from "./write-file.ts"

/** Where the tools work and how much they take on; all but `root` have defaults. */
export interface FilesystemToolsOptions {
  /** The folder they stay in, or which one for a session: the folder of the user it belongs to, say. */
  readonly root: string | ((context: ToolContext) => string | Promise<string>)
  /** Protected besides {@link PROTECTED}: names, globs, paths, absolute paths; "!" before one takes back. */
  readonly protectedPaths?: readonly string[]
  /** Most bytes one call reads of a file for the model. Larger files are read in parts. Default 1,048,576. */
  readonly maxReadSize?: number
  /** Most bytes of a picture. Default 700,000: with its base64 it fits what a runtime keeps of a result. */
  readonly maxImageSize?: number
  /** Most bytes of a file that is written or edited. Default 5,242,880. */
  readonly maxWriteSize?: number
  /** Folders that are listed but not looked into. Default {@link SKIPPED}. */
  readonly skipDirs?: readonly string[]
  /** The ripgrep program, or false to search without. Default "rg", when there is one. */
  readonly ripgrep?: string | false
  /** How long one search may take, in ms. What was found until then is shown. Default 30,000. */
  readonly searchTimeoutMs?: number
}

/** Folders of what is made, fetched or versioned by programs. */
export const SKIPPED: readonly string[] = [
  "node_modules",
  "target",
  ".git",
  "__pycache__",
  "venv",
  ".venv",
  ".next",
  "dist",
]

/** The tools, with folders held in a way that is not the system's for tests to choose. */
export function toolsHolding(
  holding: Holding,
  {
    root,
    protectedPaths = [],
    maxReadSize = 1_048_576,
    maxImageSize = 700_000,
    maxWriteSize = 5_242_880,
    skipDirs = SKIPPED,
    ripgrep = "rg",
    searchTimeoutMs = 30_000,
  }: FilesystemToolsOptions,
): readonly Tool[] {
  const protectedBy = protection([...PROTECTED, ...protectedPaths.flatMap(withReal)])
  const box = sandbox({ root, holding, protection: protectedBy })
  const seen = seenFiles()
  const skip = new Set(skipDirs)
  const changing = { sandbox: box, seen, locks: locks(), maxWriteSize }
  const tools = [
    readFileTool(box, { maxReadSize, maxImageSize }, seen),
    writeFileTool(changing),
    editFileTool(changing),
    listDirTool(box, skip),
    searchTool(box, { skip, ripgrep: ripgrep === false ? undefined : ripgrep, timeoutMs: searchTimeoutMs }),
  ]
  return tools.map(takingNull)
}

/** Models write null for what they leave out. */
const takingNull = (tool: Tool): Tool => ({
  ...tool,
  parse: (input) =>
    tool.parse(Object.fromEntries(Object.entries(input).filter(([, value]) => value !== null))),
})

/** An absolute path as it was given and as it really is: the disk tells only the latter. */
function withReal(pattern: string): readonly string[] {
  if (!isAbsolute(pattern)) return [pattern]
  try {
    return [pattern, realpathSync.native(pattern)]
  } catch {
    return [pattern]
  }
}
