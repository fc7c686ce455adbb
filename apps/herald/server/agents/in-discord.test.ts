import { say, type WireAnswer, type WireRequest } from "@orra/testing"
import { fakeDiscord } from "@orra/testing/discord"
import { expect, onTestFinished, test } from "vitest"
import { heraldSite } from "../fixture.ts"

const systemOf = ({ body }: WireRequest): string => JSON.stringify(body["system"])
const whoever = (request: WireRequest): WireAnswer =>
  say(`I am ${/You are ([\w ]+),/.exec(systemOf(request))?.[1]}.`)

test("an agent that was just made in the page is called and chosen in Discord, knows where it is, and leaves it to the default when it is gone", async () => {
  const discord = await fakeDiscord()
  const site = await heraldSite({
    config: `[discord]\ntoken = "${discord.token}"\n`,
    answer: whoever,
    discordApi: discord.api,
  })
  onTestFinished(async () => {
    await site.close()
    await discord.close()
  })
  const ada = discord.addUser("ada")
  const channel = discord.addChannel(discord.addGuild("home"), "general")
  const answers = (text: string) => () => discord.messages(channel).some(({ content }) => content === text)
  const write = (text: string) =>
    discord.write(ada, channel, { content: `<@${discord.bot.id}> ${text}`, mentions: [discord.bot] })
  await discord.until(() => discord.commands.length > 0)

  write("who are you?")
  await discord.until(answers("I am Atlas."))
  await site.ask("POST", "/api/agents", { name: "Nova" })
  write("@nova who are you?")
  await discord.until(answers("I am Nova.\n-# Nova"))
  expect(systemOf(site.model.requests.at(-1) as WireRequest)).toContain(
    "You are talking with somebody in Discord.",
  )
  await discord.command(ada, channel, "agent", { name: "nova" })
  await discord.until(answers("Nova answers you here from now on."))
  const [, { agents }] = (await site.ask("GET", "/api/agents")) as [
    number,
    { readonly agents: readonly { readonly name: string; readonly id: string | null }[] },
  ]
  const id = agents.find(({ name }) => name === "Nova")?.id
  await site.ask("DELETE", `/api/agents/${id}`)
  const before = discord.messages(channel).length
  write("and now?")
  await discord.until(() =>
    discord
      .messages(channel)
      .slice(before)
      .some(({ content }) => content === "I am Atlas."),
  )
})
