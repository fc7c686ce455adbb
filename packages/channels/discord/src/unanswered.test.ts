import { MemoryStore, Namespace, Runtime } from "@orra/core"
import { hang, type ScriptedAnswer, say, scriptedProvider } from "@orra/testing"
import { fakeDiscord } from "@orra/testing/discord"
import { expect, onTestFinished, test } from "vitest"
import { mention, said, startBot } from "./fixture.ts"

/** A message that a process took before it was killed, and what its session has of it. */
async function left(inSession?: { readonly answer: ScriptedAnswer; readonly stop: boolean }) {
  const discord = await fakeDiscord()
  onTestFinished(() => discord.close())
  const ada = discord.addUser("ada")
  const guild = discord.addGuild("home")
  const channel = discord.addChannel(guild, "general")
  const store = new MemoryStore()
  const message = mention(discord, ada, channel, "Tell me a story")
  const session = Namespace.of("discord", guild, channel, ada.id)
  const taken = { guildId: guild, channelId: channel, userId: ada.id, conversation: 0 }
  await store.records("discord-unanswered").put(session, message.id, taken)
  if (inSession) {
    const provider = scriptedProvider([], { otherwise: inSession.answer })
    const before = new Runtime({ provider, store, deltaIntervalMs: 0 })
    const ended = before.run(session, "Tell me a story", { inputId: message.id }).catch(() => {})
    if (inSession.stop) {
      await provider.request(1)
      await before.stop(session)
    }
    await ended
    await before.close()
  }
  const bot = startBot(discord, { answer: "Once upon a time.", runtime: { store } })
  await bot.ready
  return { discord, channel, message, store, session, bot }
}

const kept = async ({ store, session }: { store: MemoryStore; session: Namespace }) =>
  (await store.records("discord-unanswered").list(session)).items

test("a message that was taken and never read is answered by the next process", async () => {
  const all = await left()
  const { discord, channel, message, bot } = all
  await discord.until(() => said(discord, channel).includes("Once upon a time."))
  expect(discord.messages(channel).at(-1)?.message_reference?.message_id).toBe(message.id)
  await expect.poll(() => kept(all)).toEqual([])
  await bot.stop()
})

test("an answer that was ready comes, and the model is not asked again", async () => {
  const all = await left({ answer: "The end.", stop: false })
  const { discord, channel } = all
  await discord.until(() => said(discord, channel).length === 1)
  expect(said(discord, channel)).toEqual(["The end."])
  expect(await kept(all)).toEqual([])
})

test("of an answer that was cut off there is what there was, and that it is not all", async () => {
  const { discord, channel } = await left({ answer: [say("The first half"), hang()], stop: true })
  await discord.until(() => said(discord, channel).length === 1)
  expect(said(discord, channel)[0]).toMatch(/^(The first half\n)?-# I was stopped in the middle of it/)
})

test("what is answered is not kept", async () => {
  const all = await left()
  const { discord, channel } = all
  const ada = discord.addUser("bob")
  mention(discord, ada, channel, "And I?")
  await discord.until(() => said(discord, channel).length === 2)
  await expect
    .poll(
      async () =>
        (await all.store.records("discord-unanswered").list(Namespace.of("discord"), { below: true })).items,
    )
    .toEqual([])
})
