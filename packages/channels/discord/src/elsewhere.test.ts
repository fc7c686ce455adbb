import { Approvals, Namespace, PolicyRegistry, tool } from "@orra/core"
import { call } from "@orra/testing"
import type { DiscordMessage, FakeDiscord } from "@orra/testing/discord"
import { expect, test } from "vitest"
import { mention, type Place, place, said, startBot } from "./fixture.ts"

const CHAT = Namespace.of("web", "one")

/** Somebody's chat in a page, whose questions are shown in a channel of Discord, where Bob may decide. */
async function house({ ttlMs }: { readonly ttlMs?: number } = {}) {
  const paid: unknown[] = []
  const pay = tool({
    name: "pay",
    description: "Pays.",
    input: { type: "object" },
    risk: "write",
    execute: (input) => {
      paid.push(input)
      return "paid"
    },
  })
  const own = () => ({
    tools: [pay],
    approvals: new Approvals(ttlMs === undefined ? {} : { ttlMs }),
    policies: new PolicyRegistry({ default: "allow", base: { ask: ["pay"] } }),
  })
  const answer = ({ messages }: { readonly messages: readonly { readonly role: string }[] }) =>
    messages.at(-1)?.role === "tool" ? "Done." : [call("pay", { to: "bob" })]
  const runtime = own()
  const questions = (channel: string) => ({ channel, of: [Namespace.of("web")] })
  const there = await place({
    answer,
    runtime,
    channel: { approvals: runtime.approvals, lookMs: 5 },
    rights: ({ bob, channel }) => ({ approvers: [bob.id], questions: questions(channel) }),
  })
  /** The same on the same store, after the first was stopped. */
  const again = async () => {
    const later = own()
    const { approvals } = later
    const bot = startBot(there.discord, {
      answer,
      runtime: { ...later, store: there.runtime.store },
      channel: { approvals, lookMs: 5, approvers: [there.bob.id], questions: questions(there.channel) },
    })
    await bot.ready
    return approvals
  }
  return { ...there, paid, approvals: runtime.approvals, again }
}

const question = (discord: FakeDiscord, channel: string): DiscordMessage | undefined =>
  discord.messages(channel).findLast(({ components }) => components.length > 0)

/** The chat asks, and so does Discord. */
async function asked({ runtime, discord, channel }: Pick<Place, "runtime" | "discord" | "channel">) {
  const { outcome } = await runtime.run(CHAT, "pay bob")
  expect(outcome).toBe("waiting")
  await discord.until(() => question(discord, channel) !== undefined)
  const message = question(discord, channel)
  if (!message) throw new Error("nothing was asked")
  return message
}

test("what a chat elsewhere waits for is decided by a press, and never by a bystander's or a second one", async () => {
  const there = await house()
  const { discord, channel, ada, bob, runtime, paid, errors } = there
  const message = await asked(there)
  expect(message.content).toContain('"to": "bob"')
  expect(message.content).toContain("-# web:one")
  expect(await discord.press(ada, message, "Allow")).toMatchObject({
    ephemeral: true,
    content: "You may not decide this.",
  })
  expect(paid).toEqual([])
  await discord.press(bob, message, "Allow")
  await discord.until(() => said(discord, channel).some((text) => text.includes(`Allowed by <@${bob.id}>`)))
  await expect.poll(() => paid).toEqual([{ to: "bob" }])
  const [decision] = await runtime.store.read(CHAT, { types: ["approval_decision"] })
  expect(decision).toMatchObject({ decision: "approve", by: `discord:${bob.id}` })
  await discord.press(bob, message, "Refuse")
  await discord.until(() => said(discord, channel).some((text) => text.includes("This is closed.")))
  expect(paid).toHaveLength(1)
  expect(discord.messages(channel)).toHaveLength(1)
  expect(errors).toEqual([])
})

test("a press is said once, however long deciding takes", async () => {
  const there = await house()
  const { discord, channel, bob, approvals } = there
  const message = await asked(there)
  let looks = 0
  const list = approvals.list.bind(approvals)
  approvals.list = (prefix) => {
    looks++
    return list(prefix)
  }
  const decide = approvals.decide.bind(approvals)
  approvals.decide = async (...decision) => {
    await decide(...decision)
    const before = looks
    await expect.poll(() => looks).toBeGreaterThan(before + 2)
  }
  await discord.press(bob, message, "Refuse")
  await discord.until(() => said(discord, channel).some((text) => text.includes("Refused by")))
  expect(said(discord, channel).join()).toContain(`Refused by <@${bob.id}>`)
})

test("what is decided elsewhere loses its buttons in Discord, and says by whom", async () => {
  const there = await house()
  const { discord, channel, approvals, paid, errors } = there
  const message = await asked(there)
  const [pending] = await approvals.list(CHAT)
  await approvals.decide(CHAT, pending?.approvalId ?? "", { decision: "deny", by: "owner" })
  await discord.until(() => question(discord, channel) === undefined)
  expect(discord.messages(channel).find(({ id }) => id === message.id)?.content).toContain(
    "Refused by owner, elsewhere.",
  )
  expect(paid).toEqual([])
  expect(errors).toEqual([])
})

test("what nobody decided in time is closed, and a press that comes after decides nothing", async () => {
  const there = await house({ ttlMs: 300 })
  const { discord, channel, bob, paid } = there
  const message = await asked(there)
  await discord.until(() => question(discord, channel) === undefined)
  expect(said(discord, channel).join()).toContain("This is not asked any more.")
  await discord.press(bob, message, "Allow")
  await discord.until(() => said(discord, channel).some((text) => text.includes("This is closed.")))
  expect(paid).toEqual([])
})

test("after a restart the same buttons decide, and the question is not shown twice", async () => {
  const there = await house()
  const { discord, channel, bob, stop, again, paid } = there
  const message = await asked(there)
  await stop()
  const approvals = await again()
  await discord.press(bob, message, "Allow")
  await expect.poll(() => paid).toHaveLength(1)
  expect(discord.messages(channel)).toHaveLength(1)
  expect(await approvals.list(CHAT)).toEqual([])
})

test("a question of Discord's own is shown where it was asked, and there alone", async () => {
  const { discord, channel, guild, ada } = await house()
  const other = discord.addChannel(guild, "other")
  mention(discord, ada, other, "pay bob")
  await discord.until(() => question(discord, other) !== undefined)
  expect(discord.messages(channel)).toEqual([])
})

test("a message that was deleted keeps nothing from going on", async () => {
  const there = await house()
  const { discord, channel, approvals, paid, runtime, errors } = there
  const message = await asked(there)
  const deleted = await fetch(`${discord.api}/v10/channels/${channel}/messages/${message.id}`, {
    method: "DELETE",
    headers: { authorization: `Bot ${discord.token}` },
  })
  expect(deleted.status).toBe(204)
  const [pending] = await approvals.list(CHAT)
  await approvals.decide(CHAT, pending?.approvalId ?? "", { decision: "approve", by: "owner" })
  await expect.poll(() => paid).toHaveLength(1)
  await expect
    .poll(async () => (await runtime.store.records("discord-questions").list(Namespace.of("discord"))).items)
    .toEqual([])
  expect(errors).toEqual([])
})
