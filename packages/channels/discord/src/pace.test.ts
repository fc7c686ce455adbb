import { type InboundMessage, MemoryStore, Namespace, NO_USAGE, Runtime } from "@orra/core"
import { say, scriptedProvider, wait } from "@orra/testing"
import { fakeDiscord } from "@orra/testing/discord"
import { expect, onTestFinished, test } from "vitest"
import { mention, place, said, startBot } from "./fixture.ts"
import { DiscordChannel } from "./index.ts"

test("an answer that is written fast is edited at the pace that is set, and shown typing before", async () => {
  const pace = 150
  const words = ["one", "two", "three", "four"]
  const gates = words.map(() => Promise.withResolvers<void>())
  const answer = words.flatMap((word, index) => [
    say(`${word} `),
    wait(gates[index]?.promise ?? Promise.resolve()),
  ])
  const { discord, ada, channel } = await place({ answer, channel: { editIntervalMs: pace } })
  mention(discord, ada, channel, "go")
  const seen: number[] = []
  for (const [index, word] of words.entries()) {
    await discord.until(() => said(discord, channel).join().includes(word))
    seen.push(performance.now())
    // The next word is there at once: what is waited for is the pace.
    gates[index]?.resolve()
  }
  await discord.until(() => said(discord, channel).join().trim() === "one two three four")
  for (const [index, at] of seen.slice(1).entries())
    expect(at - (seen[index] ?? 0)).toBeGreaterThan(pace - 10)
  const indexOf = (path: string) => discord.requests.findIndex((each) => each.path === path)
  expect(indexOf(`/channels/${channel}/typing`)).toBeLessThan(indexOf(`/channels/${channel}/messages`))
  expect(indexOf(`/channels/${channel}/typing`)).toBeGreaterThanOrEqual(0)
})

test("programs that share a server keep apart by prefix: what one is told the other knows nothing of", async () => {
  const answer = ({ messages }: { readonly messages: readonly unknown[] }) => `${messages.length} messages`
  const first = await place({ answer, channel: { prefix: "home" } })
  const { discord, ada, channel, guild, runtime } = first
  const { store } = runtime
  mention(discord, ada, channel, "one")
  await discord.until(() => said(discord, channel).includes("1 messages"))
  await first.stop()
  const second = startBot(discord, {
    answer,
    runtime: { store },
    channel: { prefix: Namespace.of("club", "bot") },
  })
  await second.ready
  mention(discord, ada, channel, "two")
  await discord.until(() => said(discord, channel).filter((text) => text === "1 messages").length === 2)
  for (const prefix of [Namespace.of("home"), Namespace.of("club", "bot")])
    expect((await store.info(prefix.child(guild, channel, ada.id)))?.messages).toBe(2)
})

test("nothing of an answer is shown before the answer to what was asked earlier", async () => {
  const discord = await fakeDiscord()
  onTestFinished(() => discord.close())
  const ada = discord.addUser("ada")
  const channel = discord.addChannel(discord.addGuild("home"), "general")
  const store = new MemoryStore()
  const runtime = new Runtime({ provider: scriptedProvider([]), store })
  onTestFinished(() => runtime.close())
  const bot = new DiscordChannel({ token: discord.token, runtime, api: discord.api, editIntervalMs: 1 })
  const ending = new AbortController()
  onTestFinished(() => ending.abort())
  const inbox = bot.receive(ending.signal)
  const next = async () => {
    const { value } = await inbox.next()
    if (!value) throw new Error("nothing came")
    return value as InboundMessage
  }
  const waiting = next()
  await discord.until(() => discord.commands.length > 0)
  mention(discord, ada, channel, "first")
  mention(discord, ada, channel, "second")
  const [first, second] = [await waiting, await next()]
  await bot.writing(second, "Too early", ending.signal)
  expect(said(discord, channel)).toEqual([])
  const answer = (text: string) => ({ runId: "1", outcome: "completed", text, usage: NO_USAGE }) as const
  await bot.send({ ...first, result: answer("One.") })
  await bot.writing(second, "Two", ending.signal)
  await bot.send({ ...second, result: answer("Two.") })
  expect(said(discord, channel)).toEqual(["One.", "Two."])
  const kept = await store.records("discord-unanswered").list(Namespace.of("discord"), { below: true })
  expect(kept.items).toEqual([])
})
