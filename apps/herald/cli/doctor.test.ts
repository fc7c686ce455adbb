import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fakeModelServer } from "@orra/testing"
import { fakeDiscord } from "@orra/testing/discord"
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest"
import { loadConfig } from "../server/config/load.ts"
import { doctor } from "./doctor.ts"
import { heraldProcess } from "./herald-process.ts"

const KEY = "sk-ant-right-key"
let folder = ""
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "herald-doctor-"))
})
afterEach(() => rmSync(folder, { recursive: true }))

async function examine(
  toml: string,
  {
    env = {},
    isOffline = false,
    discordApi,
  }: { env?: Record<string, string>; isOffline?: boolean; discordApi?: string } = {},
) {
  writeFileSync(join(folder, "assistant.toml"), toml)
  const all = { CLAUDE_CREDENTIALS_FILE: join(folder, "none"), HERALD_KEYCHAIN: "off", ...env }
  const lines: string[] = []
  const code = await doctor(loadConfig({ cwd: folder, env: all }), {
    env: all,
    isOffline,
    write: (line) => lines.push(line),
    ...(discordApi !== undefined && { discordApi }),
  })
  return { code, text: lines.join("\n") }
}

test("all is well: each thing is named, and whom it asks before it asks them", async () => {
  await using model = await fakeModelServer(["OK"], { apiKey: KEY })
  const discord = await fakeDiscord()
  onTestFinished(() => discord.close())
  const { code, text } = await examine(
    `[gateway]\nport = 0\n[discord]\ntoken = "${discord.token}"\n[[mcp.servers]]\nname = "notes"\nurl = "https://notes.example/mcp"\n[voice]\nenabled = true\napi_url = "https://voice.example/v1"\n`,
    { env: { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: model.url }, discordApi: discord.api },
  )
  expect(text).toMatch(/^ok +model +claude-opus-4-6 answers; key: ANTHROPIC_API_KEY$/m)
  expect(text).toMatch(/^ok +discord +.* may connect/m)
  expect(text).toMatch(/^ok +clock +right, zone /m)
  expect(text).toMatch(/^ok +port +0 of 127\.0\.0\.1 is free$/m)
  expect(text).toMatch(/^note +hosts +.*gateway\.discord\.gg.*voice\.example.*notes\.example/m)
  expect(text.indexOf("asking 127.0.0.1")).toBeLessThan(text.indexOf("answers; key"))
  expect(text).not.toContain(KEY)
  expect(text).not.toContain(discord.token)
  expect(code).toBe(0)
  // It looked, and that was all.
  expect(readdirSync(folder)).toEqual(["assistant.toml"])
})

test("what is wrong is said with what to do", async () => {
  await using model = await fakeModelServer([], { apiKey: KEY })
  const discord = await fakeDiscord()
  onTestFinished(() => discord.close())
  discord.forbidIntents(1 << 15)
  const other = createServer((_, response) => response.end("something else")).listen(0, "127.0.0.1")
  onTestFinished(() => void other.close())
  await new Promise((resolve) => other.once("listening", resolve))
  mkdirSync(join(folder, "data"))
  writeFileSync(join(folder, "data", "herald.db"), "no database")
  chmodSync(join(folder, "data"), 0o755)
  const { code, text } = await examine(
    `[gateway]\nport = ${(other.address() as AddressInfo).port}\n[discord]\ntoken = "${discord.token}"\nfilter = "all"\n`,
    {
      env: { ANTHROPIC_API_KEY: "sk-ant-wrong-key", ANTHROPIC_BASE_URL: model.url },
      discordApi: discord.api,
    },
  )
  expect(text).toMatch(/^wrong +database +damaged .*restore/m)
  if (process.platform !== "win32") expect(text).toMatch(/^note +file modes +others could read /m)
  expect(text).toMatch(/^wrong +port +.* is taken by another program/m)
  expect(text).toMatch(/^wrong +model +/m)
  expect(text).toMatch(/^wrong +discord +.*Message Content Intent/m)
  expect(text).not.toContain("sk-ant-wrong-key")
  expect(code).toBe(1)
})

test("an address on which Herald would not listen is wrong, though it is free", async () => {
  const { code, text } = await examine('[gateway]\nport = 0\nhost = "0.0.0.0"\n', { isOffline: true })
  expect(text).toMatch(/^wrong +port +Listening on 0\.0\.0\.0, .* needs gateway\.api_key/m)
  expect(code).toBe(1)
})

test("beside a Herald that runs, and without asking anybody", async () => {
  await using model = await fakeModelServer([], { apiKey: KEY })
  const env = { ANTHROPIC_API_KEY: KEY, ANTHROPIC_BASE_URL: model.url, HERALD_KEYCHAIN: "off" }
  const herald = await heraldProcess({ cwd: folder, args: ["--port", "0"], env })
  onTestFinished(async () => void (await herald.stop("SIGKILL")))
  const { code, text } = await examine(`[gateway]\nport = ${new URL(herald.url).port}\n`, {
    env,
    isOffline: true,
  })
  expect(text).toMatch(/^ok +port +.* a Herald runs there$/m)
  expect(text).toMatch(/^note +model +a Herald runs on this data/m)
  expect(text).toMatch(/^note +network +not asked: 127\.0\.0\.1/m)
  expect(model.requests).toEqual([])
  expect(code).toBe(0)
})
