import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { delimiter, join } from "node:path"
import process from "node:process"
import { isObject } from "@orra/core"
import { call, fakeModelServer, lastText, textOf } from "@orra/testing"
import { expect, onTestFinished, test } from "vitest"
import { bench, temporaryDirectory } from "./fixture.ts"

/** The real program, where there is one: `ORRA_CLAUDE_CODE`, or what is installed. */
const program = [
  process.env["ORRA_CLAUDE_CODE"] ?? "",
  ...(process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "claude")),
].find((path) => {
  try {
    accessSync(path, constants.X_OK)
    return path !== ""
  } catch {
    return false
  }
})

test.skipIf(program === undefined)("the real Claude Code does a task, and goes on with it", async () => {
  const directory = temporaryDirectory()
  const home = join(temporaryDirectory(), "home")
  mkdirSync(home)
  const file = join(directory, "note.txt")
  writeFileSync(file, "old words")
  const server = await fakeModelServer(
    [
      call("Read", { file_path: file }),
      call("Edit", { file_path: file, old_string: "old", new_string: "new" }),
      "It says new words now.",
      "You asked about a note.",
    ],
    { apiKey: "test-key-of-the-fake" },
  )
  onTestFinished(() => server.close())
  const { use, shown } = bench({
    ...(program !== undefined && { command: program }),
    directory,
    home,
    env: { ANTHROPIC_API_KEY: "test-key-of-the-fake", ANTHROPIC_BASE_URL: server.url },
  })

  const first = await use("claude_code", { task: "--help: the note should say new words" })
  expect(textOf(first)).toContain("It says new words now.")
  expect(readFileSync(file, "utf8")).toBe("new words")
  expect(shown.join("")).toMatch(
    /^Read \{.*note\.txt.*\}\nEdit \{.*note\.txt.*\}\nIt says new words now\.\n$/,
  )
  const { structured } = first
  if (!isObject(structured)) throw new Error("nothing structured")
  expect(structured).toMatchObject({ ended: "success", turns: 3 })
  expect(structured["cost_usd"]).toBeGreaterThan(0)

  const follow = { session_id: structured["session_id"] ?? "", follow_up: "What did I ask?" }
  expect(textOf(await use("claude_code_resume", follow))).toContain("You asked about a note.")
  const last = await server.request(4)
  expect(lastText(last)).toContain("What did I ask?")
  expect(JSON.stringify(last.body)).toContain("--help: the note should say new words")
})
