import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, onTestFinished, test } from "vitest"
import { loadConfig } from "../config/load.ts"
import { heraldSite } from "../fixture.ts"
import { startHerald } from "../herald.ts"

type Options = NonNullable<Parameters<typeof heraldSite>[0]>

/** A Herald, and what its owner is told of its settings. */
async function site(options: Options = {}) {
  const made = await heraldSite(options)
  onTestFinished(() => made.close())
  const file = join(made.folder, "assistant.toml")
  const value = async (name: string) => {
    const [, answer] = await made.ask("GET", "/api/settings/values")
    const { values } = answer as { readonly values: readonly { readonly name: string }[] }
    return values.find((each) => each.name === name)
  }
  const set = (changes: unknown) => made.ask("PUT", "/api/settings/values", changes)
  const reload = () => made.ask("POST", "/api/settings/reload", {})
  return { ...made, file, value, set, reload }
}

test("F22: what the page changes is in effect at once, below the file, and the file stays as it is", async () => {
  const { ask, value, set, file, model } = await site({
    config: '[tools]\nweb_search_provider = "tavily"\n',
    answer: () => "Hello.",
  })
  const before = readFileSync(file, "utf8")
  const tools = async (): Promise<string> => {
    await ask("POST", "/api/chat", { message: "Hi" })
    return JSON.stringify((model.requests.at(-1)?.body as { readonly tools?: unknown } | undefined)?.tools)
  }
  expect(await tools()).toContain('"name":"web_fetch"')
  expect(
    await set({ "tools.web_fetch": false, "tools.web_search_api_key": "of-tavily-0123456789" }),
  ).toMatchObject([200, { changed: ["tools.web_fetch", "tools.web_search_api_key"], waiting: [] }])
  expect(await tools()).not.toContain('"name":"web_fetch"')
  expect(await value("tools.web_fetch")).toMatchObject({ value: false, origin: "page" })
  expect(await value("tools.web_search_api_key")).toMatchObject({
    value: true,
    isSecret: true,
    origin: "page",
  })
  expect(await value("tools.web_search_provider")).toMatchObject({
    value: "tavily",
    origin: "file",
    where: expect.stringMatching(/assistant\.toml, line \d+$/),
  })
  expect(await set({ "tools.web_search_provider": "brave" })).toMatchObject([
    409,
    { code: "settings_in_file" },
  ])
  expect(await set({ "tools.web_fetch": null })).toMatchObject([200, { changed: ["tools.web_fetch"] }])
  expect(await tools()).toContain('"name":"web_fetch"')
  expect(readFileSync(file, "utf8")).toBe(before)
})

test("what is not right is refused with what is wrong with it, and changes nothing", async () => {
  const { set, ask, value } = await site()
  for (const [changes, why] of [
    [{ "tools.exec": "yes" }, "tools.exec must be true or false"],
    [{ "tools.exec": { a: 1 } }, "must be a value"],
    [{ "gateway.port": 1 }, '"gateway.port" is not something'],
    [{ "discord.namespace_prefix": "x" }, "is not something"],
    [{ "tools.__proto__": true }, "is not something"],
    [{ "tools.filesystem_base_dir": "notes" }, "must be an absolute path"],
    [{ data_dir: "/" }, "is not something"],
    [{ "discord.allowed_users": ["ada"] }, '"ada" is no id'],
    [{ "discord.filter": "dm" }, '"dm" needs allowed_users'],
    [{ "tools.web_search": true }, "set tools.web_search_api_key"],
    [{ "tools.exec": true, "tools.exec_allowed_commands": ["ls | cat"] }, "is not a rule"],
  ] as const) {
    expect(await set(changes), why).toMatchObject([400, { error: expect.stringContaining(why) }])
  }
  expect(await value("tools.exec")).toMatchObject({ value: false, origin: "default" })
  for (const [method, path] of [
    ["GET", "values"],
    ["PUT", "values"],
    ["POST", "reload"],
    ["GET", "discord"],
    ["POST", "discord/connect"],
    ["GET", "mcp"],
    ["PUT", "mcp/x"],
    ["DELETE", "mcp/x"],
    ["POST", "mcp/x/test"],
    ["POST", "mcp/x/restore"],
    ["POST", "updates/check"],
    ["GET", "about"],
  ] as const) {
    const body = method === "GET" ? undefined : {}
    expect((await ask(method, `/api/settings/${path}`, body, "ada"))[0], path).toBe(403)
  }
})

