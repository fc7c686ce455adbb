import { type ModelRequest, messageText, Namespace } from "@orra/core"
import { say, wait } from "@orra/testing"
import { expect, test, vi } from "vitest"
import { mention, place, said, startBot } from "./fixture.ts"

const WAIT = { timeout: 60_000 } as const
const lastText = ({ messages }: ModelRequest): string => {
  const last = messages.at(-1)
  return last ? messageText(last) : ""
}
const echo = (request: ModelRequest): string => `re ${lastText(request)}`

test("who mentions it is answered below the message, in a session of their own, and nobody is called", async () => {
  const { discord, ada, bob, guild, channel, runtime, errors } = await place({ answer: echo })
  const asked = mention(discord, ada, channel, "hello")
  mention(discord, bob, channel, "hi")
  discord.write(bob, channel, "not to the bot")
  await discord.until(() => said(discord, channel).length === 2)
  await discord.until(() => said(discord, channel).every((text) => !text.endsWith("…")))
  expect(said(discord, channel).toSorted()).toEqual(["re hello", "re hi"])
  const answer = discord.messages(channel).find(({ content }) => content === "re hello")
  expect(answer?.message_reference).toEqual({ message_id: asked.id })
  expect(answer?.allowed_mentions).toMatchObject({ parse: [] })
  const session = Namespace.of("discord", guild, channel, ada.id)
  expect((await runtime.store.info(session))?.messages).toBe(2)
  const [user] = await runtime.store.read(session, { types: ["run_started"] })
  expect(user).toMatchObject({ principal: `discord:${ada.id}` })
  expect(errors).toEqual([])
})

