import { appendFileSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { call } from "@orra/testing"
import { fakeDiscord } from "@orra/testing/discord"
import { expect, onTestFinished, test, vi } from "vitest"
import { heraldSite } from "../fixture.ts"
import { inviteLink } from "./discord-link.ts"

const WAIT = { timeout: 60_000 } as const

type Options = NonNullable<Parameters<typeof heraldSite>[0]>

/** The tools that the model was given last. */
function toolNames(requests: readonly { readonly body: unknown }[]): readonly string[] {
  const { tools = [] } = (requests.at(-1)?.body ?? {}) as {
    readonly tools?: readonly { readonly name: string }[]
  }
  return tools.map(({ name }) => name)
}

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
    return toolNames(model.requests).join()
  }
  expect(await tools()).toContain("web_fetch")
  expect(
    await set({ "tools.web_fetch": false, "tools.web_search_api_key": "of-tavily-0123456789" }),
  ).toMatchObject([200, { changed: ["tools.web_fetch", "tools.web_search_api_key"], waiting: [] }])
  expect(await tools()).not.toContain("web_fetch")
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
  expect(await tools()).toContain("web_fetch")
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

test("R16: Discord is connected, changed and disconnected while Herald runs; what is wrong is said", async () => {
  const discord = await fakeDiscord()
  onTestFinished(() => discord.close())
  const { ask, set } = await site({ answer: () => "Hello, Ada.", discordApi: discord.api })
  const ada = discord.addUser("ada")
  const channel = discord.addChannel(discord.addGuild("home"), "general")
  const state = async () => (await ask("GET", "/api/settings/discord"))[1]
  const until = (expected: object) =>
    vi.waitFor(async () => expect(await state()).toMatchObject(expected), WAIT)
  const answers = () => discord.messages(channel).filter(({ content }) => content === "Hello, Ada.").length
  const write = (user = ada) =>
    discord.write(user, channel, { content: `<@${discord.bot.id}> Hi`, mentions: [discord.bot] })

  expect(await state()).toMatchObject({ state: "off", invite: null })
  await set({ "discord.token": "a-wrong-token-0123456789" })
  await until({
    state: "failed",
    code: "discord_token",
    message: expect.stringContaining("Developer Portal"),
  })
  await set({ "discord.token": discord.token })
  await until({ state: "connected", code: null })
  write()
  await discord.until(() => answers() === 1)

  // Somebody else only: Ada is not heard any more.
  const boss = discord.addUser("boss")
  await set({ "discord.allowed_users": [boss.id] })
  await until({ state: "connected" })
  write()
  write(boss)
  await discord.until(() => answers() === 2)
  await set({ "discord.enabled": false })
  expect(await state()).toMatchObject({ state: "off" })
  await vi.waitFor(() => expect(discord.connected).toBe(0), WAIT)
  await set({ "discord.enabled": null, "discord.allowed_users": null })
  await until({ state: "connected" })
  write()
  await discord.until(() => answers() === 3)

  discord.forbidIntents(1 << 15)
  await set({ "discord.filter": "all" })
  await until({
    state: "failed",
    code: "discord_intents",
    message: expect.stringContaining("Message Content Intent"),
  })
  discord.forbidIntents(0)
  await ask("POST", "/api/settings/discord/connect", {})
  await until({ state: "connected" })
  discord.cut(4004)
  await until({ state: "failed", code: "discord_token" })
  expect(answers()).toBe(3)
})

