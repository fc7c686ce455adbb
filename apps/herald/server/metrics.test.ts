import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fakeModelServer, say } from "@orra/testing"
import { expect, test } from "vitest"
import { loadConfig } from "./config/load.ts"
import { startHerald } from "./herald.ts"

test("D1: numbers are recorded, whoever has their key reads them and nothing else, and the log has them at the end", async () => {
  const folder = mkdtempSync(join(tmpdir(), "herald-metrics-"))
  await using model = await fakeModelServer([say("It is a secret plan.")])
  writeFileSync(
    join(folder, "assistant.toml"),
    `[gateway]\nport = 0\napi_key = "owner-key-0123456789"\n[metrics]\nenabled = true\ntoken = "metrics-key-0123456789"\nlog_metrics = true\n`,
  )
  const env = { ANTHROPIC_BASE_URL: model.url, ANTHROPIC_API_KEY: "sk-ant-x", HERALD_KEYCHAIN: "off" }
  const logged: string[] = []
  const herald = await startHerald(loadConfig({ cwd: folder, env }), {
    version: "1.2.3",
    page: undefined,
    env,
    out: { write: () => undefined },
    terminal: { write: (text) => logged.push(text) },
  })
  const ask = (path: string, key: string, body?: unknown) =>
    fetch(`${herald.url}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  await ask("/api/chat", "owner-key-0123456789", { namespace: "web:a", message: "A question" })

  const answer = await ask("/metrics", "metrics-key-0123456789")
  expect(answer.headers.get("content-type")).toMatch(/^text\/plain/)
  const numbers = await answer.text()
  expect(numbers).toMatch(/^agent_provider_calls_total\{.*outcome="stop"\} 1$/m)
  expect(numbers).not.toMatch(/plan|question|web:a/i)
  expect((await ask("/metrics", "owner-key-0123456789")).status).toBe(200)
  expect((await ask("/metrics", "nobodys-key")).status).toBe(401)
  for (const path of ["/api/sessions", "/api/settings", "/api/models"])
    expect((await ask(path, "metrics-key-0123456789")).status, path).toBe(403)

  await herald.close()
  expect(logged.join("")).toContain('"name":"agent.provider.calls"')
  rmSync(folder, { recursive: true })
})

test("nothing is measured unless it is wanted", async () => {
  const folder = mkdtempSync(join(tmpdir(), "herald-metrics-"))
  writeFileSync(join(folder, "assistant.toml"), `[gateway]\nport = 0\napi_key = "owner-key-0123456789"\n`)
  const herald = await startHerald(loadConfig({ cwd: folder, env: {} }), {
    version: "1.2.3",
    page: undefined,
    env: { HERALD_KEYCHAIN: "off" },
    out: { write: () => undefined },
    terminal: { write: () => undefined },
    login: async () => ({ type: "none" }),
  })
  const { status } = await fetch(`${herald.url}/metrics`, {
    headers: { authorization: "Bearer owner-key-0123456789" },
  })
  expect(status).toBe(404)
  await herald.close()
  rmSync(folder, { recursive: true })
})
