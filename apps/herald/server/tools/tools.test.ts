import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { basename, join } from "node:path"
import {
  callTool,
  type JsonObject,
  MemoryStore,
  Namespace,
  PolicyRegistry,
  Runtime,
  type ToolRisk,
} from "@orra/core"
import { scriptedProvider } from "@orra/testing"
import { afterEach, beforeEach, expect, test } from "vitest"
import { loadConfig, parseConfig, principals } from "../config/load.ts"
import { buildTools } from "./tools.ts"

let base = ""
let dataDir = ""
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), "herald-tools-"))
  dataDir = join(base, "data")
  mkdirSync(dataDir)
})
afterEach(() => rmSync(base, { recursive: true }))

const config = (toml = "") => parseConfig(toml, "a.toml", {}).config
const build = (toml = "") =>
  buildTools({ config: config(toml), dataDir, file: undefined }, "UTC", new MemoryStore())
const namesOf = async (toml = ""): Promise<readonly string[]> =>
  (await build(toml)).tools.map(({ definition }) => definition.name)

const DEFAULT = [
  "current_time",
  "todo",
  "ask_user",
  "remember",
  "recall",
  "forget",
  "search_documents",
  "read_document",
  "list_documents",
  "cron",
  "web_fetch",
  "read_url",
]

test("on by default are the clock, the steps, the questions, the memory, the documents, the schedules and the web", async () => {
  expect(await namesOf()).toEqual(DEFAULT)
  const off =
    "[memory]\nenabled = false\n[tools]\nweb_fetch = false\nbrowser = false\ndocuments = false\n[cron]\nenabled = false\n"
  expect(await namesOf(off)).toEqual(["current_time", "todo", "ask_user"])
})

test.each([
  ['web_search = true\nweb_search_api_key = "k"', ["web_search"]],
  ['web_search = true\nweb_search_provider = "tavily"\nweb_search_api_key = "k"', ["web_search"]],
  [
    'web_search = true\nweb_search_provider = "searxng"\nweb_search_url = "https://search.example"',
    ["web_search"],
  ],
  ["filesystem = true", ["read_file", "list_dir", "search"]],
  ["exec = true", ["exec"]],
  ["claude_code = true", ["claude_code", "claude_code_resume"]],
])("with %j there is more", async (line, more) => {
  const names = await namesOf(`[tools]\n${line}\n`)
  const others = names.slice(DEFAULT.length)
  expect(names).toEqual([...DEFAULT, ...others])
  expect(others).toEqual(expect.arrayContaining(more))
})

test("searching without what it needs is refused, with what to set", async () => {
  await expect(build("[tools]\nweb_search = true\n")).rejects.toThrow("set tools.web_search_api_key")
  await expect(build('[tools]\nweb_search = true\nweb_search_provider = "searxng"\n')).rejects.toThrow(
    "set tools.web_search_url",
  )
})

test("GitHub is read when repositories are named, and written when that is said", async () => {
  const reading = await namesOf('[github]\nrepositories = ["acme/rockets"]\n')
  expect(reading).toContain("get_pull_request")
  expect(reading).not.toContain("merge_pull_request")
  expect(await namesOf('[github]\nrepositories = ["acme/rockets"]\nwrite = true\n')).toContain(
    "merge_pull_request",
  )
  await expect(build('[github]\nrepositories = ["rockets"]\n')).rejects.toThrow('write "owner/name"')
})

test("what reads is allowed to whom it is set for; nothing else is, to anybody", async () => {
  const policies = new PolicyRegistry()
  const ada = Namespace.of("ada", "session")
  const { tools, policy } = await build()
  policies.set(Namespace.of("ada"), policy)
  const decide = (namespace: Namespace, tool: string, risk: ToolRisk) =>
    policies.explain(namespace, { tool, risk, arguments: {} }).decision
  for (const { definition, risk } of tools) {
    expect(decide(ada, definition.name, risk), definition.name).toBe("allow")
    expect(decide(Namespace.of("bob"), definition.name, risk), definition.name).toBe("deny")
  }
  for (const risk of ["write", "exec", "network"] as const) expect(decide(ada, "another", risk)).toBe("deny")
})

/** What comes of a call of this person's model, as Herald is configured. */
async function called(toml: string, person: string, tool: string, input: JsonObject): Promise<string> {
  const loaded = { config: config(toml), dataDir, file: join(base, "herald-of-test.toml") }
  const { tools, hooks, policy } = await buildTools(loaded, "UTC", new MemoryStore())
  const policies = new PolicyRegistry()
  for (const namespace of principals(loaded.config)) policies.set(namespace, policy)
  const runtime = new Runtime({ provider: scriptedProvider([]), tools, hooks, policies })
  const { status, content } = await callTool(runtime, Namespace.of(person, "chat"), tool, input)
  return `${status}: ${content.map((part) => (part.type === "text" ? part.text : "")).join("")}`
}

const exec = (toml: string, person: string, command: string): Promise<string> =>
  called(toml, person, "exec", { command })

const ON = '[tools]\nexec = true\nexec_isolation = "off"\n'

