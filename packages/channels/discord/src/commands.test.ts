import { MemoryStore, type ModelRequest, messageText, Namespace } from "@orra/core"
import { hang, say } from "@orra/testing"
import { expect, test } from "vitest"
import { mention, place, said } from "./fixture.ts"
import { DiscordLinks } from "./index.ts"

const echo = ({ messages }: ModelRequest): string => `re ${messages.map(messageText).join("|")}`

test("/ask is answered, /new begins with nothing before it, and /usage counts the conversation", async () => {
  const { discord, ada, channel, errors } = await place({ answer: echo })
  await discord.until(() => discord.commands.length > 0)
  await discord.command(ada, channel, "ask", { text: "one" })
  await discord.until(() => said(discord, channel).includes("re one"))
  mention(discord, ada, channel, "two")
  await discord.until(() => said(discord, channel).includes("re one|re one|two"))
  await discord.command(ada, channel, "usage")
  await discord.until(() => said(discord, channel).some((text) => text.startsWith("2 answers, ")))
  await discord.command(ada, channel, "new")
  await discord.until(() => said(discord, channel).some((text) => text.startsWith("A new conversation")))
  mention(discord, ada, channel, "three")
  await discord.until(() => said(discord, channel).includes("re three"))
  expect(errors).toEqual([])
})

test("/stop stops only what is written for whoever asks", async () => {
  const { discord, ada, bob, channel } = await place({ answer: [say("Half"), hang()] })
  await discord.until(() => discord.commands.length > 0)
  mention(discord, ada, channel, "go")
  await discord.until(() => said(discord, channel).includes("Half …"))
  await discord.command(bob, channel, "stop")
  await discord.until(() => said(discord, channel).includes("Nothing is being written for you here."))
  expect(said(discord, channel)).toContain("Half …")
  await discord.command(ada, channel, "stop")
  await discord.until(() => said(discord, channel).includes("Half"))
})

test("an agent is named with @, chosen with /agent, and only one that there is", async () => {
  let names = ["Atlas", "CodeBot"]
  const { discord, ada, channel, guild, runtime } = await place({
    channel: { agents: () => names },
  })
  await discord.until(() => discord.commands.length > 0)
  mention(discord, ada, channel, "@codebot hello")
  await discord.until(() => said(discord, channel).includes("Hello.\n-# CodeBot"))
  await discord.command(ada, channel, "agent", { name: "nobody" })
  await discord.until(() => said(discord, channel).some((text) => text.startsWith("There is no such agent.")))
  await discord.command(ada, channel, "agent", { name: "atlas" })
  await discord.until(() => said(discord, channel).includes("Atlas answers you here from now on."))
  mention(discord, ada, channel, "hello")
  await discord.until(() => said(discord, channel).includes("Hello.\n-# Atlas"))
  // The one that was chosen is gone: the default answers, whoever that is now.
  names = ["CodeBot"]
  mention(discord, ada, channel, "hello again")
  await discord.until(() => said(discord, channel).includes("Hello."))
  const session = Namespace.of("discord", guild, channel, ada.id)
  const started = await runtime.store.read(session, { types: ["run_started"] })
  expect(started).toMatchObject([{ agent: "CodeBot" }, { agent: "Atlas" }, { type: "run_started" }])
  expect(started[2]).not.toHaveProperty("agent")
})

const NAMES = ["ask", "new", "stop", "agent", "usage", "approve", "link"]
const links = new DiscordLinks({ store: new MemoryStore(), people: () => [] })

test.each(NAMES)("whoever may not talk to it gets nothing from /%s", async (name) => {
  const { discord, bob, channel, runtime } = await place({
    channel: { links },
    rights: ({ ada }) => ({ allowedUsers: [ada.id] }),
  })
  await discord.until(() => discord.commands.includes(name))
  const answer = await discord.command(bob, channel, name, { text: "hello", name: "Atlas", code: "A" })
  expect(answer).toMatchObject({ ephemeral: true, content: "You may not talk to me." })
  mention(discord, bob, channel, "hello")
  expect(said(discord, channel)).toEqual([])
  expect((await runtime.store.list(Namespace.of("discord"))).items).toEqual([])
})

test("every command that there is has been tried by somebody who may not", async () => {
  const { discord } = await place({ channel: { links } })
  await discord.until(() => discord.commands.length > 0)
  expect(discord.commands).toEqual(NAMES)
})
