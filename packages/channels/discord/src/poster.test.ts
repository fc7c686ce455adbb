import { fakeDiscord } from "@orra/testing/discord"
import { expect, onTestFinished, test } from "vitest"
import { discordPoster } from "./index.ts"

test("what is long becomes several messages that call nobody, and the channels are known by server", async () => {
  const discord = await fakeDiscord()
  onTestFinished(() => discord.close())
  const guild = discord.addGuild("home")
  const kitchen = discord.addChannel(guild, "kitchen")
  discord.addChannel(guild, "hall", { type: 2 })
  const poster = discordPoster({ token: discord.token, api: discord.api })
  expect(await poster.channels()).toEqual([{ id: kitchen, name: "kitchen", guild: "home" }])
  await poster.post(kitchen, `@everyone ${"word ".repeat(500)}`, { key: "backup-7" })
  // What is sent again, since nobody knows whether it came, comes once.
  await poster.post(kitchen, `@everyone ${"word ".repeat(500)}`, { key: "backup-7" })
  const messages = discord.messages(kitchen)
  expect(messages).toHaveLength(2)
  expect(messages).toMatchObject([{ allowed_mentions: { parse: [] } }, { allowed_mentions: { parse: [] } }])
  expect(
    messages
      .map(({ content }) => content)
      .join(" ")
      .match(/word/g),
  ).toHaveLength(500)
})

test.each([
  ["a name", "discord_invalid"],
  ["300000000000000009", "discord_not_found"],
])("%s is refused as %s", async (channel, code) => {
  const discord = await fakeDiscord()
  onTestFinished(() => discord.close())
  const poster = discordPoster({ token: discord.token, api: discord.api })
  await expect(poster.post(channel, "hello", { key: "k" })).rejects.toMatchObject({ code })
})
