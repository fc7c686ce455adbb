import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type FakeModelServer, fakeModelServer } from "@orra/testing"
import { findInFolder } from "@orra/testing/erasure"
import { afterEach, beforeEach, expect, test } from "vitest"
import { type HeraldProcess, heraldProcess, heraldRun } from "./herald-process.ts"

const KEY = "sk-ant-test-key-1234"
const ADA = { authorization: "Bearer ada-key-0123456789", "content-type": "application/json" }
let folder = ""
let model: FakeModelServer
let herald: HeraldProcess | undefined
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "herald-data-"))
  model = await fakeModelServer(["I heard of the canary-zebra."], { apiKey: KEY })
})
afterEach(async () => {
  await herald?.stop("SIGKILL")
  await model.close()
  rmSync(folder, { recursive: true, force: true })
})

const run = (...args: string[]) => heraldRun({ cwd: folder, args })
const start = () =>
  heraldProcess({
    cwd: folder,
    args: ["--port", "0"],
    env: { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: model.url },
  })

test("somebody's chats are exported, erased, and imported again", async () => {
  writeFileSync(
    join(folder, "assistant.toml"),
    '[gateway]\napi_key = "owner-key-0123456789"\n[[gateway.keys]]\nname = "Ada"\nkey = "ada-key-0123456789"\nnamespace = "family:ada"\n',
  )
  herald = await start()
  const body = JSON.stringify({ message: "Have you seen the canary-zebra?" })
  const answer = await fetch(`${herald.url}/api/chat`, { method: "POST", headers: ADA, body })
  expect(await answer.json()).toMatchObject({ message: "I heard of the canary-zebra." })
  const busy = await run("erase", "family:ada", "--yes")
  expect([busy.code, busy.stderr]).toEqual([1, expect.stringContaining("Another Herald")])
  await herald.stop()

  const exported = await run("export", "family:ada")
  expect([exported.code, exported.stderr]).toEqual([0, ""])
  expect(
    exported.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).type)
      .at(-1),
  ).toBe("end")
  expect(exported.stdout).toContain("canary-zebra")
  writeFileSync(join(folder, "ada.jsonl"), exported.stdout)

  const unasked = await run("erase", "family:ada")
  expect([unasked.code, unasked.stderr]).toEqual([1, expect.stringContaining("add --yes")])
  const erased = await run("erase", "family:ada", "--yes")
  expect(erased).toMatchObject({ code: 0, stdout: expect.stringContaining("Erased 1 chats of family:ada") })
  expect(findInFolder(join(folder, "data"), "canary-zebra")).toEqual({})

  expect((await run("export", "family:ada", "ada.jsonl")).stderr).toContain("is there already")
  const back = await run("import", "ada.jsonl")
  expect(back).toMatchObject({ code: 0, stdout: expect.stringContaining("Imported 1 chats") })
  expect((await run("import", "ada.jsonl")).stderr).toContain("There is already the session")
  expect((await run("import", "ada.jsonl", "--skip-existing")).code).toBe(0)
  expect((await run("export", "family:ada", "again.jsonl")).code).toBe(0)
  const again = readFileSync(join(folder, "again.jsonl"), "utf8")
  expect(again.split("\n").slice(1)).toEqual(exported.stdout.split("\n").slice(1))
})

test.each([
  [["erase", "family::ada", "--yes"], "A namespace segment may not be empty."],
  [["import", "none.jsonl"], "none.jsonl."],
  [["export"], "missing required argument 'namespace'"],
  [["exprot", "a"], "error:"],
])("%j ends with 1 and a line that says why", async (args, message) => {
  const { code, stderr } = await run(...args)
  expect([code, stderr]).toEqual([1, expect.stringContaining(message)])
  expect(stderr).not.toContain("    at ")
})
