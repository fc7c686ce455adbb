import {
  type Approvals,
  type Json,
  MemoryStore,
  Namespace,
  PolicyRegistry,
  type Records,
  Runtime,
  tool,
} from "@orra/core"
import { call, scriptedProvider } from "@orra/testing"
import { type DiscordMessage, type FakeDiscord, fakeDiscord } from "@orra/testing/discord"
import { expect, onTestFinished, test } from "vitest"
import { asking, mention, place, said, startBot } from "./fixture.ts"
import { DiscordLinks, type LinkablePerson } from "./index.ts"

const ADA: LinkablePerson = { namespace: Namespace.of("web"), name: "Ada", decidesIn: [Namespace.of("web")] }
const EVE: LinkablePerson = { namespace: Namespace.of("eve"), name: "Eve", decidesIn: [] }
const CHAT = Namespace.of("web", "one")

function linksOn(store: MemoryStore, people: readonly LinkablePerson[] = [ADA, EVE]) {
  return new DiscordLinks({ store, people: () => people })
}

test("who is not linked is told how in private, and answered as soon as they are", async () => {
  const store = new MemoryStore()
  const links = linksOn(store)
  const { discord, ada, channel, errors } = await place({ channel: { links } })
  const own = discord.direct(ada)
  discord.write(ada, own, "hello")
  await discord.until(() => said(discord, own).length === 1)
  expect(said(discord, own)[0]).toContain("send it to me with /link")
  await discord.until(() => discord.commands.includes("link"))
  expect(await discord.command(ada, own, "ask", { text: "hello" })).toMatchObject({
    ephemeral: true,
    content: expect.stringContaining("/link"),
  })
  await discord.command(ada, channel, "link", { code: "AAAAA-AAAAA" })
  await discord.until(() => said(discord, channel).some((text) => text.startsWith("There is no such code")))
  const { code } = await links.code(ADA.namespace)
  await discord.command(ada, channel, "link", { code: code.toLowerCase().replace("-", " ") })
  await discord.until(() => said(discord, channel).some((text) => text.startsWith("You are linked as Ada.")))
  discord.write(ada, own, "hello again")
  await discord.until(() => said(discord, own).includes("Hello."))
  // In a server it goes on hearing what mentions it only.
  discord.write(ada, channel, "not to the bot")
  expect(said(discord, channel)).toHaveLength(2)
  expect(errors).toEqual([])
})

test("where only private messages are heard, who is not linked gets no answer to a command in a server either", async () => {
  const store = new MemoryStore()
  const links = linksOn(store)
  const { discord, ada, channel } = await place({ channel: { links, filter: "dm" } })
  await discord.until(() => discord.commands.includes("ask"))
  expect(await discord.command(ada, channel, "ask", { text: "hello" })).toMatchObject({
    ephemeral: true,
    content: expect.stringContaining("/link"),
  })
  await links.redeem((await links.code(ADA.namespace)).code, { userId: ada.id, username: ada.username })
  await discord.command(ada, channel, "ask", { text: "hello" })
  await discord.until(() => said(discord, channel).includes("Hello."))
})

test("a code links one account, once, and not when it is old", async () => {
  let now = 1_000_000
  const store = new MemoryStore()
  Object.assign(store, { now: async () => now })
  const links = linksOn(store)
  const [first, second] = [
    { userId: "200000000000000001", username: "ada" },
    { userId: "200000000000000002", username: "mallory" },
  ]
  const replaced = await links.code(ADA.namespace)
  const { code } = await links.code(ADA.namespace)
  expect(await links.redeem(replaced.code, first)).toBeUndefined()
  expect(await links.redeem(code, first)).toEqual(ADA)
  expect(await links.redeem(code, second)).toBeUndefined()
  const late = await links.code(EVE.namespace)
  now = late.expiresAt
  expect(await links.redeem(late.code, second)).toBeUndefined()
  // Whoever links the same account elsewhere takes it there.
  expect(await links.redeem((await links.code(EVE.namespace)).code, first)).toEqual(EVE)
  expect(await links.of(first.userId)).toEqual(EVE)
  expect(await links.list()).toMatchObject([{ ...first, person: EVE, at: now }])
  expect(await links.remove(EVE.namespace, first.userId)).toBe(true)
  expect(await links.of(first.userId)).toBeUndefined()
  expect(JSON.stringify((await store.records("discord-link-codes").list(ADA.namespace)).items)).not.toContain(
    code,
  )
})

