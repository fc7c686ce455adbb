import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { call, type FakeModelServer, fakeModelServer, say } from "@orra/testing"
import { afterEach, beforeEach, expect, test } from "vitest"
import { type HeraldProcess, heraldProcess, heraldRun } from "./herald-process.ts"

const KEY = "sk-ant-test-key-1234"
const OWNER = { authorization: "Bearer owner-key-0123456789", "content-type": "application/json" }
let folder = ""
let model: FakeModelServer
let herald: HeraldProcess | undefined
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "herald-audit-"))
  model = await fakeModelServer([call("current_time", {}), say("It is noon, canary.")], { apiKey: KEY })
})
afterEach(async () => {
  await herald?.stop("SIGKILL")
  await model.close()
  rmSync(folder, { recursive: true, force: true })
})

const run = (...args: string[]) => heraldRun({ cwd: folder, args })

async function talkWithAudit(audit: string): Promise<void> {
  writeFileSync(join(folder, "assistant.toml"), `[gateway]\napi_key = "owner-key-0123456789"\n${audit}`)
  herald = await heraldProcess({
    cwd: folder,
    args: ["--port", "0"],
    env: { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: model.url },
  })
  const ask = async (path: string, method: string, body: object): Promise<void> => {
    const init = { method, headers: OWNER, body: JSON.stringify(body) }
    expect((await fetch(`${herald?.url}${path}`, init)).status).toBe(200)
  }
  await ask("/api/chat", "POST", { message: "What time is it, canary?", namespace: "web:chat" })
  await ask("/api/settings/values", "PUT", { "tools.web_fetch": false })
}

test("what was decided and set is shown while Herald runs, and what was changed later is found", async () => {
  await talkWithAudit("[audit]\nenabled = true\n")
  const shown = await run("audit")
  expect(shown.stdout).toMatch(
    /web:chat {2}tool_intent {2}.*decision=allow name=current_time reason="web: allow/,
  )
  expect(shown.stdout).toMatch(/web:chat {2}run_finished/)
  expect(shown.stdout).toMatch(/herald {2}settings_changed {2}.*"tools.web_fetch"/)
  expect(shown.stdout).not.toContain("canary")
  const newest = await run("audit", "web:chat", "--json", "--last", "1")
  expect(
    newest.stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line)),
  ).toMatchObject([{ namespace: "web:chat" }])
  expect((await run("audit", "--verify")).stdout).toMatch(
    /^All \d+ links of \d+ chains are as they were written\.$/m,
  )

  await herald?.stop("SIGTERM")
  const database = new DatabaseSync(join(folder, "data", "herald.db"))
  database.exec("update audit set body = replace(body, 'allow', 'deny') where ns = 'web:chat'")
  database.close()
  const broken = await run("audit", "--verify")
  expect([broken.code, broken.stderr]).toEqual([
    1,
    expect.stringMatching(/Link \d+ of web:chat is not as it was written/),
  ])
})

test("nothing is written down unless it is on, and that is said", async () => {
  await talkWithAudit("")
  expect((await run("audit")).stdout).toContain("set audit.enabled = true")
  expect((await run("audit", "--last", "0")).code).toBe(1)
})
