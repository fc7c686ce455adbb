import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type FakeModelServer, fakeModelServer } from "@orra/testing"
import { afterEach, beforeEach, expect, test } from "vitest"
import { openDataDirectory } from "../server/data/directory.ts"
import { type HeraldProcess, heraldProcess, heraldRun } from "./herald-process.ts"

const KEY = "owner-key-0123456789"
const headers = { authorization: `Bearer ${KEY}`, "content-type": "application/json" }
let folder = ""
let model: FakeModelServer
let herald: HeraldProcess | undefined
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "herald-backup-"))
  model = await fakeModelServer([], { otherwise: () => "Heard." })
  writeFileSync(join(folder, "assistant.toml"), `[gateway]\napi_key = "${KEY}"\n`)
})
afterEach(async () => {
  await herald?.stop("SIGKILL")
  await model.close()
  rmSync(folder, { recursive: true, force: true })
})

const run = (...args: string[]) => heraldRun({ cwd: folder, args })
const start = async (...args: string[]) => {
  herald = await heraldProcess({
    cwd: folder,
    args: ["--port", "0", ...args],
    env: { ANTHROPIC_API_KEY: "sk-ant-x", ANTHROPIC_BASE_URL: model.url, HERALD_KEYCHAIN: "off" },
  })
  return herald.url
}
const say = async (url: string, message: string) => {
  const answer = await fetch(`${url}/api/chat`, {
    method: "POST",
    headers,
    body: JSON.stringify({ message, namespace: "web:a" }),
  })
  expect(answer.status).toBe(200)
}
const texts = async (url: string) => (await fetch(`${url}/api/sessions/web:a`, { headers })).text()

test("a backup of a running Herald brings back what was said and the files, and what is there is moved aside", async () => {
  const url = await start()
  await say(url, "The first word")
  mkdirSync(join(folder, "data", "work", "web"), { recursive: true })
  writeFileSync(join(folder, "data", "work", "web", "notes.txt"), "kept")
  expect(await run("backup", "kept.tar.gz")).toMatchObject({ code: 0, stderr: "" })
  if (process.platform !== "win32") expect(statSync(join(folder, "kept.tar.gz")).mode & 0o777).toBe(0o600)
  expect((await run("backup", "kept.tar.gz")).stderr).toContain("is there already")
  await say(url, "The second word")
  expect((await run("restore", "kept.tar.gz", "--replace")).stderr).toContain("stop it")
  await herald?.stop()

  expect((await run("restore", "kept.tar.gz")).stderr).toContain("add --replace")
  writeFileSync(join(folder, "data", "work", "web", "notes.txt"), "changed")
  expect(await run("restore", "kept.tar.gz", "--replace")).toMatchObject({ code: 0, stderr: "" })
  expect(readFileSync(join(folder, "data", "work", "web", "notes.txt"), "utf8")).toBe("kept")
  const before = readdirSync(join(folder, "data")).find((name) => name.startsWith("before-")) ?? ""
  expect(readFileSync(join(folder, "data", before, "work", "web", "notes.txt"), "utf8")).toBe("changed")
  const then = await texts(await start())
  expect(then).toContain("The first word")
  expect(then).not.toContain("The second word")
  await herald?.stop()

  expect(await run("restore", "kept.tar.gz", "--data-dir", "elsewhere")).toMatchObject({ code: 0 })
  expect(await texts(await start("--data-dir", "elsewhere"))).toContain("The first word")
})

test("what is no whole backup changes nothing", async () => {
  await say(await start(), "Still here")
  await herald?.stop()
  await run("backup", "kept.tar.gz")
  truncateSync(join(folder, "kept.tar.gz"), 2_000)
  writeFileSync(join(folder, "other.tar.gz"), "no archive")
  for (const file of ["kept.tar.gz", "other.tar.gz"]) {
    const { code, stderr } = await run("restore", file, "--replace")
    expect(stderr, file).toContain("no whole backup")
    expect(code).toBe(1)
  }
  expect((await run("restore", "none.tar.gz")).stderr).toContain("There is no file")
  expect((await run("backup", "--data-dir", "nowhere")).stderr).toContain("nothing to keep")
  expect(await texts(await start())).toContain("Still here")
})

test.each(["restore-moving-out", "restore-moving-in"])(
  "a restore that was cut off in %s is finished at the next start",
  (place) => {
    const data = join(folder, "data")
    mkdirSync(join(data, "restore-unpacking", "work"), { recursive: true })
    writeFileSync(join(data, "restore-unpacking", "herald.db"), "new")
    renameSync(join(data, "restore-unpacking"), join(data, place))
    if (place === "restore-moving-out") writeFileSync(join(data, "herald.db"), "old")
    openDataDirectory(data).release()
    expect(readFileSync(join(data, "herald.db"), "utf8")).toBe("new")
    expect(readdirSync(data).filter((name) => name.startsWith("restore-"))).toEqual([])
    const before = readdirSync(data).filter((name) => name.startsWith("before-"))
    expect(before.map((name) => readFileSync(join(data, name, "herald.db"), "utf8"))).toEqual(
      place === "restore-moving-out" ? ["old"] : [],
    )
  },
)