test("a command runs when it is on the list, in a folder of one's own, and otherwise not", async () => {
  const people = '[[gateway.keys]]\nname = "Ada"\nkey = "ada-key-0123456789"\nnamespace = "a..da"\n'
  const toml = `${ON}exec_allowed_commands = ["pwd", "cat"]\n${people}`
  expect(await exec(toml, "web", "pwd")).toBe(`ok: ${join(dataDir, "work", "web")}`)
  expect(await exec(toml, "a..da", "pwd")).toBe(`ok: ${join(dataDir, "work", "a%2E%2Eda")}`)
  expect(await exec(toml, "somebody", "pwd")).toMatch(/^denied/)
  expect(await exec(toml, "web", "ls")).toMatch(/^denied: "exec" needs a person's approval/)
  expect(await exec(toml, "web", "cat ../../herald.db")).toMatch(/^denied: "exec" needs a person's approval/)
  expect(await exec(toml, "web", "pwd | cat")).toMatch(/^denied.*There is no shell here/)
  expect(await exec(ON, "web", "pwd")).toMatch(/^denied/)
})

test("the owner can have another folder, and nobody else has it", async () => {
  const folder = join(dataDir, "mine")
  const toml = `${ON}exec_allowed_commands = ["pwd"]\nexec_working_directory = "${folder}"\n[[gateway.keys]]\nname = "Ada"\nkey = "ada-key-0123456789"\nnamespace = "ada"\n`
  expect(await exec(toml, "web", "pwd")).toBe(`ok: ${folder}`)
  expect(await exec(toml, "ada", "pwd")).toBe(`ok: ${join(dataDir, "work", "ada")}`)
})

test("the owner's other folder cannot be one that the data directory is in", async () => {
  for (const folder of [dataDir, `${dataDir}/`, tmpdir(), "/"])
    await expect(build(`${ON}exec_working_directory = "${folder}"`)).rejects.toThrow(
      "the data directory is in it",
    )
})

test("how commands are confined is told, and a list that is none is refused", async () => {
  expect((await build(ON)).remarks[0]).toBe(
    "exec: not isolated: isolation is off; a command can read and write what this process can, and has its network",
  )
  expect((await build()).remarks).toEqual([])
  await expect(build(`${ON}exec_allowed_commands = ["ls | cat"]\n`)).rejects.toThrow("is not a rule")
})

test("a relative folder begins where Herald was started", () => {
  writeFileSync(join(dataDir, "assistant.toml"), '[tools]\nexec_working_directory = "mine"\n')
  const { config: loaded } = loadConfig({ cwd: dataDir, env: {} })
  expect(loaded.tools.exec_working_directory).toBe(join(dataDir, "mine"))
})

const ADA = '[[gateway.keys]]\nname = "Ada"\nkey = "ada-key-0123456789"\nnamespace = "ada"\n'
const FILES = "[tools]\nfilesystem = true\n"

test("files are read in a folder of one's own; writing is asked about, unless it is allowed or denied", async () => {
  const toml = `${FILES}filesystem_write = "allow"\n${ADA}`
  expect(await called(toml, "ada", "write_file", { path: "note", content: "of Ada" })).toMatch(
    /^ok: Wrote 6 bytes/,
  )
  expect(await called(toml, "ada", "read_file", { path: "note" })).toContain("1| of Ada")
  expect(await called(toml, "web", "read_file", { path: "note" })).toMatch(/^error: note does not exist/)
  expect(await called(toml, "web", "read_file", { path: "../ada/note" })).toMatch(/^error: .*leads out of/)
  expect(await called(toml, "somebody", "read_file", { path: "note" })).toMatch(/^denied/)
  expect(await called(FILES, "web", "write_file", { path: "a", content: "" })).toMatch(
    /^denied: "write_file" needs a person's approval/,
  )
  expect(await called(`${FILES}filesystem_write = "deny"\n`, "web", "edit_file", {})).toMatch(/^denied/)
  expect(await namesOf(`${FILES}filesystem_write = "deny"\n`)).not.toContain("write_file")
})

test("the owner's files can be elsewhere, but Herald's own are in nobody's reach", async () => {
  const folder = base
  mkdirSync(join(base, "sub"))
  const toml = `${FILES}filesystem_write = "allow"\nfilesystem_base_dir = "${folder}"\nfilesystem_protected_paths = ["!assistant.toml"]\n`
  writeFileSync(join(dataDir, "herald.db"), "secret")
  const inData = `${basename(dataDir)}/herald.db`
  for (const path of [inData, join(dataDir, "new"), "herald-of-test.toml", "sub/assistant.toml"]) {
    expect(await called(toml, "web", "read_file", { path }), path).toMatch(/^error: .*is protected/)
    expect(await called(toml, "web", "write_file", { path, content: "" }), path).toMatch(
      /^error: .*is protected/,
    )
  }
  for (const inside of [dataDir, join(dataDir, "logs")])
    await expect(build(`${FILES}filesystem_base_dir = "${inside}"\n`)).rejects.toThrow(
      "in the data directory",
    )
  const { remarks } = await build(toml)
  expect(remarks).toEqual([expect.stringContaining(`the owner's are in ${folder}`)])
})