test("R7: an answer grows while it is written, and a long one becomes several messages", async () => {
  const [half, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const long = "word ".repeat(600)
  const { discord, ada, channel } = await place({
    answer: [say("One"), wait(half.promise), say(long), wait(end.promise)],
  })
  mention(discord, ada, channel, "go")
  await discord.until(() => said(discord, channel)[0] === "One …")
  half.resolve()
  await discord.until(() => said(discord, channel).length === 2)
  end.resolve()
  await discord.until(() => said(discord, channel).every((text) => !text.endsWith("…")))
  expect(said(discord, channel).join("").replaceAll(/\s/g, "")).toBe(`One${long}`.replaceAll(/\s/g, ""))
})

test("an answer that is longer than five messages comes as a file", async () => {
  const text = `# Title\n${"A line of it.\n".repeat(900)}`
  const { discord, ada, channel } = await place({ answer: text })
  mention(discord, ada, channel, "go")
  const file = () => discord.messages(channel).at(-1)?.attachments[0]
  await discord.until(() => file() !== undefined)
  const attachment = file()
  expect(attachment?.filename).toBe("answer.md")
  expect(attachment && String(discord.fileOf(attachment))).toBe(text)
  expect(said(discord, channel).at(-2)).toContain("in the file")
})

test("a message that is delivered twice is answered once", async () => {
  const { discord, ada, channel, runtime, guild } = await place({ answer: echo })
  discord.write(ada, channel, { content: `<@${discord.bot.id}> once`, mentions: [discord.bot], times: 3 })
  await discord.until(() => said(discord, channel).includes("re once"))
  mention(discord, ada, channel, "after")
  await discord.until(() => said(discord, channel).includes("re after"))
  expect((await runtime.store.info(Namespace.of("discord", guild, channel, ada.id)))?.messages).toBe(4)
})

test("a message that is delivered again while its answer is written, or after it, is nothing new", async () => {
  const end = Promise.withResolvers<void>()
  const { discord, ada, channel } = await place({
    answer: (request) =>
      lastText(request) === "go" ? [say("Half"), wait(end.promise), say(" done.")] : "Next.",
  })
  const asked = mention(discord, ada, channel, "go")
  await discord.until(() => said(discord, channel).includes("Half …"))
  discord.again(asked)
  end.resolve()
  await discord.until(() => said(discord, channel).includes("Half done."))
  discord.again(asked)
  mention(discord, ada, channel, "next")
  await discord.until(() => said(discord, channel).includes("Next."))
  expect(said(discord, channel)).toEqual(["Half done.", "Next."])
})

test("pictures and text reach the model; what it cannot read is named", async () => {
  let parts: readonly unknown[] = []
  const { discord, ada, channel } = await place({
    answer: ({ messages }) => {
      parts = messages.at(-1)?.parts ?? []
      return "Seen."
    },
  })
  const [png, text] = [Buffer.from("iVBORw0KGgo=", "base64"), Buffer.from("Some notes")]
  discord.write(ada, channel, {
    content: `<@${discord.bot.id}> look`,
    mentions: [discord.bot],
    files: [
      { name: "a.png", type: "image/png", bytes: png },
      { name: "notes.txt", type: "text/plain; charset=utf-8", bytes: text },
      { name: "song.mp3", type: "audio/mpeg", bytes: Buffer.alloc(10) },
    ],
  })
  await discord.until(() => said(discord, channel).includes("Seen."))
  expect(parts).toMatchObject([
    { type: "text", text: "look" },
    { type: "image", mediaType: "image/png", data: png.toString("base64") },
    { type: "file", name: "notes.txt", data: text.toString("base64") },
    { type: "text", text: expect.stringContaining("song.mp3") },
  ])
})

test("in private it listens to those who are allowed, by id and not by name", async () => {
  const { discord, ada, bob, channel, stop } = await place({ answer: echo })
  await stop()
  await discord.until(() => discord.connected === 0)
  const bot = startBot(discord, { answer: echo, channel: { filter: "dm", allowedUsers: [ada.id] } })
  await bot.ready
  discord.write(bob, discord.direct(bob), "let me in")
  const impostor = discord.addUser("ada")
  discord.write(impostor, discord.direct(impostor), "it is me")
  mention(discord, ada, channel, "in the open")
  discord.write(ada, discord.direct(ada), "hello")
  await discord.until(() => said(discord, discord.direct(ada)).includes("re hello"))
  for (const other of [discord.direct(bob), discord.direct(impostor), channel])
    expect(said(discord, other)).toEqual([])
  const session = Namespace.of("discord", "dm", discord.direct(ada), ada.id)
  expect(await bot.runtime.store.info(session)).toBeDefined()
})

test("what cannot be sent, since the channel is gone, is reported, and others are answered", async () => {
  const slow = Promise.withResolvers<void>()
  const { discord, ada, channel, guild, errors } = await place({
    answer: (request) => (lastText(request) === "gone" ? [wait(slow.promise), say("Too late.")] : "Here."),
  })
  const gone = discord.addChannel(guild, "soon gone")
  mention(discord, ada, gone, "gone")
  await discord.until(() => discord.requests.some(({ path }) => path === `/channels/${gone}/typing`))
  discord.removeChannel(gone)
  slow.resolve()
  await vi.waitFor(() => expect(errors).toContainEqual(expect.objectContaining({ code: 10003 })), WAIT)
  mention(discord, ada, channel, "hello")
  await discord.until(() => said(discord, channel).includes("Here."))
})

test("a bot that is put out of a server reports what it could not say there, and answers in the others", async () => {
  const slow = Promise.withResolvers<void>()
  const { discord, ada, channel, errors } = await place({
    answer: (request) => (lastText(request) === "out" ? [wait(slow.promise), say("Too late.")] : "Here."),
  })
  const left = discord.addGuild("soon left")
  const there = discord.addChannel(left, "general")
  mention(discord, ada, there, "out")
  await discord.until(() => discord.requests.some(({ path }) => path === `/channels/${there}/typing`))
  discord.removeGuild(left)
  slow.resolve()
  await vi.waitFor(() => expect(errors).toContainEqual(expect.objectContaining({ code: 50001 })), WAIT)
  expect(discord.messages(there)).toHaveLength(1)
  mention(discord, ada, channel, "hello")
  await discord.until(() => said(discord, channel).includes("Here."))
})

test("a message that is deleted before the answer is answered all the same", async () => {
  const slow = Promise.withResolvers<void>()
  const { discord, ada, channel } = await place({ answer: [wait(slow.promise), say("Here.")] })
  const asked = mention(discord, ada, channel, "hello")
  await discord.until(() => discord.requests.some(({ path }) => path.endsWith("/typing")))
  discord.remove(channel, asked.id)
  slow.resolve()
  await discord.until(() => said(discord, channel).includes("Here."))
  expect(discord.messages(channel).at(-1)).not.toHaveProperty("message_reference")
})
