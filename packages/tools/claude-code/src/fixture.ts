import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type JsonObject, MemoryStore, Namespace, type ToolContext, type ToolOutput } from "@orra/core"
import { useTool } from "@orra/testing"
import { onTestFinished } from "vitest"
import { type ClaudeCodeOptions, claudeCode } from "./index.ts"

export const SESSION = Namespace.of("acme", "bob", "chat")

/** A directory of its own for one test, by its real path. */
export function temporaryDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), "claude-code-test-")))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** A program that stands in for the real one: what it is asked is in `asked`, then this code runs. */
export function standIn(code: string): string {
  const directory = temporaryDirectory()
  const path = join(directory, "claude")
  // What stands in a folder above says nothing of how this is read.
  writeFileSync(join(directory, "package.json"), '{"type":"commonjs"}')
  const before = [
    "const { readFileSync, writeFileSync } = require('node:fs')",
    "const asked = { args: process.argv.slice(2), input: readFileSync(0, 'utf8'), env: process.env, cwd: process.cwd() }",
    "const say = (event) => process.stdout.write(JSON.stringify(event) + '\\n')",
    "const id = asked.args.find((each) => /^--(session-id|resume)=/.test(each)).split('=')[1]",
  ]
  writeFileSync(path, `#!${process.execPath}\n${before.join("\n")}\n${code}\n`)
  chmodSync(path, 0o755)
  return path
}

/** What the real one says of a task that it did, as it was recorded. */
export const RECORDED = `
say({ type: "system", subtype: "init", cwd: asked.cwd, session_id: id, tools: ["Bash", "Edit", "Read"] })
say({ type: "assistant", message: { id: "msg_1", role: "assistant", content: [
  { type: "text", text: "Let me look." },
  { type: "tool_use", id: "toolu_1", name: "Read", input: { file_path: "/x" } } ] }, session_id: id })
say({ type: "user", message: { role: "user", content: [{ tool_use_id: "toolu_1", type: "tool_result", content: "1 x" }] } })
say({ type: "assistant", message: { id: "msg_2", role: "assistant", content: [{ type: "text", text: "Done it." }] } })
say({ type: "result", subtype: "success", is_error: false, duration_ms: 532, num_turns: 2, result: "Done it.",
  session_id: id, total_cost_usd: 0.25, permission_denials: [] })`

/** The tools with this program, and how to use them. */
export function bench(options: Partial<ClaudeCodeOptions> = {}) {
  const directory = typeof options.directory === "string" ? options.directory : temporaryDirectory()
  const store = options.store ?? new MemoryStore()
  const tools = claudeCode({ directory, store, home: directory, ...options })
  const shown: string[] = []
  const use = (name: string, input: JsonObject, context: Partial<ToolContext> = {}): Promise<ToolOutput> =>
    useTool(tools, name, input, { namespace: SESSION, progress: (text) => void shown.push(text), ...context })
  return { tools, use, directory, store, shown }
}
