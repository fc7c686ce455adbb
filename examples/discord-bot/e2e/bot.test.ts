import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { call, type FakeModelServer, fakeModelServer } from "@orra/testing"
import { type FakeDiscord, fakeDiscord } from "@orra/testing/discord"
import { afterEach, beforeEach, expect, test } from "vitest"

const main = join(import.meta.dirname, "../main.ts")

let model: FakeModelServer
let discord: FakeDiscord
let data: string
let child: ChildProcess | undefined

beforeEach(async () => {
  model = await fakeModelServer([], { apiKey: "test-key" })
  discord = await fakeDiscord()
  data = mkdtempSync(join(tmpdir(), "orra-discord-"))
})
afterEach(async () => {
  child?.kill("SIGKILL")
  await model.close()
  await discord.close()
  rmSync(data, { recursive: true })
})

function start(more: Readonly<Record<string, string>> = {}): {
  readonly output: () => string
  readonly ended: Promise<unknown[]>
} {
  child = spawn(process.execPath, ["--conditions=@orra/source", "--no-warnings", main], {
    env: {
      ...process.env,
      ANTHROPIC_API_KEY: "test-key",
      ANTHROPIC_BASE_URL: model.url,
      DISCORD_TOKEN: discord.token,
      DISCORD_API_URL: discord.api,
      DISCORD_DATA: data,
      ...more,
    },
  })
  let text = ""
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (piece: string) => {
      text += piece
    })
  return { output: () => text, ended: once(child, "close") }
}

test("answers who mentions it; what it writes elsewhere waits for a button, also over a restart", async () => {
  const guild = discord.addGuild("home")
  const [here, there] = [discord.addChannel(guild, "general"), discord.addChannel(guild, "news")]
  const [ada, boss] = [discord.addUser("ada"), discord.addUser("boss")]
  model.push(call("send_message", { channel_id: there, content: "Dinner is ready." }), "I have announced it.")
  const first = start({ DISCORD_APPROVERS: boss.id })
  await discord.until(() => discord.connected === 1)
  discord.write(ada, here, { content: `<@${discord.bot.id}> announce it`, mentions: [discord.bot] })
  const question = () => discord.messages(here).find(({ components }) => components.length > 0)
  await discord.until(() => question() !== undefined)
  expect(discord.messages(there)).toEqual([])
  child?.kill("SIGTERM")
  expect(await first.ended).toEqual([0, null])
  start({ DISCORD_APPROVERS: boss.id })
  await discord.until(() => discord.connected === 1)
  const asked = question()
  if (asked) await discord.press(boss, asked, "Allow")
  await discord.until(() => discord.messages(there).some(({ content }) => content === "Dinner is ready."))
  await discord.until(() => discord.messages(here).some(({ content }) => content === "I have announced it."))
})

test("says what is missing or wrong", async () => {
  const without = start({ DISCORD_TOKEN: "" })
  expect((await without.ended)[0]).toBe(1)
  expect(without.output()).toContain("Set DISCORD_TOKEN")
  const wrong = start({ DISCORD_TOKEN: "wrong" })
  expect((await wrong.ended)[0]).toBe(1)
  expect(wrong.output()).toContain("Discord refuses the bot's token")
})
