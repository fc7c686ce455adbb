import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { OrraError, userMessage } from "@orra/core"
import { type SqliteStore, sqliteStore } from "@orra/store-sql"
import { type FakeModelServer, fail, fakeModelServer } from "@orra/testing"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { parseConfig } from "../config/load.ts"
import type { ClaudeLogin } from "./claude-login.ts"
import { ProviderService } from "./service.ts"
import { openVault } from "./vault.ts"

const KEY = "sk-ant-right-key"
const OPENAI_KEY = "sk-openai-right-key"
let folder = ""
let store: SqliteStore
let claude: FakeModelServer
let openai: FakeModelServer
let hidden: Set<string | undefined>

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "herald-provider-"))
  store = await sqliteStore({ path: join(folder, "herald.db") })
  claude = await fakeModelServer([], { apiKey: KEY })
  openai = await fakeModelServer([], { apiKey: OPENAI_KEY })
  hidden = new Set()
})
afterEach(async () => {
  await Promise.all([store.close(), claude.close(), openai.close()])
  rmSync(folder, { recursive: true })
})

/** As a start of Herald would, the environment pointing both vendors to the fakes. */
function start(
  given: { toml?: string; env?: Record<string, string>; login?: () => Promise<ClaudeLogin> } = {},
) {
  const env = { ANTHROPIC_BASE_URL: claude.url, OPENAI_BASE_URL: openai.openaiUrl, ...given.env }
  const { config, set } = parseConfig(given.toml ?? "", "assistant.toml", env)
  const origins = new Map([...set].map(([name, line]) => [name, `line ${line}`]))
  return ProviderService.start({
    loaded: { config, origins, file: "/home/ada/assistant.toml" },
    env,
    records: store.records("settings"),
    vault: openVault(folder, undefined),
    hide: (secret) => hidden.add(secret),
    login: given.login ?? (async () => ({ type: "none" })),
  })
}

async function ask(service: ProviderService, text = "Hello"): Promise<string> {
  let answer = ""
  for await (const event of service.provider.stream({ messages: [userMessage(text)], tools: [] })) {
    if (event.type === "text") answer += event.text
  }
  return answer
}

const failure = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return "no failure"
  } catch (error) {
    if (error instanceof OrraError) return error.code
    throw error
  }
}

test("F3: starts without a key, and takes one from the page across a restart", async () => {
  const service = await start()
  expect(service.state()).toMatchObject({ configured: false, source: "none", hasSaved: false })
  expect(await failure(ask(service))).toBe("provider_not_configured")
  expect(await service.save({ type: "claude", apiKey: ` ${KEY} ` })).toMatchObject({
    configured: true,
    source: "saved",
    sourceLabel: "the web page",
  })
  expect(await ask(service)).toBe("You said: Hello")
  const again = await start()
  expect(again.state()).toMatchObject({ configured: true, source: "saved" })
  expect(await ask(again)).toBe("You said: Hello")
  expect(JSON.stringify(again.state())).not.toContain(KEY)
})

test("writes the key nowhere in clear", async () => {
  const service = await start()
  await service.save({ apiKey: KEY })
  for (const name of readdirSync(folder)) {
    expect(readFileSync(join(folder, name)).includes(KEY), name).toBe(false)
  }
  expect(hidden).toContain(KEY)
})

test("a wrong key, model or address changes nothing", async () => {
  const service = await start()
  await service.save({ apiKey: KEY })
  expect(await failure(service.save({ apiKey: "sk-ant-wrong" }))).toBe("provider_auth")
  claude.push(fail("model_not_found"), fail("model_not_found"))
  const soFar = claude.requests.length
  expect(soFar).toBeGreaterThan(0)
  expect(await failure(service.save({ apiUrl: "http://127.0.0.1:9", apiKey: KEY }))).toBe("provider_network")
  expect(await failure(service.save({ apiUrl: "nonsense", apiKey: KEY }))).toBe("invalid_input")
  expect(service.state()).toMatchObject({ configured: true, apiUrl: claude.url })
  expect((await start()).state()).toMatchObject({ configured: true, source: "saved" })
})

test("a model the service does not have is refused", async () => {
  await claude.close()
  claude = await fakeModelServer([fail("model_not_found")], { apiKey: KEY })
  const service = await start()
  expect(await failure(service.save({ apiKey: KEY, model: "no-such" }))).toBe("provider_model_not_found")
  expect(service.state().configured).toBe(false)
})

test("the file chooses between OpenAI's protocols", async () => {
  const toml = `[provider]\nprovider_type = "openai"\napi_key = "${OPENAI_KEY}"\n`
  expect(await ask(await start({ toml }))).toBe("You said: Hello")
  expect(await ask(await start({ toml: `${toml}openai_api = "responses"` }))).toBe("You said: Hello")
  expect(openai.requests.map(({ service }) => service)).toEqual(["openai", "responses"])
})