test("S9: with a bot added in the page nobody in Discord allows anything, until somebody is named", async () => {
  const discord = await fakeDiscord()
  onTestFinished(() => discord.close())
  const { set, ask, model } = await site({
    config: "[tools]\nfilesystem = true\n",
    discordApi: discord.api,
    answer: ({ body }) =>
      JSON.stringify((body as { readonly messages: readonly unknown[] }).messages.at(-1)).includes(
        "tool_result",
      )
        ? "Tried."
        : [call("write_file", { path: "note", content: "x" })],
  })
  const [ada, boss] = [discord.addUser("ada"), discord.addUser("boss")]
  const channel = discord.addChannel(discord.addGuild("home"), "general")
  const connected = () =>
    vi.waitFor(
      async () =>
        expect(await ask("GET", "/api/settings/discord")).toMatchObject([200, { state: "connected" }]),
      WAIT,
    )
  const write = () =>
    discord.write(ada, channel, { content: `<@${discord.bot.id}> Write`, mentions: [discord.bot] })
  const asked = () => discord.messages(channel).filter(({ components }) => components.length > 0)
  await set({ "discord.token": discord.token })
  await connected()
  write()
  await discord.until(() => discord.messages(channel).some(({ content }) => content === "Tried."))
  expect(JSON.stringify(model.requests.at(-1)?.body)).toContain("is not allowed here")
  // The bot's own tools are there as soon as it is.
  expect(toolNames(model.requests)).toContain("list_channels")
  expect(asked()).toEqual([])
  await set({ "discord.approvers": [boss.id] })
  await connected()
  write()
  await discord.until(() => asked().length === 1)
})

test("a token says where its bot is invited, and asks nobody", () => {
  const token = `${Buffer.from("200000000000000001").toString("base64url")}.x.y`
  expect(inviteLink(token)).toBe(
    "https://discord.com/oauth2/authorize?client_id=200000000000000001&scope=bot+applications.commands&permissions=274878008320",
  )
  expect(inviteLink("no-token")).toBeUndefined()
})

test("a server of the page is tried, added, narrowed, removed and brought back; its tools come and go", async () => {
  const wire = join(import.meta.dirname, "../../../../packages/mcp/src/wire.child.ts")
  const { ask, model, database } = await site({
    config: `[[mcp.servers]]\nname = "ours"\nenabled = false\ncommand = "x"\n`,
    answer: ({ body }) => {
      const { messages } = body as { readonly messages: readonly unknown[] }
      return messages.length === 1 ? [call("wire__echo", { text: "hi" })] : "Done."
    },
  })
  const server = {
    command: process.execPath,
    args: [wire, "--key=in-args-0123456789"],
    env: { TOKEN: "in-env-0123456789" },
  }
  const toolsOf = async () => {
    await ask("POST", "/api/chat", { message: "Hi" })
    return toolNames(model.requests).filter((name) => name.startsWith("wire__"))
  }
  const [status, tried] = await ask("POST", "/api/settings/mcp/wire/test", server)
  expect(status).toBe(200)
  const { tools } = tried as {
    readonly tools: readonly { readonly name: string; readonly description: string }[]
  }
  expect(tools.map(({ name }) => name)).toContain("echo")
  expect(await ask("GET", "/api/settings/mcp")).toMatchObject([
    200,
    { servers: [{ name: "ours", state: "off" }] },
  ])
  expect(await ask("PUT", "/api/settings/mcp/ours", server)).toMatchObject([
    409,
    { code: "settings_in_file" },
  ])
  expect(await ask("PUT", "/api/settings/mcp/wire", { ...server, url: "http://x.example" })).toMatchObject([
    400,
    { error: expect.stringContaining("has a command and a url") },
  ])

  const [, added] = await ask("PUT", "/api/settings/mcp/wire", server)
  expect(added).toMatchObject({
    servers: [
      { name: "ours" },
      { name: "wire", state: "connected", where: null, args: server.args, env: ["TOKEN"] },
    ],
  })
  expect(JSON.stringify(added)).not.toContain("in-env")
  expect(readFileSync(database, "latin1")).not.toMatch(/in-(env|args)-0123456789/)
  expect((await toolsOf()).length).toBe(tools.length)
  await ask("PUT", "/api/settings/mcp/wire", { tools: ["echo"] })
  expect(await toolsOf()).toEqual(["wire__echo"])
  expect(await ask("DELETE", "/api/settings/mcp/wire", {})).toMatchObject([
    200,
    { servers: [{ name: "ours" }] },
  ])
  expect(await toolsOf()).toEqual([])
  expect(await ask("POST", "/api/settings/mcp/wire/restore", {})).toMatchObject([
    200,
    { servers: [{}, { name: "wire", tools: ["echo"], env: ["TOKEN"], state: "connected" }] },
  ])
  expect(await toolsOf()).toEqual(["wire__echo"])
  expect(await ask("POST", "/api/settings/mcp/none/test", { command: "/nowhere/server" })).toMatchObject([
    422,
    { code: "mcp_unavailable" },
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
