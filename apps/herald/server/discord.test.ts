import { Approvals, PolicyRegistry, Runtime, tool } from "@orra/core"
import { DiscordLinks } from "@orra/discord"
import { call, scriptedProvider } from "@orra/testing"
import { fakeDiscord } from "@orra/testing/discord"
import { expect, onTestFinished, test, vi } from "vitest"
import { parseConfig } from "./config/load.ts"
import { DiscordHost } from "./discord.ts"
import type { Logger } from "./log/log.ts"

const WAIT = { timeout: 60_000 } as const

/** Herald's Discord with this configuration, and a model that pays when it is asked to. */
async function place(toml: (ids: { readonly ada: string; readonly boss: string }) => string, token?: string) {
  const discord = await fakeDiscord()
  const [ada, boss] = [discord.addUser("ada"), discord.addUser("boss")]
  const { config } = parseConfig(`[discord]\n${toml({ ada: ada.id, boss: boss.id })}`, "a.toml", {})
  const approvals = new Approvals()
  const pay = tool({
    name: "pay",
    description: "",
    input: { type: "object" },
    risk: "write",
    execute: () => "paid",
  })
  const runtime = new Runtime({
    provider: scriptedProvider([], {
      otherwise: ({ messages }) => (messages.at(-1)?.role === "tool" ? "It is paid." : [call("pay", {})]),
    }),
    tools: [pay],
    approvals,
    policies: new PolicyRegistry({ default: "allow", base: { ask: ["pay"] } }),
  })
  const lines: string[] = []
  const write = (...said: unknown[]): void => void lines.push(said.map(String).join(" "))
  const logger = { info: write, warn: write } as unknown as Logger
  const links = new DiscordLinks({ store: runtime.store, people: () => [] })
  const service = new DiscordHost({ runtime, approvals, links, logger, api: discord.api })
  await service.use({ ...config.discord, token: token ?? discord.token })
  onTestFinished(async () => {
    await service.close()
    await runtime.close()
    await discord.close()
  })
  return {
    discord,
    lines,
    service,
    ada,
    boss,
    channel: discord.addChannel(discord.addGuild("home"), "general"),
  }
}

test("whoever is allowed is answered, and an approver decides", async () => {
  const { discord, lines, ada, boss, channel } = await place(
    ({ ada, boss }) => `allowed_users = ["${ada}"]\napprovers = ["${boss}"]`,
  )
  await vi.waitFor(() => expect(lines).toContain("Discord: connected"), WAIT)
  discord.write(ada, channel, { content: `<@${discord.bot.id}> pay`, mentions: [discord.bot] })
  const question = () => discord.messages(channel).find(({ components }) => components.length > 0)
  await discord.until(() => question() !== undefined)
  const asked = question()
  if (asked) await discord.press(boss, asked, "Allow")
  await discord.until(() => discord.messages(channel).some(({ content }) => content === "It is paid."))
})

test("a question is answered in a thread of its own where the configuration says so", async () => {
  const { discord, lines, ada, channel } = await place(() => "threads = true")
  await vi.waitFor(() => expect(lines).toContain("Discord: connected"), WAIT)
  const { id } = discord.write(ada, channel, { content: `<@${discord.bot.id}> Hi`, mentions: [discord.bot] })
  await discord.until(() => discord.messages(id).some(({ components }) => components.length > 0))
})

test("R16: a token that is refused is in the log, and ends nothing else", async () => {
  const { lines } = await place(() => "", "a-wrong-token")
  await vi.waitFor(
    () => expect(lines.join()).toContain("Discord: failed. Discord refuses the bot's token"),
    WAIT,
  )
  expect(lines.join()).not.toContain("a-wrong-token")
})

test.each([
  ['allowed_users = ["ada"]', 'a.toml:2: discord.allowed_users "ada" is no id'],
  ['approvers = ["boss#1234"]', 'a.toml:2: discord.approvers "boss#1234" is no id'],
  ['approvals_channel = "general"', 'a.toml:2: discord.approvals_channel "general" is no id'],
  ['approvals_channel = "300000000000000000"', "a.toml:2: discord.approvals_channel needs approvers"],
  ['filter = "dm"', 'a.toml:2: discord.filter "dm" needs allowed_users'],
  ['namespace_prefix = "web:x"', 'a.toml:2: discord.namespace_prefix "web:x" overlaps "web"'],
  ['namespace_prefix = ""', "a.toml:2: discord.namespace_prefix"],
])("%s is refused with its line", (toml, message) => {
  expect(() => parseConfig(`[discord]\n${toml}`, "a.toml", {})).toThrow(message)
})
