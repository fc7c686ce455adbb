import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, test } from "vitest"
import { loadConfig } from "../server/config/load.ts"
import { parseFlags } from "./flags.ts"
import { explainPolicy } from "./policy.ts"

let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "herald-policy-"))
  writeFileSync(
    join(folder, "assistant.toml"),
    `[tools]
exec = true
exec_isolation = "off"
exec_allowed_commands = ["ls"]
filesystem = true
[[policy]]
tools = ["exec"]
channels = ["discord"]
reason = "no programs there"
[[policy]]
decision = "allow"
tools = ["write_file"]
arguments = { path = "notes/*" }
`,
  )
})
afterEach(() => rmSync(folder, { recursive: true }))

/** What `herald policy explain` says, by its command line. */
async function explained(...args: readonly string[]): Promise<string> {
  const output = { out: () => {}, error: () => {} }
  const flags = parseFlags(["policy", "explain", ...args], "1", output)
  if ("exit" in flags || flags.task?.type !== "policy") throw new Error("not understood")
  return await explainPolicy(loadConfig({ cwd: folder, env: { HERALD_KEYCHAIN: "off" } }), flags.task)
}

test("says what would be decided and who speaks, and leaves no trace", async () => {
  const ls = ["exec", "--arguments", '{"command":"ls"}']
  expect(await explained(...ls)).toMatch(/^allow {2}web: allow "exec: allow `ls /m)
  const discord = await explained(...ls, "--channel", "discord")
  expect(discord).toMatch(/^deny {2}discord: deny "policy 1: no programs there"$/m)
  expect(discord).toContain("nobody there can be asked")
  expect(discord).toMatch(/^ {2}policy 2 +nothing$/m)
  const write = await explained("write_file", "--arguments", '{"path":"notes/a","content":""}')
  expect(write).toMatch(/^allow {2}web: allow "policy 2"$/m)
  expect(write).toMatch(/^ {2}the tools' own sections +ask {2}ask "write_file"$/m)
  expect(write).toMatch(/^ {2}policy 1: no programs there +for others$/m)
  expect(readdirSync(folder)).toEqual(["assistant.toml"])
})

test.each([
  [["exce"], "tool_unknown"],
  [["exec", "--arguments", "ls"], "arguments_invalid"],
  [["read_file", "--arguments", "{}", "--channel", "api"], "namespace_needed"],
  [["read_file", "--as", "family:ada"], "namespace_unknown"],
  [["exec", "--arguments", '{"command":"nonsuch-program"}'], "call_rejected"],
])("%j is said to be wrong", async (args, code) => {
  await expect(explained(...args)).rejects.toMatchObject({ code })
})
