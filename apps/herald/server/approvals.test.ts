import { existsSync } from "node:fs"
import { join } from "node:path"
import { call, type WireRequest } from "@orra/testing"
import { fakeDiscord } from "@orra/testing/discord"
import { expect, onTestFinished, test } from "vitest"
import { heraldSite } from "./fixture.ts"

/** A model that writes the file that it is asked for, and says so when it has. */
function writing({ body }: WireRequest) {
  const last = JSON.stringify((body["messages"] as readonly unknown[]).at(-1))
  if (last.includes("tool_result")) return "So be it."
  const [, path] = /write ([\w./-]+)/.exec(last) ?? []
  return path === undefined ? "Hello." : [call("write_file", { path, content: "Hello" })]
}

/** A Herald whose model writes files, and what can be done about that. */
async function house(toml: string, discordApi?: string) {
  const site = await heraldSite({
    config: `[tools]\nfilesystem = true\n${toml}`,
    answer: writing,
    ...(discordApi !== undefined && { discordApi }),
  })
  onTestFinished(() => site.close())
  const request = async (method: string, path: string, body?: unknown, who?: "ada") => {
    const [status, json] = await site.ask(method, path, body, who)
    return { status, json: json as Record<string, unknown> }
  }
  const waiting = async () =>
    (await request("GET", "/api/approvals")).json["approvals"] as readonly Record<string, unknown>[]
  return {
    request,
    waiting,
    restart: () => site.restart(),
    isWritten: (path: string) => existsSync(join(site.folder, "data", "work", "web", path)),
    send: (chat: string, message: string) =>
      request("POST", `/api/sessions/web:${chat}/messages`, { message }),
    decide: (of: Record<string, unknown> | undefined, who?: "ada") =>
      request(
        "POST",
        `/api/sessions/${encodeURIComponent(String(of?.["namespace"]))}/approvals/${String(of?.["approvalId"])}`,
        { decision: "approve" },
        who,
      ),
    ended: async (chat: string) =>
      await expect
        .poll(async () => (await request("GET", `/api/sessions/web:${chat}`)).json["info"])
        .not.toHaveProperty("openRun"),
  }
}

test("R9: a question survives a restart of Herald; a bystander, and who presses twice, decide nothing", async () => {
  const { send, waiting, restart, decide, isWritten, ended } = await house("")
  await send("one", "write a.txt")
  await expect.poll(async () => (await waiting()).length).toBe(1)
  await restart()
  const [asked] = await waiting()
  expect(asked).toMatchObject({ namespace: "web:one", tool: "write_file", agent: "Atlas" })
  expect((await decide(asked, "ada")).status).toBe(403)
  expect(isWritten("a.txt")).toBe(false)
  const presses = await Promise.all([decide(asked), decide(asked)])
  expect(presses.map(({ status }) => status).sort()).toEqual([200, 409])
  await ended("one")
  expect(isWritten("a.txt")).toBe(true)
})

test("S6, S20: approving everything goes past no denial, into no other chat, and ends when it is taken back", async () => {
  const { send, waiting, request, isWritten, ended } = await house(
    '[[policy]]\ntools = ["write_file"]\narguments = { path = "secret*" }\nreason = "not these"\n',
  )
  await send("one", "Hello")
  await ended("one")
  expect((await request("PUT", "/api/sessions/web:one/approve-everything", { minutes: 5 })).status).toBe(200)
  await send("one", "write a.txt")
  await expect.poll(() => isWritten("a.txt")).toBe(true)
  await ended("one")
  await send("one", "write secret.txt")
  await ended("one")
  expect(isWritten("secret.txt")).toBe(false)
  expect(JSON.stringify((await request("GET", "/api/sessions/web:one")).json)).toContain(
    "policy 1: not these",
  )
  await send("two", "write b.txt")
  await expect.poll(async () => (await waiting()).map((each) => each["namespace"])).toEqual(["web:two"])
  expect((await request("DELETE", "/api/approval-rules/web:one/everything")).json).toEqual({ revoked: true })
  await send("one", "write c.txt")
  await expect.poll(async () => (await waiting()).length).toBe(2)
  expect(isWritten("c.txt")).toBe(false)
})

test("what waits in Discord waits for the owner as well, and the first answer counts in both", async () => {
  const discord = await fakeDiscord()
  onTestFinished(() => discord.close())
  const [bob, boss] = [discord.addUser("bob"), discord.addUser("boss")]
  const channel = discord.addChannel(discord.addGuild("home"), "general")
  const { waiting, request, decide } = await house(
    `[discord]\ntoken = "${discord.token}"\napprovers = ["${boss.id}"]\n`,
    discord.api,
  )
  await discord.until(() => discord.connected > 0)
  discord.write(bob, channel, { content: `<@${discord.bot.id}> write a.txt`, mentions: [discord.bot] })
  const question = () => discord.messages(channel).find(({ components }) => components.length > 0)
  await discord.until(() => question() !== undefined)
  const [asked] = await waiting()
  const namespace = String(asked?.["namespace"])
  expect(namespace).toMatch(/^discord:/)
  expect((await request("GET", `/api/sessions/${encodeURIComponent(namespace)}`)).status).toBe(404)
  expect((await decide(asked, "ada")).status).toBe(403)
  expect((await decide(asked)).status).toBe(200)
  await discord.until(() => discord.messages(channel).some(({ content }) => content.includes("So be it.")))
  await discord.until(() => question() === undefined)
  expect(
    discord.messages(channel).some(({ content }) => content.includes("Allowed by owner, elsewhere.")),
  ).toBe(true)
  expect((await decide(asked)).status).toBe(409)
})

test("what a chat of the page waits for stands in Discord's channel too, and the first answer counts in both", async () => {
  const discord = await fakeDiscord()
  onTestFinished(() => discord.close())
  const [bob, boss] = [discord.addUser("bob"), discord.addUser("boss")]
  const channel = discord.addChannel(discord.addGuild("home"), "approvals")
  const { waiting, decide, send, isWritten, ended, request } = await house(
    `[discord]\ntoken = "${discord.token}"\napprovers = ["${boss.id}"]\napprovals_channel = "${channel}"\n`,
    discord.api,
  )
  await discord.until(() => discord.connected > 0)
  const question = () => discord.messages(channel).find(({ components }) => components.length > 0)
  const said = () => discord.messages(channel).map(({ content }) => content)

  await send("one", "write a.txt")
  await discord.until(() => question() !== undefined)
  const first = question()
  if (!first) throw new Error("nothing was asked")
  expect(first.content).toContain("a.txt")
  expect(await discord.press(bob, first, "Allow")).toMatchObject({ content: "You may not decide this." })
  const [asked] = await waiting()
  expect(asked).toMatchObject({ namespace: "web:one" })
  await discord.press(boss, first, "Allow")
  await ended("one")
  expect(isWritten("a.txt")).toBe(true)
  // The page knows who it was, and its own buttons come too late.
  expect(await waiting()).toEqual([])
  expect((await decide(asked)).status).toBe(409)
  expect(JSON.stringify((await request("GET", "/api/sessions/web:one")).json)).toContain(`discord:${boss.id}`)

  await send("two", "write b.txt")
  await discord.until(() => question() !== undefined)
  const second = question()
  const [waits] = await waiting()
  expect((await decide(waits)).status).toBe(200)
  await ended("two")
  expect(isWritten("b.txt")).toBe(true)
  await discord.until(() => question() === undefined)
  expect(said().at(-1)).toContain("Allowed by owner, elsewhere.")
  if (second) await discord.press(boss, second, "Refuse")
  await discord.until(() => said().some((text) => text.includes("This is closed.")))
})
