import { MemoryStore, type ModelRequest, messageText, Namespace } from "@orra/core"
import { expect, test } from "vitest"
import { mention, place, said, startBot } from "./fixture.ts"

const echo = ({ messages }: ModelRequest): string => `re ${messages.map(messageText).join("|")}`

test("a thread of its own for each question, which goes on with its own conversation", async () => {
  const { discord, ada, channel, guild, runtime, errors } = await place({
    answer: echo,
    channel: { threads: true },
  })
  const asked = mention(discord, ada, channel, "first\nand more")
  // A thread has the id of its message.
  await discord.until(() => said(discord, asked.id).includes("re first\nand more"))
  mention(discord, ada, channel, "second")
  mention(discord, ada, asked.id, "third")
  await discord.until(() => said(discord, asked.id).includes("re first\nand more|re first\nand more|third"))
  expect(said(discord, channel)).toEqual([])
  expect(await runtime.store.info(Namespace.of("discord", guild, asked.id, ada.id))).toBeDefined()
  expect(discord.requests.find(({ path }) => path.endsWith("/threads"))?.path).toBe(
    `/channels/${channel}/messages/${asked.id}/threads`,
  )
  expect(errors).toEqual([])
})

test("/ask shows the question, and answers in a thread of that", async () => {
  const { discord, ada, channel } = await place({ answer: echo, channel: { threads: true } })
  await discord.until(() => discord.commands.includes("ask"))
  await discord.command(ada, channel, "ask", { text: "one\ntwo" })
  await discord.until(() => said(discord, channel).includes("> one\n> two"))
  const [shown] = discord.messages(channel)
  await discord.until(() => said(discord, shown?.id ?? "").includes("re one\ntwo"))
})

test("/ask with many lines shows as much of the question as Discord takes", async () => {
  const { discord, ada, channel, errors } = await place({ answer: () => "yes", channel: { threads: true } })
  await discord.until(() => discord.commands.includes("ask"))
  await discord.command(ada, channel, "ask", { text: "a\n".repeat(1_000) })
  await discord.until(() => said(discord, discord.messages(channel)[0]?.id ?? "").includes("yes"))
  expect(said(discord, channel)[0]).toMatch(/^(?:> a\n)+/)
  expect(errors).toEqual([])
})

test("where it may open none it answers below the message, and in private", async () => {
  const { discord, ada, channel, errors } = await place({
    answer: echo,
    channel: { threads: true, filter: "all" },
  })
  const asked = mention(discord, ada, channel, "first")
  discord.fail("POST", `/channels/${channel}/messages/${asked.id}/threads`, 403)
  await discord.until(() => said(discord, channel).includes("re first"))
  expect(errors).toHaveLength(1)
  const own = discord.direct(ada)
  discord.write(ada, own, "hello")
  await discord.until(() => said(discord, own).includes("re hello"))
})

test("who mentions it in a thread of others is answered there, in a session of that", async () => {
  const { discord, ada, channel, guild, runtime } = await place({ answer: echo })
  const thread = discord.addChannel(guild, "a task", { type: 11, parentId: channel })
  const asked = mention(discord, ada, thread, "hello")
  await discord.until(() => said(discord, thread).includes("re hello"))
  expect(discord.messages(thread).at(-1)?.message_reference).toEqual({ message_id: asked.id })
  expect(said(discord, channel)).toEqual([])
  expect(await runtime.store.info(Namespace.of("discord", guild, thread, ada.id))).toBeDefined()
})

test("what was not answered when a process died is answered in its thread by the next one", async () => {
  const store = new MemoryStore()
  const { discord, ada, channel, guild, stop } = await place({
    answer: echo,
    runtime: { store },
    channel: { threads: true },
  })
  const asked = mention(discord, ada, channel, "hello")
  await discord.until(() => said(discord, asked.id).includes("re hello"))
  await stop()
  const before = mention(discord, ada, channel, "again")
  await store.records("discord-unanswered").put(Namespace.of("discord", guild, asked.id, ada.id), asked.id, {
    guildId: guild,
    channelId: asked.id,
    userId: ada.id,
    conversation: 0,
  })
  await startBot(discord, { answer: echo, runtime: { store }, channel: { threads: true } }).ready
  await discord.until(() => said(discord, asked.id).length === 2)
  expect(said(discord, asked.id)[1]).toBe("re hello")
  expect(discord.messages(before.id)).toEqual([])
})
