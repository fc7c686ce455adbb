import { type ModelRequest, messageText } from "@orra/core"
import { fakeDiscord } from "@orra/testing/discord"
import { expect, onTestFinished, test, vi } from "vitest"
import { mention, place, said, startBot } from "./fixture.ts"
import { DiscordChannel } from "./index.ts"

const WAIT = { timeout: 60_000 } as const
const echo = ({ messages }: ModelRequest): string =>
  `re ${messageText(messages.at(-1) ?? { role: "user", parts: [] })}`
/** Source: Discord, Gateway Intents: the contents of all messages. */
const MESSAGE_CONTENT = 1 << 15

test("a wrong token is said to be one, and nothing is tried again", async () => {
  const discord = await fakeDiscord()
  onTestFinished(() => discord.close())
  const bot = startBot(discord, { channel: { token: "another-token" } })
  await expect(bot.served).rejects.toMatchObject({ code: "discord_token" })
  expect(bot.statuses.at(-1)).toMatchObject({ state: "failed", error: { code: "discord_token" } })
  expect(JSON.stringify([bot.statuses, bot.errors])).not.toContain("another-token")
})

test("intents that are switched off are named", async () => {
  const discord = await fakeDiscord()
  onTestFinished(() => discord.close())
  discord.forbidIntents(MESSAGE_CONTENT)
  const bot = startBot(discord, { channel: { filter: "all" } })
  await expect(bot.served).rejects.toMatchObject({ code: "discord_intents" })
  expect(bot.statuses.at(-1)?.error?.message).toContain("Message Content Intent")
})

test("mentions need no intent that has to be asked for", async () => {
  const discord = await fakeDiscord()
  onTestFinished(() => discord.close())
  discord.forbidIntents(MESSAGE_CONTENT | (1 << 1) | (1 << 8))
  const bot = startBot(discord, {})
  await bot.ready
  expect(bot.statuses).toEqual([{ state: "connecting" }, { state: "connected" }])
})

test("a token that is revoked while it is connected ends it, and says so", async () => {
  const { discord, served, statuses } = await place()
  discord.cut(4004)
  await expect(served).rejects.toMatchObject({ code: "discord_token" })
  expect(statuses.at(-1)).toMatchObject({ state: "failed" })
})

test("what is written while the connection is cut is answered, once, when it is resumed", async () => {
  const { discord, ada, channel, statuses } = await place({ answer: echo })
  for (const round of [1, 2]) {
    discord.cut()
    mention(discord, ada, channel, `hello ${round}`)
    await discord.until(() => said(discord, channel).includes(`re hello ${round}`))
  }
  expect(discord.counts).toMatchObject({ identified: 1, resumed: 2 })
  expect(said(discord, channel)).toEqual(["re hello 1", "re hello 2"])
  expect(statuses.at(-1)).toEqual({ state: "connected" })
  expect(statuses).toContainEqual({ state: "reconnecting" })
})

test("it connects again when Discord asks for it, and begins anew when its session is gone", async () => {
  const { discord, ada, channel } = await place({ answer: echo })
  discord.ask("reconnect")
  await discord.until(() => discord.counts.resumed === 1)
  discord.forget(true)
  discord.cut()
  await discord.until(() => discord.counts.identified === 2)
  mention(discord, ada, channel, "still there?")
  await discord.until(() => said(discord, channel).includes("re still there?"))
})

test("R5: a connection that is dead without a word is noticed", async () => {
  const { discord, ada, channel } = await place({ answer: echo, discord: { heartbeatMs: 50 } })
  discord.silence(true)
  await discord.until(() => discord.counts.resumed + discord.counts.identified > 1)
  discord.silence(false)
  mention(discord, ada, channel, "hello")
  await discord.until(() => said(discord, channel).includes("re hello"))
})

test("a Discord that cannot be reached is tried again, and why is shown", async () => {
  const discord = await fakeDiscord()
  await discord.close()
  const bot = startBot(discord, {})
  await vi.waitFor(() => expect(bot.statuses.at(-1)?.state).toBe("reconnecting"), WAIT)
  expect(bot.statuses.at(-1)?.error?.code).toBe("discord_unavailable")
  await bot.stop()
  expect(bot.statuses.at(-1)).toEqual({ state: "disconnected" })
})

test("it is disconnected and connected again without a new process", async () => {
  const { discord, ada, channel, stop, runtime } = await place({ answer: echo })
  await stop()
  await discord.until(() => discord.connected === 0)
  const bot = startBot(discord, { answer: echo, runtime: { store: runtime.store } })
  await bot.ready
  mention(discord, ada, channel, "hello")
  await discord.until(() => said(discord, channel).includes("re hello"))
})

test.each([
  [{ token: "" }, "token"],
  [{ filter: "dm" }, "allowedUsers"],
  [{ allowedUsers: ["ada"] }, "Copy User ID"],
  [{ approvers: ["@everyone"] }, "Copy User ID"],
  [{ approvers: ["1".repeat(30)] }, "Copy User ID"],
] as const)("%j is refused, and what is right is said", async (options, hint) => {
  const discord = await fakeDiscord()
  onTestFinished(() => discord.close())
  const { runtime } = startBot(discord, {})
  expect(() => new DiscordChannel({ token: "t", runtime, ...options })).toThrow(hint)
})
