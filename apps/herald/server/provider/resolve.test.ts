import { expect, test } from "vitest"
import { parseConfig } from "../config/load.ts"
import type { ClaudeLogin } from "./claude-login.ts"
import { resolveProvider, type SavedProvider, sourceLabel } from "./resolve.ts"

const LOGIN: ClaudeLogin = { type: "login", token: "sk-ant-oat-1", expiresAt: undefined, where: "file" }
const BOTH = { ANTHROPIC_API_KEY: "sk-ant-env", OPENAI_API_KEY: "sk-openai-env" }

function resolve(
  toml: string,
  given: { env?: Record<string, string>; login?: ClaudeLogin; saved?: SavedProvider } = {},
) {
  const { env = {}, login = { type: "none" }, saved } = given
  const { config, set } = parseConfig(toml, "a.toml", env)
  const origins = new Map([...set].map(([name, line]) => [name, `line ${line}`]))
  return resolveProvider({ config, origins, env, login, saved })
}
const pick = (...args: Parameters<typeof resolve>) => {
  const { settings, isConfigured } = resolve(...args)
  return [settings.type, settings.source, settings.apiKey, isConfigured]
}
const claude = (more: Partial<SavedProvider> = {}): SavedProvider => ({
  type: "claude",
  apiKey: "sk-ant-saved",
  ...more,
})
const openai = (more: Partial<SavedProvider> = {}): SavedProvider => ({
  type: "openai",
  apiKey: "sk-openai-saved",
  ...more,
})

test("the file goes before the environment, that before the CLI's login, that before what was saved", () => {
  const all = { env: BOTH, login: LOGIN, saved: claude() }
  expect(pick("[provider]\napi_key='sk-ant-file'", all)).toEqual(["claude", "config", "sk-ant-file", true])
  expect(pick("", all)).toEqual(["claude", "env", "sk-ant-env", true])
  expect(pick("", { login: LOGIN, saved: claude() })).toEqual(["claude", "claude-cli", "sk-ant-oat-1", true])
  expect(pick("", { saved: claude() })).toEqual(["claude", "saved", "sk-ant-saved", true])
  expect(pick("")).toEqual(["claude", "none", undefined, false])
})

test("a key typed to replace another goes before that one, not before the file", () => {
  const saved = claude({ over: "env" })
  expect(pick("", { env: BOTH, saved })).toEqual(["claude", "saved", "sk-ant-saved", true])
  expect(pick("", { login: LOGIN, saved })[1]).toBe("claude-cli")
  expect(pick("[provider]\napi_key='sk-ant-file'", { env: BOTH, saved })[1]).toBe("config")
})

test("openai has its own variable and no login", () => {
  const toml = "[provider]\nprovider_type='openai'"
  expect(pick(toml, { env: BOTH, login: LOGIN })).toEqual(["openai", "env", "sk-openai-env", true])
  expect(pick(toml, { env: { ANTHROPIC_API_KEY: "sk-ant-env" }, login: LOGIN })).toEqual([
    "openai",
    "none",
    undefined,
    false,
  ])
})

test("where nobody chose, the one there is a key for is used", () => {
  const env = { OPENAI_API_KEY: "sk-openai-env" }
  expect(pick("", { env })).toEqual(["openai", "env", "sk-openai-env", true])
  expect(pick("", { env: BOTH })[0]).toBe("claude")
  expect(pick("", { env, login: LOGIN })[0]).toBe("claude")
  expect(pick("", { env, saved: claude() })[0]).toBe("claude")
  expect(pick("[provider]\nprovider_type='claude'", { env })).toEqual(["claude", "none", undefined, false])
})

test("S18: a key goes to no address but its own", () => {
  const foreign = "[provider]\nprovider_type='openai'\napi_url='https://models.example/v1'"
  expect(pick(foreign, { env: BOTH, saved: openai() })).toEqual(["openai", "none", undefined, true])
  expect(resolve(foreign, { env: BOTH }).notices.join()).toContain(
    "OPENAI_API_KEY is not sent to models.example",
  )
  expect(pick(`${foreign}\napi_key='\${OPENAI_API_KEY}'`, { env: BOTH })[2]).toBe("sk-openai-env")
  expect(pick("[provider]\napi_url='https://proxy.example'", { env: BOTH, login: LOGIN })[2]).toBeUndefined()
  expect(
    pick("[provider]\nprovider_type='openai'\napi_url='https://api.openai.com/v1/chat/completions'", {
      env: BOTH,
    })[2],
  ).toBe("sk-openai-env")
  // A host that only begins like the vendor's is another host.
  expect(
    pick("[provider]\nprovider_type='openai'\napi_url='https://api.openai.com.example/v1'", { env: BOTH })[2],
  ).toBeUndefined()
})

test("an address of the environment comes with the environment's key", () => {
  const { settings } = resolve("", { env: { ...BOTH, ANTHROPIC_BASE_URL: "http://127.0.0.1:1" } })
  expect(settings).toMatchObject({ apiUrl: "http://127.0.0.1:1", apiKey: "sk-ant-env" })
})

test("what was saved for one vendor is not used for the other", () => {
  expect(pick("", { env: { ANTHROPIC_API_KEY: "sk-ant-env" }, saved: openai() })).toEqual([
    "openai",
    "saved",
    "sk-openai-saved",
    true,
  ])
  const { settings, notices } = resolve("[provider]\nmodel='claude-x'", { saved: openai({ model: "gpt-x" }) })
  expect(settings).toMatchObject({ type: "claude", model: "claude-x", apiKey: undefined })
  expect(notices.join()).toContain("openai settings saved from the web page are not used")
})

test("the model is that of the file, the page, or the vendor's default", () => {
  const model = (...args: Parameters<typeof resolve>) => resolve(...args).settings.model
  expect(model("[provider]\nmodel='m'", { saved: claude({ model: "s" }) })).toBe("m")
  expect(model("", { saved: claude({ model: "s" }) })).toBe("s")
  expect(model("")).toBe("claude-opus-4-6")
  expect(model("[provider]\nmodel='m'\n[[agents]]\nname='A'\nmodel='a'")).toBe("a")
  expect(model("[provider]\nprovider_type='openai'")).toBe("gpt-5.1")
})

test("an expired login is told only to who has nothing else", () => {
  const login: ClaudeLogin = { type: "expired", where: "/x" }
  expect(resolve("", { login }).notices).toEqual([
    "The login of the Claude CLI (/x) has expired: run `claude` once to renew it",
  ])
  expect(resolve("", { login, env: BOTH }).notices).toEqual([])
  expect(sourceLabel(resolve("", { env: BOTH }))).toBe("ANTHROPIC_API_KEY")
})