test("the cheap model is asked before it is kept", async () => {
  const { set, value, model } = await site({
    answer: ({ body }) =>
      (body as { model: string }).model === "small" ? "OK" : ({ type: "error", status: 404 } as never),
  })
  expect(await set({ "provider.cheap_model": "small" })).toMatchObject([
    200,
    { changed: ["provider.cheap_model"] },
  ])
  expect(model.requests).toHaveLength(1)
  expect(await value("provider.cheap_model")).toMatchObject({ value: "small", origin: "page" })
})

test("the file is read again when that is asked; one that is spoilt or gone changes nothing", async () => {
  const { file, reload, value, ask } = await site()
  const before = readFileSync(file, "utf8")
  const more = '[agent]\nname = "Iris"\n[[policy]]\ndecision = "deny"\ntools = ["web_fetch"]\n'
  appendFileSync(file, `[tools]\nexec = true\n[context]\nmax_tokens = 9000\n${more}`)
  expect(await reload()).toMatchObject([
    200,
    { changed: ["agent.name", "tools.exec", "policy"], waiting: ["context.max_tokens"] },
  ])
  expect(await value("tools.exec")).toMatchObject({ value: true, origin: "file" })
  expect(await ask("GET", "/api/settings")).toMatchObject([200, { assistant: { name: "Iris" } }])
  appendFileSync(file, "no sense\n")
  expect(await reload()).toMatchObject([
    422,
    { code: "config_invalid", error: expect.stringContaining("assistant.toml:") },
  ])
  rmSync(file)
  expect(await reload()).toMatchObject([422, { code: "config_missing" }])
  expect(await value("tools.exec")).toMatchObject({ value: true, origin: "file" })
  writeFileSync(file, before)
  expect(await reload()).toMatchObject([
    200,
    { changed: ["agent.name", "tools.exec", "policy"], waiting: [] },
  ])
})

test("where the data is, and how much", async () => {
  const { ask, folder } = await site()
  expect(await ask("GET", "/api/settings/about")).toMatchObject([
    200,
    {
      version: "1.2.3",
      data: join(folder, "data"),
      file: join(folder, "assistant.toml"),
      bytes: expect.any(Number),
    },
  ])
})

test("F3: what was saved is in effect after a restart: tools, servers, and secrets that are in no file as they are", async () => {
  const folder = mkdtempSync(join(tmpdir(), "herald-again-"))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, "assistant.toml"), `[gateway]\nport = 0\napi_key = "owner-key-0123456789"\n`)
  const env = { HERALD_KEYCHAIN: "off", CLAUDE_CREDENTIALS_FILE: join(folder, "none") }
  const start = async () => {
    const herald = await startHerald(loadConfig({ cwd: folder, env }), {
      version: "1.2.3",
      page: undefined,
      env,
      out: { write: () => undefined },
      terminal: { write: () => undefined },
    })
    const ask = async (method: string, path: string, body?: unknown): Promise<string> => {
      const response = await fetch(`${herald.url}/api/settings/${path}`, {
        method,
        headers: { authorization: "Bearer owner-key-0123456789", "content-type": "application/json" },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      return await response.text()
    }
    return { ask, close: () => herald.close(0) }
  }
  const first = await start()
  await first.ask("PUT", "values", { "tools.web_fetch": false, "github.token": "of-github-0123456789" })
  await first.ask("PUT", "mcp/house", { url: "http://127.0.0.1:9/secret-0123456789", enabled: false })
  const before = [await first.ask("GET", "values"), await first.ask("GET", "mcp")]
  await first.close()
  const again = await start()
  expect([await again.ask("GET", "values"), await again.ask("GET", "mcp")]).toEqual(before)
  expect(before.join()).toContain('"host":"127.0.0.1:9"')
  await again.close()
  for (const entry of readdirSync(join(folder, "data"), { recursive: true, withFileTypes: true })) {
    if (entry.isFile())
      expect(readFileSync(join(entry.parentPath, entry.name), "latin1"), entry.name).not.toMatch(
        /(?:github|secret)-0123456789/,
      )
  }
})
