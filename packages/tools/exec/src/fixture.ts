import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { type JsonObject, Namespace, type ToolResultPart } from "@orra/core"
import { type ToolBench, toolBench } from "@orra/testing"
import { onTestFinished } from "vitest"
import { type Exec, type ExecOptions, execTool } from "./index.ts"

/** Where Node is, for programs that tests write: rules that name its arguments are taken at their word. */
export const NODE = process.execPath

export const USER = Namespace.of("acme", "bob")

export const SESSION = USER.child("chat")

/** A directory of its own for one test, by its real path. */
export function temporaryDirectory(after: (remove: () => void) => unknown = onTestFinished): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "exec-test-")))
  after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export interface Bench extends Omit<ToolBench, "call"> {
  readonly directory: string
  readonly exec: Exec
  /** Calls exec as a model's call would be carried out: through hooks, policy, log. */
  call(input: JsonObject, options?: { readonly signal?: AbortSignal }): Promise<ToolResultPart>
}

/** exec in a real runtime, with every rule there is. */
export function bench(options: Partial<ExecOptions> = {}): Bench {
  const directory = typeof options.directory === "string" ? options.directory : temporaryDirectory()
  const exec = execTool({ directory, isolation: "off", graceMs: 300, ...options })
  const made = toolBench([exec.tool], { hooks: [exec.hooks], policy: exec.policy, user: USER })
  return { ...made, directory, exec, call: (input, more) => made.call("exec", input, more) }
}

/** A text as one word of a command. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`

/** exec with one shell script that it may run, and the call of it. */
export function script(
  text: string,
  options: Partial<ExecOptions> = {},
): Bench & { readonly run: (input?: JsonObject, signal?: AbortSignal) => Promise<ToolResultPart> } {
  const made = bench({ allow: [{ program: "sh", args: ["-c", text] }], ...options })
  const command = `sh -c ${quoted(text)}`
  return { ...made, run: (input = {}, signal) => made.call({ command, ...input }, signal ? { signal } : {}) }
}

let count = 0

/** A number of seconds that nobody else sleeps, so that who sleeps it can be told from everybody. */
export const longTime = (): string => `9${process.pid}.${++count}`

/** The processes that have this word among their arguments. */
export function processesWith(word: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(word)
      } catch {
        return false
      }
    })
    .map(Number)
}

/** Resolves when it holds: for what happens in another process, which tells nobody. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(10)
}
