import { InvalidInput } from "../errors.ts"
import type { Hooks } from "../hooks.ts"

export interface WorkingDirectoryOptions {
  /** The tools that take a directory, by name. */
  readonly tools: readonly string[]
  /** The argument it goes in. Default `working_directory`. */
  readonly argument?: string
  /** The key of the session's metadata it comes from. Default `working_directory`. */
  readonly key?: string
}

/**
 * Tells tools where a session works: a call of one of them that names no directory gets the one in the session's own
 * metadata, as it is at that moment.
 *
 * ```ts
 * const runtime = new Runtime({ provider, tools: [exec], hooks: [workingDirectory({ tools: ["exec"] })] })
 * await runtime.update(session, { working_directory: "/home/bob/project" })
 * ```
 *
 * A directory that the model names stays: where it may work is for the tool and for policy to say, which judge the
 * arguments that this hook leaves. It remembers nothing, so one session's directory is never another's.
 *
 * @throws InvalidInput without a tool.
 */
export function workingDirectory({
  tools,
  argument = "working_directory",
  key = argument,
}: WorkingDirectoryOptions): Hooks {
  if (tools.length === 0) throw new InvalidInput("Name the tools that take a working directory.")
  const names = new Set(tools)
  return {
    name: "working-directory",
    beforeTool(call, { metadata }) {
      const directory = Object.hasOwn(metadata, key) ? metadata[key] : undefined
      if (typeof directory !== "string" || directory === "" || !names.has(call.name)) return undefined
      const own = Object.hasOwn(call.arguments, argument) ? call.arguments[argument] : undefined
      // Models write null or nothing for what they leave out.
      if (own !== undefined && own !== null && own !== "") return undefined
      return { arguments: { ...call.arguments, [argument]: directory } }
    },
  }
}
