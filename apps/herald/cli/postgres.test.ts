import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type FakeModelServer, fakeModelServer } from "@orra/testing"
import { type PostgresServer, postgresServer } from "@orra/testing/postgres"
import { afterAll, beforeAll, expect, test } from "vitest"
import { type HeraldProcess, heraldProcess, heraldRun } from "./herald-process.ts"

const KEY = "sk-ant-test-key-1234"
const OWNER = { authorization: "Bearer owner-key-0123456789", "content-type": "application/json" }
let database: PostgresServer
let model: FakeModelServer
const folders: string[] = []
const running: HeraldProcess[] = []
beforeAll(async () => {
  database = await postgresServer({ durable: false })
  model = await fakeModelServer(["Milk, noted."], { apiKey: KEY })
})
afterAll(async () => {
  await Promise.all(running.map((herald) => herald.stop("SIGKILL")))
  await model.close()
  await database.stop()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), "herald-pg-"))
  folders.push(folder)
  writeFileSync(
    join(folder, "assistant.toml"),
    `[gateway]\napi_key = "owner-key-0123456789"\n[sessions]\nurl = "${database.url}"\n[audit]\nenabled = true\n`,
  )
  return folder
}

async function start(cwd: string): Promise<HeraldProcess> {
  const env = { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: model.url }
  const herald = await heraldProcess({ cwd, args: ["--port", "0"], env })
  running.push(herald)
  return herald
}

const titles = async ({ url }: HeraldProcess): Promise<unknown> => {
  const response = await fetch(`${url}/api/sessions`, { headers: OWNER })
  return (await response.json()) as unknown
}

test("everything is in PostgreSQL: after kill -9 the next one goes on at once, and no second one works beside it", async () => {
  const folder = place()
  const first = await start(folder)
  const body = JSON.stringify({ message: "Remember the milk.", namespace: "web:list" })
  const answer = await fetch(`${first.url}/api/chat`, { method: "POST", headers: OWNER, body })
  expect(await answer.json()).toMatchObject({ message: "Milk, noted." })
  const run = (...args: string[]) => heraldRun({ cwd: folder, args })
  expect((await run("audit", "--verify")).stdout).toContain("are as they were written")
  expect((await run("backup")).stderr).toContain("pg_dump")
  await first.stop("SIGKILL")

  const next = await start(folder)
  expect(await titles(next)).toMatchObject({ sessions: [{ namespace: "web:list" }] })
  expect((await run("export", "web", "all.jsonl")).stderr).toContain("is using")
  expect(await next.stop("SIGTERM")).toBe(0)
  expect((await run("export", "web", "all.jsonl")).stdout).toContain("Exported web")
})

test.runIf(process.env["ORRA_TEST_FULL"])("a second Herald on the database is told, and stops", async () => {
  await start(place())
  const second = await heraldRun({ cwd: place(), args: ["--port", "0"], env: { ANTHROPIC_API_KEY: KEY } })
  expect([second.code, second.stderr]).toEqual([
    1,
    expect.stringContaining("Another Herald is using this database"),
  ])
})
