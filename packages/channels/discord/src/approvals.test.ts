import { type ModelRequest, Namespace, tool } from "@orra/core"
import { call } from "@orra/testing"
import type { DiscordMessage, FakeDiscord } from "@orra/testing/discord"
import { expect, test } from "vitest"
import { asking, mention, place, said, startBot } from "./fixture.ts"

interface Paid {
  readonly answer: (request: ModelRequest) => string | readonly ReturnType<typeof call>[]
  readonly tools: readonly ReturnType<typeof tool>[]
  readonly paid: unknown[]
}

/** A model that pays once, and says so when that is done. */
function paying(args: Record<string, string> = { to: "bob" }): Paid {
  const paid: unknown[] = []
  return {
    answer: ({ messages }) => (messages.at(-1)?.role === "tool" ? "Done." : [call("pay", args)]),
    tools: [
      tool({
        name: "pay",
        description: "Pays.",
        input: { type: "object" },
        risk: "write",
        execute: (input) => {
          paid.push(input)
          return "paid"
        },
      }),
    ],
    paid,
  }
}

const question = (discord: FakeDiscord, channel: string): DiscordMessage | undefined =>
  discord.messages(channel).findLast(({ components }) => components.length > 0)

/** Ada's payment waits in a channel, and Bob may decide about it. */
async function askedInChannel() {
  const { answer, tools, paid } = paying()
  const own = asking()
  const there = await place({
    answer,
    runtime: { tools, ...own },
    channel: { approvals: own.approvals },
    rights: (people) => ({ approvers: [people.bob.id] }),
  })
  const { discord, ada, channel } = there
  mention(discord, ada, channel, "pay bob")
  await discord.until(() => question(discord, channel) !== undefined)
  const asked = question(discord, channel)
  if (!asked) throw new Error("nothing was asked")
  return { ...there, paid, asked, approvals: own.approvals }
}

test("S9: a call that policy asks about waits for a person who may decide, and nobody else's press counts", async () => {
  const { discord, ada, bob, channel, errors, paid, asked } = await askedInChannel()
  expect(asked.content).toContain('"to": "bob"')
  const refused = await discord.press(ada, asked, "Allow")
  expect(refused).toMatchObject({ ephemeral: true, content: "You may not decide this." })
  expect(paid).toEqual([])
  await discord.press(bob, asked, "Allow")
  await discord.until(() => said(discord, channel).includes("Done."))
  expect(paid).toEqual([{ to: "bob" }])
  await discord.until(() =>
    discord.messages(channel).some(({ content }) => content.includes(`Allowed by <@${bob.id}>`)),
  )
  expect(question(discord, channel)).toBeUndefined()
  // The second press comes too late, and does nothing.
  await discord.press(bob, asked, "Allow")
  await discord.until(() =>
    discord.messages(channel).some(({ content }) => content.includes("This is closed.")),
  )
  expect(paid).toHaveLength(1)
  expect(errors).toEqual([])
})

test("a question that is decided elsewhere loses its buttons, and the answer comes", async () => {
  const { discord, bob, channel, errors, paid, asked, approvals } = await askedInChannel()
  const [pending] = await approvals.list(Namespace.of("discord"))
  if (!pending) throw new Error("nothing waits")
  await approvals.decide(pending.namespace, pending.approvalId, { decision: "approve", by: "owner" })
  await discord.until(() => said(discord, channel).includes("Done."))
  await discord.until(() => question(discord, channel) === undefined)
  const closed = discord.messages(channel).find(({ id }) => id === asked.id)
  expect(closed?.content).toContain('"to": "bob"')
  expect(closed?.content).toContain("Allowed by owner, elsewhere.")
  // Whoever still sees them presses in vain.
  await discord.press(bob, asked, "Refuse")
  await discord.until(() =>
    discord.messages(channel).some(({ content }) => content.includes("This is closed.")),
  )
  expect(paid).toHaveLength(1)
  expect(errors).toEqual([])
})

test("a question outlives the process that asked it", async () => {
  const { answer, tools, paid } = paying()
  const first = asking()
  const { discord, ada, bob, channel, runtime, stop } = await place({
    answer,
    runtime: { tools, ...first },
    channel: { approvals: first.approvals },
  })
  mention(discord, ada, channel, "pay bob")
  await discord.until(() => question(discord, channel) !== undefined)
  const asked = question(discord, channel)
  await stop()
  if (!asked) return
  const again = asking()
  const bot = startBot(discord, {
    answer,
    runtime: { tools, ...again, store: runtime.store },
    channel: { approvals: again.approvals, approvers: [bob.id] },
  })
  await bot.ready
  await discord.press(bob, asked, "Refuse")
  await discord.until(() => discord.messages(channel).some(({ content }) => content.includes("Refused by")))
  // And its answer comes to where it was asked.
  await discord.until(() => said(discord, channel).includes("Done."))
  expect(paid).toEqual([])
})

test("nothing in the arguments hides: what is long is whole in a file, what is invisible is a number", async () => {
  const { answer, tools } = paying({ to: "bob\u202Eeve\u200B```\n@everyone", why: "x".repeat(3_000) })
  const own = asking()
  const { discord, ada, channel } = await place({
    answer,
    runtime: { tools, ...own },
    channel: { approvals: own.approvals },
  })
  mention(discord, ada, channel, "pay")
  await discord.until(() => question(discord, channel) !== undefined)
  const asked = question(discord, channel)
  expect(asked?.content).toContain("\\u202eeve\\u200b\\u0060\\u0060\\u0060")
  expect(asked?.content).toContain("Read the whole in the file")
  expect(asked?.allowed_mentions).toMatchObject({ parse: [] })
  const [file] = asked?.attachments ?? []
  expect(file && String(discord.fileOf(file))).toContain("x".repeat(3_000))
})

test("/approve shows what waits once more", async () => {
  const { answer, tools } = paying()
  const own = asking()
  const { discord, ada, bob, channel, guild } = await place({
    answer,
    runtime: { tools, ...own },
    channel: { approvals: own.approvals },
  })
  await discord.until(() => discord.commands.includes("approve"))
  mention(discord, ada, channel, "pay")
  await discord.until(() => question(discord, channel) !== undefined)
  const before = discord.messages(channel).length
  await discord.command(ada, channel, "approve")
  await discord.until(() => discord.messages(channel).length > before)
  await discord.command(bob, channel, "approve")
  await discord.until(() => said(discord, channel).includes("Nothing waits to be allowed."))
  expect(await own.approvals.list(Namespace.of("discord", guild))).toHaveLength(1)
})
