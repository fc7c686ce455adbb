import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { sqliteStore } from "@orra/store-sql"
import { fakeModelServer } from "@orra/testing"
import { expect, test } from "vitest"
import { parseConfig } from "../config/load.ts"
import { ProviderService } from "../provider/service.ts"
import { openVault } from "../provider/vault.ts"
import { settingsRoutes } from "./settings.ts"

const KEY = "sk-ant-right-key"

test("answers as documented, and never with a key", async () => {
  const folder = mkdtempSync(join(tmpdir(), "herald-settings-"))
  await using model = await fakeModelServer([], { apiKey: KEY })
  const store = await sqliteStore({ path: join(folder, "herald.db") })
  const env = { ANTHROPIC_BASE_URL: model.url }
  const { config } = parseConfig("", "a.toml", env)
  const service = await ProviderService.start({
    loaded: { config, origins: new Map(), file: undefined, dataDir: folder, notices: [] },
    env,
    records: store.records("settings"),
    vault: openVault(folder, undefined),
    hide: () => undefined,
    login: async () => ({ type: "none" }),
  })
  const routes = settingsRoutes({ service, version: "1.2.3", assistant: "Ada" })
  const call = async (method: string, path: string, body?: unknown) => {
    const route = routes.find((each) => each.method === method && each.path === path)
    const init =
      body === undefined
        ? { method }
        : { method, body: typeof body === "string" ? body : JSON.stringify(body) }
    const response = await route?.handle(new Request(`http://herald${path}`, init))
    const answer = await response?.text()
    expect(answer).not.toContain(KEY)
    return [response?.status, JSON.parse(answer ?? "null")]
  }
  const put = (body: unknown) => call("PUT", "/api/settings/provider", body)

  expect(await call("GET", "/api/settings")).toEqual([
    200,
    {
      version: "1.2.3",
      assistant: { name: "Ada" },
      provider: {
        configured: false,
        auth_source: "none",
        source_label: "none yet",
        provider_type: "claude",
        model: "claude-opus-4-6",
        api_url: model.url,
        has_saved: false,
        decided_by: null,
        notices: [],
      },
    },
  ])
  for (const [body, status, code] of [
    ["{", 400, "invalid_input"],
    ["[]", 400, "invalid_input"],
    ['{"__proto__":{"a":1}}', 400, "invalid_input"],
    [{ apikey: "x" }, 400, "invalid_input"],
    [{ api_key: 5 }, 400, "invalid_input"],
    [{ api_key: "x".repeat(5000) }, 400, "invalid_input"],
    [{ api_key: "sk ant\n" }, 400, "invalid_input"],
    [{ api_key: "sk-ант" }, 400, "invalid_input"],
    [{ provider_type: "gemini", api_key: "x" }, 400, "invalid_input"],
    [{ api_url: "ftp://x", api_key: "x" }, 400, "invalid_input"],
    [{ api_url: "http://user:pass@x", api_key: "x" }, 400, "invalid_input"],
    [{}, 400, "invalid_input"],
    [{ api_key: "sk-ant-wrong-key" }, 422, "provider_auth"],
  ] as const) {
    expect(await put(body), JSON.stringify(body)).toEqual([status, { error: expect.any(String), code }])
  }
  expect(await call("POST", "/api/settings/provider/test")).toMatchObject([
    422,
    { code: "provider_not_configured" },
  ])
  expect(await put({ provider_type: "claude", api_key: KEY })).toMatchObject([
    200,
    { provider: { configured: true, auth_source: "saved", has_saved: true } },
  ])
  expect(await call("POST", "/api/settings/provider/test")).toEqual([200, { ok: true }])
  expect(await call("POST", "/api/settings/provider/detect")).toMatchObject([
    200,
    { provider: { configured: true } },
  ])
  expect(await call("DELETE", "/api/settings/provider")).toMatchObject([
    200,
    { provider: { configured: false } },
  ])
  await store.close()
  rmSync(folder, { recursive: true })
})