test("of two who use the same code at the same moment one is linked", async () => {
  const store = new MemoryStore()
  const codes = store.records("discord-link-codes")
  const both = Promise.withResolvers<void>()
  let read = 0
  const slow: Records = Object.assign(Object.create(codes) as Records, {
    get: async (namespace: Namespace, key: string) => {
      const found = await codes.get(namespace, key)
      if (++read === 2) both.resolve()
      await both.promise
      return found
    },
    put: (namespace: Namespace, key: string, value: Json) => codes.put(namespace, key, value),
    delete: (namespace: Namespace, key: string) => codes.delete(namespace, key),
  })
  const records = (name: string) => (name === "discord-link-codes" ? slow : store.records(name))
  const links = new DiscordLinks({ store: { records }, people: () => [ADA] })
  const { code } = await links.code(ADA.namespace)
  const found = await Promise.all(
    ["200000000000000001", "200000000000000002"].map((userId) =>
      links.redeem(code, { userId, username: "x" }),
    ),
  )
  expect(found.filter((person) => person !== undefined)).toEqual([ADA])
  expect(await links.list()).toHaveLength(1)
})

test("who is not there any more is linked to nobody", async () => {
  const store = new MemoryStore()
  const links = linksOn(store)
  await links.redeem((await links.code(EVE.namespace)).code, {
    userId: "200000000000000001",
    username: "eve",
  })
  expect(await linksOn(store, [ADA]).of("200000000000000001")).toBeUndefined()
})

const question = (discord: FakeDiscord, channel: string): DiscordMessage | undefined =>
  discord.messages(channel).findLast(({ components }) => components.length > 0)

/** Ada is linked, and Bob as one who may decide nothing; Ada's chat in the page waits for a payment. */
async function waiting() {
  const discord = await fakeDiscord()
  onTestFinished(() => discord.close())
  const [ada, bob] = [discord.addUser("ada"), discord.addUser("bob")]
  const store = new MemoryStore()
  const links = linksOn(store)
  for (const [person, { id: userId, username }] of [
    [ADA, ada],
    [EVE, bob],
  ] as const)
    await links.redeem((await links.code(person.namespace)).code, { userId, username })
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
  const answer = ({ messages }: { readonly messages: readonly { readonly role: string }[] }) =>
    messages.at(-1)?.role === "tool" ? "Done." : [call("pay", { to: "bob" })]
  const start = async () => {
    const { approvals, policies } = asking()
    const runtime = { tools: [pay], approvals, policies, store }
    const bot = startBot(discord, { answer, runtime, channel: { approvals, links, lookMs: 5 } })
    await bot.ready
    return { ...bot, approvals }
  }
  const bot = await start()
  expect((await bot.runtime.run(CHAT, "pay bob")).outcome).toBe("waiting")
  const own = discord.direct(ada)
  await discord.until(() => question(discord, own) !== undefined)
  const asked = question(discord, own)
  if (!asked) throw new Error("nothing was asked")
  return { discord, ada, bob, own, links, paid, start, bot, asked }
}

const decide = async (approvals: Approvals, decision: "approve" | "deny"): Promise<void> => {
  const [pending] = await approvals.list(CHAT)
  await approvals.decide(CHAT, pending?.approvalId ?? "", { decision, by: "owner" })
}

test("what the chats of somebody who is linked wait for is asked in private, and decided there", async () => {
  const { discord, ada, bob, own, paid, bot, asked } = await waiting()
  expect(asked.content).toContain('"to": "bob"')
  expect(said(discord, discord.direct(bob))).toEqual([])
  await discord.press(ada, asked, "Allow")
  await discord.until(() => said(discord, own).join().includes(`Allowed by <@${ada.id}>`))
  await expect.poll(() => paid).toEqual([{ to: "bob" }])
  const [decision] = await bot.runtime.store.read(CHAT, { types: ["approval_decision"] })
  expect(decision).toMatchObject({ decision: "approve", by: `discord:${ada.id}` })
  await discord.press(ada, asked, "Refuse")
  await discord.until(() => said(discord, own).join().includes("This is closed."))
  expect(paid).toHaveLength(1)
  expect(bot.errors).toEqual([])
})

