import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fakeModelServer } from "@orra/testing"
import { expect, test } from "vitest"
import { loadConfig } from "../config/load.ts"
import { startHerald } from "../herald.ts"

const KEY = "sk-ant-right-key"
const OWNER = "owner-key-0123456789"
const ADA = "adas-key-0123456789"

test("answers as documented, to the owner alone, and never with a key", async () => {
  const folder = mkdtempSync(join(tmpdir(), "herald-settings-"))
  await using model = await fakeModelServer([], { apiKey: KEY })
  writeFileSync(
    join(folder, "assistant.toml"),
    `[agent]\nname = "Ada"\n[gateway]\nport = 0\napi_key = "${OWNER}"\n[[gateway.keys]]\nname = "Ada"\nkey = "${ADA}"\nnamespace = "ada"\n`,
  )
  const env = { ANTHROPIC_BASE_URL: model.url, HERALD_KEYCHAIN: "off" }
  const herald = await startHerald(loadConfig({ cwd: folder, env }), {
    version: "1.2.3",
    page: undefined,
    env,
    out: { write: () => undefined },
    terminal: { write: () => undefined },
    login: async () => ({ type: "none" }),
  })
  const call = async (method: string, path: string, body?: unknown, key = OWNER) => {
    const response = await fetch(`${herald.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
    })
    const answer = await response.text()
    expect(answer).not.toContain(KEY)
    return [response.status, JSON.parse(answer)]
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
    expect(await put(body), JSON.stringify(body)).toMatchObject([status, { error: expect.any(String), code }])
  }
  expect(await call("POST", "/api/settings/provider/test", {})).toMatchObject([
    422,
    { code: "provider_not_configured" },
  ])
  expect(await put({ provider_type: "claude", api_key: KEY })).toMatchObject([
    200,
    { provider: { configured: true, auth_source: "saved", has_saved: true } },
  ])
  expect(await call("POST", "/api/settings/provider/test", {})).toEqual([200, { ok: true }])
  expect(await call("POST", "/api/settings/provider/detect", {})).toMatchObject([
    200,
    { provider: { configured: true } },
  ])
  for (const [method, path] of [
    ["GET", "/api/settings"],
    ["PUT", "/api/settings/provider"],
    ["POST", "/api/settings/provider/test"],
    ["POST", "/api/settings/provider/detect"],
    ["DELETE", "/api/settings/provider"],
  ] as const) {
    const body = method === "GET" ? undefined : {}
    expect((await call(method, path, body, ADA))[0], `${method} ${path}`).toBe(403)
    expect((await call(method, path, body, "no-such-key"))[0], `${method} ${path}`).toBe(401)
  }
  expect(await call("DELETE", "/api/settings/provider")).toMatchObject([
    200,
    { provider: { configured: false } },
  ])
  await herald.close()
  rmSync(folder, { recursive: true })
})
