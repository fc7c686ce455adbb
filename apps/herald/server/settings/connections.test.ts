import { readFileSync } from "node:fs"
import { join } from "node:path"
import { call } from "@orra/testing"
import { fakeDiscord } from "@orra/testing/discord"
import { expect, onTestFinished, test, vi } from "vitest"
import { heraldSite } from "../fixture.ts"
import { inviteLink } from "./discord-link.ts"

const WAIT = { timeout: 60_000 } as const

/** The tools that the model was given last. */
function toolNames(requests: readonly { readonly body: unknown }[]): readonly string[] {
  const { tools = [] } = (requests.at(-1)?.body ?? {}) as {
    readonly tools?: readonly { readonly name: string }[]
  }
  return tools.map(({ name }) => name)
}

async function site(options: NonNullable<Parameters<typeof heraldSite>[0]>) {
  const made = await heraldSite(options)
  onTestFinished(() => made.close())
  return { ...made, set: (changes: unknown) => made.ask("PUT", "/api/settings/values", changes) }
}

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
    "https://discord.com/oauth2/authorize?client_id=200000000000000001&scope=bot+applications.commands&permissions=309237746688",
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

  // A machine that does much else may still be connecting when it is answered.
  const connected = () =>
    vi.waitFor(async () => {
      const answer = await ask("GET", "/api/settings/mcp")
      expect(answer).toMatchObject([200, { servers: [{}, { state: "connected" }] }])
    }, WAIT)
  const [, added] = await ask("PUT", "/api/settings/mcp/wire", server)
  expect(added).toMatchObject({
    servers: [{ name: "ours" }, { name: "wire", where: null, args: server.args, env: ["TOKEN"] }],
  })
  await connected()
  expect(JSON.stringify(added)).not.toContain("in-env")
  expect(readFileSync(database, "latin1")).not.toMatch(/in-(env|args)-0123456789/)
  expect((await toolsOf()).length).toBe(tools.length)
  await ask("PUT", "/api/settings/mcp/wire", { tools: ["echo"] })
  await connected()
  expect(await toolsOf()).toEqual(["wire__echo"])
  expect(await ask("DELETE", "/api/settings/mcp/wire", {})).toMatchObject([
    200,
    { servers: [{ name: "ours" }] },
  ])
  expect(await toolsOf()).toEqual([])
  expect(await ask("POST", "/api/settings/mcp/wire/restore", {})).toMatchObject([
    200,
    { servers: [{}, { name: "wire", tools: ["echo"], env: ["TOKEN"] }] },
  ])
  await connected()
  expect(await toolsOf()).toEqual(["wire__echo"])
  expect(await ask("POST", "/api/settings/mcp/none/test", { command: "/nowhere/server" })).toMatchObject([
    422,
    { code: "mcp_unavailable" },
  ])
})
