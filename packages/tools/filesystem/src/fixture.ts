import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import type { JsonObject, Tool, ToolContext, ToolOutput } from "@orra/core"
import { textOf, useTool } from "@orra/testing"
import { type Holding, systemHolding } from "./directory.ts"
import { type FilesystemToolsOptions, toolsHolding } from "./tools.ts"

/** A sandbox on the disk, something outside of it, and its tools. */
export interface Fixture {
  /** What tests may look at: `root` and `outside` are in it. */
  readonly folder: string
  readonly root: string
  readonly outside: string
  readonly tools: readonly Tool[]
  /** Writes a file below `folder`, and the folders it needs. */
  write(path: string, content: string | Uint8Array): string
  /** Calls a tool as the runtime does. */
  output(tool: string, input: JsonObject, context?: Partial<ToolContext>): Promise<ToolOutput>
  /** The same, for the text of its answer. */
  call(tool: string, input: JsonObject, context?: Partial<ToolContext>): Promise<string>
  remove(): void
}

export function fixture(
  options: Partial<FilesystemToolsOptions> = {},
  holding: Holding = systemHolding(),
): Fixture {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "orra-files-")))
  const [root, outside] = [join(folder, "root"), join(folder, "outside")]
  mkdirSync(root)
  mkdirSync(outside)
  const tools = toolsHolding(holding, { root, ...options })
  const output: Fixture["output"] = (name, input, context) => useTool(tools, name, input, context)
  return {
    folder,
    root,
    outside,
    tools,
    output,
    write(path, content) {
      const file = join(folder, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, content)
      return file
    },
    call: async (name, input, context) => textOf(await output(name, input, context)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