test("a busy service has accepted the key", async () => {
  await claude.close()
  claude = await fakeModelServer([fail("overloaded")], { apiKey: KEY })
  const service = await start()
  expect(await service.save({ apiKey: KEY })).toMatchObject({ configured: true })
})

describe("never one vendor's key to the other", () => {
  const seen = (server: FakeModelServer) => JSON.stringify(server.requests.map(({ headers }) => headers))

  test("when the type is changed", async () => {
    const service = await start({ env: { ANTHROPIC_API_KEY: KEY } })
    expect(await failure(service.save({ type: "openai" }))).toBe("invalid_input")
    expect(await failure(service.save({ type: "openai", apiUrl: openai.openaiUrl }))).toBe("provider_auth")
    await service.save({ type: "openai", apiKey: OPENAI_KEY })
    expect(await ask(service)).toBe("You said: Hello")
    expect(service.state()).toMatchObject({ type: "openai", model: "gpt-5.1", source: "saved" })
    expect(seen(openai)).not.toContain(KEY)
    expect(seen(claude)).not.toContain(OPENAI_KEY)
  })

  test("when the file says openai and only Anthropic's key is there", async () => {
    const login = async (): Promise<ClaudeLogin> => ({
      type: "login",
      token: "sk-ant-oat-x",
      expiresAt: undefined,
      where: "f",
    })
    const service = await start({
      toml: `[provider]\nprovider_type = "openai"\napi_url = "${openai.openaiUrl}"`,
      env: { ANTHROPIC_API_KEY: KEY },
      login,
    })
    expect(await failure(ask(service))).toBe("provider_auth")
    expect(seen(openai)).not.toContain("sk-ant")
  })

  test("when a saved key's address is changed", async () => {
    const service = await start()
    await service.save({ apiKey: KEY })
    const other = await fakeModelServer([], {})
    await service.save({ apiUrl: other.url })
    expect(await ask(service)).toBe("You said: Hello")
    expect(seen(other)).not.toContain(KEY)
    await other.close()
  })
})

test("the file decides when it names the service", async () => {
  const service = await start({ toml: "[provider]\nmodel = 'claude-x'" })
  expect(service.state()).toMatchObject({ decidedBy: "/home/ada/assistant.toml", model: "claude-x" })
  expect(await failure(service.save({ model: "other", apiKey: KEY }))).toBe("settings_in_file")
  expect(await service.save({ apiKey: KEY })).toMatchObject({ configured: true, model: "claude-x" })
  expect(claude.requests.at(-1)?.body["model"]).toBe("claude-x")
  const full = await start({ toml: "[provider]\napi_key = 'sk-file-key'" })
  expect(await failure(full.save({ apiKey: KEY }))).toBe("settings_in_file")
})

test("a key typed over the environment's is used, and forgetting it goes back", async () => {
  const env = { ANTHROPIC_API_KEY: "sk-ant-outdated" }
  const service = await start({ env })
  expect(await failure(service.test())).toBe("provider_auth")
  expect(await service.save({ apiKey: KEY })).toMatchObject({ source: "saved" })
  expect((await start({ env })).state()).toMatchObject({ source: "saved" })
  expect(await service.forget()).toMatchObject({ source: "env", hasSaved: false })
  expect((await start({ env })).state()).toMatchObject({ source: "env" })
})

test("a model chosen in the page goes with the environment's key", async () => {
  const service = await start({ env: { ANTHROPIC_API_KEY: KEY } })
  expect(await service.save({ model: "claude-small" })).toMatchObject({
    source: "env",
    model: "claude-small",
  })
  expect((await start({ env: { ANTHROPIC_API_KEY: KEY } })).state()).toMatchObject({ model: "claude-small" })
})

test("a test changes nothing", async () => {
  const service = await start()
  expect(await failure(service.test())).toBe("provider_not_configured")
  await service.test({ apiKey: KEY })
  expect(service.state()).toMatchObject({ configured: false, hasSaved: false })
})

test("the CLI's renewed login is picked up when the old one is refused", async () => {
  let token = "sk-ant-oat-old"
  await claude.close()
  claude = await fakeModelServer([], { apiKey: "sk-ant-oat-new" })
  const login = async (): Promise<ClaudeLogin> => ({ type: "login", token, expiresAt: undefined, where: "f" })
  const service = await start({ login })
  expect(service.state()).toMatchObject({ source: "claude-cli", configured: true })
  expect(await failure(ask(service))).toBe("provider_auth")
  token = "sk-ant-oat-new"
  expect(await ask(service)).toBe("You said: Hello")
  expect(claude.requests.at(-1)?.headers["authorization"]).toBe("Bearer sk-ant-oat-new")
})

test("a lost vault key is said, and the key can be entered again", async () => {
  await (await start()).save({ apiKey: KEY })
  rmSync(join(folder, "vault.key"))
  const service = await start()
  expect(service.state()).toMatchObject({ configured: false })
  expect(service.state().notices.join()).toContain("enter it again")
  expect(await service.save({ apiKey: KEY })).toMatchObject({ configured: true, notices: [] })
})
