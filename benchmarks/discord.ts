// 200 people who write to one bot at once in Discord, twice each, and are answered by a model in this process:
// `node --conditions=@orra/source benchmarks/discord.ts [people] [channels]`.
//
// The Discord is the fake one of @orra/testing on loopback, which takes five requests in five seconds on each route of a
// channel and answers one more with 429, as Discord does; the client is the real discord.js. Printed: answers that are missing,
// double or out of order, requests that were refused, how long people waited, and the CPU of an answer.

import process from "node:process"
import { ChannelAdapter, messageText, Runtime } from "@orra/core"
import { DiscordChannel } from "@orra/discord"
import { scriptedProvider } from "@orra/testing"
import { fakeDiscord } from "@orra/testing/discord"

const PEOPLE = Number(process.argv[2] ?? 200)
const CHANNELS = Number(process.argv[3] ?? 50)
/** Source: Discord, Rate Limits: what its answers say of a channel's messages. */
const LIMIT = { requests: 5, ms: 5_000 }
const TEXTS = ["first", "second"]

const discord = await fakeDiscord({ limit: LIMIT })
const runtime = new Runtime({
  provider: scriptedProvider([], {
    otherwise: ({ messages }) => `re ${messages.map(messageText).at(-1)}`,
  }),
})
const errors: unknown[] = []
const connected = Promise.withResolvers<void>()
const channel = new DiscordChannel({
  token: discord.token,
  runtime,
  api: discord.api,
  onError: (error) => errors.push(error),
  onStatus: ({ state }) => (state === "connected" ? connected.resolve() : undefined),
})
const adapter = new ChannelAdapter(channel, runtime, { onError: (error) => errors.push(error) })
const served = adapter.run()
await connected.promise

const guild = discord.addGuild("home")
const places = Array.from({ length: CHANNELS }, (_, index) => discord.addChannel(guild, `channel ${index}`))
const people = Array.from({ length: PEOPLE }, (_, index) => ({
  user: discord.addUser(`person ${index}`),
  place: places[index % CHANNELS] ?? "",
}))
const cpu = process.cpuUsage()
const began = performance.now()
const asked: string[] = []
for (const text of TEXTS)
  for (const { user, place } of people) {
    const content = `<@${discord.bot.id}> ${text} ${user.username}`
    asked.push(discord.write(user, place, { content, mentions: [discord.bot] }).id)
  }

/** When each message was answered whole, in ms from the beginning, by its id. */
const answered = new Map<string, number>()
const answers = () =>
  places.flatMap((place) =>
    discord.messages(place).filter(({ author, content }) => author.id === discord.bot.id && isWhole(content)),
  )
const isWhole = (content: string): boolean => /^re (first|second) person \d+$/.test(content)
await discord.until(() => {
  for (const { message_reference: to } of answers())
    if (to && !answered.has(to.message_id)) answered.set(to.message_id, performance.now() - began)
  return answered.size === asked.length
})
const { user, system } = process.cpuUsage(cpu)
await adapter.stop()
await served
await runtime.close()

const found = answers()
const inOrder = people.filter(({ user: { username }, place }) => {
  const own = discord.messages(place).filter(({ content }) => content.endsWith(` ${username}`))
  const said = own.filter(({ author }) => author.id === discord.bot.id).map(({ content }) => content)
  return said.join() === TEXTS.map((text) => `re ${text} ${username}`).join()
})
const sorted = [...answered.values()].toSorted((a, b) => a - b)
const at = (share: number): string =>
  ((sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN) / 1_000).toFixed(1)
const refused = discord.requests.filter(({ status }) => status === 429).length
console.log(`${PEOPLE} people in ${CHANNELS} channels, ${asked.length} messages at once`)
console.log(
  `answers ${found.length}, people answered once and in order ${inOrder.length}, errors ${errors.length}`,
)
console.log(`requests ${discord.requests.length}, refused as too many ${refused}`)
console.log(`waited p50 ${at(0.5)} s, p95 ${at(0.95)} s, max ${at(1)} s`)
console.log(
  `CPU ${((user + system) / 1_000 / asked.length).toFixed(1)} ms an answer, with the fake Discord's`,
)
await discord.close()
process.exitCode = found.length === asked.length && inOrder.length === PEOPLE && errors.length === 0 ? 0 : 1
