import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { type JsonObject, Namespace, type Tool, type ToolContext, type ToolOutput } from "@orra/core"
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
  const all = toolsHolding(holding, { root, ...options })
  const tools = new Map(all.map((tool) => [tool.definition.name, tool]))
  const output: Fixture["output"] = async (name, input, context) => {
    const tool = tools.get(name)
    if (!tool) throw new Error(`There is no tool ${name}.`)
    return await tool.execute(await tool.parse(input), { ...CONTEXT, ...context })
  }
  return {
    folder,
    root,
    outside,
    tools: all,
    output,
    write(path, content) {
      const file = join(folder, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, content)
      return file
    },
    async call(name, input, context) {
      const { content } = await output(name, input, context)
      return content.map((part) => (part.type === "text" ? part.text : `<${part.mediaType}>`)).join("\n")
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

const CONTEXT: ToolContext = {
  namespace: Namespace.parse("test"),
  runId: "run",
  callId: "call",
  idempotencyKey: "key",
  signal: new AbortController().signal,
  metadata: {},
  progress() {},
}
