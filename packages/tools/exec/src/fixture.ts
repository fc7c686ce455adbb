import { mkdtempSync, realpathSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import {
  Approvals,
  callTool,
  type JsonObject,
  MemoryStore,
  Namespace,
  PolicyRegistry,
  Runtime,
  type ToolResultPart,
} from "@orra/core"
import { scriptedProvider } from "@orra/testing"
import { onTestFinished } from "vitest"
import { type Exec, type ExecOptions, execTool } from "./index.ts"

/** Where Node is, for programs that tests write: rules that name its arguments are taken at their word. */
export const NODE = process.execPath

export const SESSION = Namespace.of("acme", "bob", "chat")

/** A directory of its own for one test, by its real path. */
export function temporaryDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "exec-test-")))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export interface Bench {
  readonly directory: string
  readonly exec: Exec
  readonly runtime: Runtime
  readonly approvals: Approvals
  readonly policies: PolicyRegistry
  readonly progress: string[]
  /** Calls exec as a model's call would be carried out: through hooks, policy, log. */
  call(input: JsonObject, options?: { readonly signal?: AbortSignal }): Promise<ToolResultPart>
}

/** exec in a real runtime, with every rule there is. */
export function bench(options: Partial<ExecOptions> = {}): Bench {
  const directory = typeof options.directory === "string" ? options.directory : temporaryDirectory()
  const exec = execTool({ directory, isolation: "off", graceMs: 300, ...options })
  const policies = new PolicyRegistry()
  policies.set(Namespace.of("acme"), exec.policy)
  const approvals = new Approvals()
  const runtime = new Runtime({
    provider: scriptedProvider([]),
    store: new MemoryStore(),
    tools: [exec.tool],
    hooks: [exec.hooks],
    policies,
    approvals,
  })
  const progress: string[] = []
  return {
    directory,
    exec,
    runtime,
    approvals,
    policies,
    progress,
    call: (input, { signal } = {}) =>
      callTool(runtime, SESSION, "exec", input, { ...(signal && { signal }) }),
  }
}

export const textOf = ({ content }: Pick<ToolResultPart, "content">): string =>
  content.map((part) => (part.type === "text" ? part.text : "")).join("")