test("the first answer counts: what was decided in the page loses its buttons in private", async () => {
  const { discord, own, paid, bot } = await waiting()
  await decide(bot.approvals, "deny")
  await discord.until(() => question(discord, own) === undefined)
  expect(said(discord, own).join()).toContain("Refused by owner, elsewhere.")
  expect(paid).toEqual([])
})

test("after a restart the private buttons decide, and nothing is asked twice", async () => {
  const { discord, ada, own, paid, bot, start, asked } = await waiting()
  await bot.stop()
  await start()
  await discord.press(ada, asked, "Allow")
  await expect.poll(() => paid).toHaveLength(1)
  expect(said(discord, own)).toHaveLength(1)
})

test("who is linked no more decides nothing, and neither does somebody else's press", async () => {
  const { discord, ada, bob, links, paid, asked } = await waiting()
  expect(await discord.press(bob, asked, "Allow")).toMatchObject({ content: "You may not decide this." })
  await links.remove(ADA.namespace, ada.id)
  await discord.press(ada, asked, "Allow")
  await expect.poll(() => links.of(ada.id)).toBeUndefined()
  expect(paid).toEqual([])
})

test("who takes no private messages keeps nobody else from being asked", async () => {
  const store = new MemoryStore()
  const links = linksOn(store)
  const own = asking()
  const { discord, ada, bob, errors } = await place({
    runtime: { ...own, store },
    channel: { approvals: own.approvals, links, lookMs: 5 },
  })
  discord.fail("POST", `/channels/${discord.direct(ada)}/messages`, 403)
  const carol = discord.addUser("carol")
  for (const { id: userId, username } of [ada, bob, carol])
    await links.redeem((await links.code(ADA.namespace)).code, { userId, username })
  const other = new Runtime({
    provider: scriptedProvider([], { otherwise: call("pay", {}) }),
    tools: [
      tool({ name: "pay", description: "", input: { type: "object" }, risk: "write", execute: () => "" }),
    ],
    store,
    approvals: asking().approvals,
    policies: new PolicyRegistry({ default: "ask" }),
  })
  onTestFinished(() => other.close())
  await other.run(CHAT, "pay")
  for (const each of [bob, carol])
    await discord.until(() => question(discord, discord.direct(each)) !== undefined)
  await expect.poll(() => errors).toHaveLength(1)
})

test("who may decide about Discord as well does so where it was asked, and is not asked twice", async () => {
  const store = new MemoryStore()
  const root = Namespace.of("discord")
  const links = linksOn(store, [{ ...ADA, decidesIn: [root] }])
  const own = asking()
  const pay = tool({
    name: "pay",
    description: "",
    input: { type: "object" },
    risk: "write",
    execute: () => "paid",
  })
  const { discord, ada, bob, channel } = await place({
    answer: ({ messages }) => (messages.at(-1)?.role === "tool" ? "Done." : [call("pay", {})]),
    runtime: { ...own, store, tools: [pay] },
    channel: { approvals: own.approvals, links, lookMs: 5 },
  })
  const account = { userId: ada.id, username: "ada" }
  await links.redeem((await links.code(ADA.namespace)).code, account)
  mention(discord, bob, channel, "pay")
  await discord.until(() => question(discord, channel) !== undefined)
  let looks = 0
  const list = own.approvals.list.bind(own.approvals)
  own.approvals.list = (prefix) => {
    looks++
    return list(prefix)
  }
  await expect.poll(() => looks).toBeGreaterThan(2)
  expect(said(discord, discord.direct(ada))).toEqual([])
  const asked = question(discord, channel)
  if (!asked) throw new Error("nothing was asked")
  expect(await discord.press(bob, asked, "Allow")).toMatchObject({ content: "You may not decide this." })
  await discord.press(ada, asked, "Allow")
  await discord.until(() => said(discord, channel).includes("Done."))
})
