import type { Tool } from "@orra/core"
import { systemHolding } from "./directory.ts"
import { type FilesystemToolsOptions, toolsHolding } from "./tools.ts"

export { FilesystemError, type FilesystemErrorCode } from "./errors.ts"
export { PROTECTED } from "./protect.ts"
export { type FilesystemToolsOptions, SKIPPED } from "./tools.ts"

/**
 * The tools that reach files, all through one sandbox: `read_file`, `write_file`, `edit_file`, `list_dir`, `search`.
 *
 * ```ts
 * const tools = filesystemTools({ root: "/srv/project" })
 * ```
 */
export const filesystemTools = (options: FilesystemToolsOptions): readonly Tool[] =>
  toolsHolding(systemHolding(), options)
