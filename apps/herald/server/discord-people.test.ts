import { existsSync } from "node:fs"
import { join } from "node:path"
import { call } from "@orra/testing"
import { fakeDiscord } from "@orra/testing/discord"
import { expect, onTestFinished, test } from "vitest"
import { heraldSite } from "./fixture.ts"

/** A Herald with a bot and no approvers, whose model writes a file when it is asked to. */
async function house() {
  const discord = await fakeDiscord()
  onTestFinished(() => discord.close())
  const site = await heraldSite({
    config: `[tools]\nfilesystem = true\n[discord]\ntoken = "${discord.token}"\n`,
    answer: ({ body }) => {
      const last = JSON.stringify((body["messages"] as readonly unknown[]).at(-1))
      if (last.includes("tool_result")) return "So be it."
      return last.includes("write") ? [call("write_file", { path: "a.txt", content: "Hello" })] : "Hello."
    },
    discordApi: discord.api,
  })
  onTestFinished(() => site.close())
  const me = discord.addUser("me")
  const own = discord.direct(me)
  const link = async (who?: "ada") => {
    const [, { code }] = (await site.ask("POST", "/api/discord/links", {}, who)) as [number, { code: string }]
    await discord.until(() => discord.commands.includes("link"))
    await discord.command(me, own, "link", { code })
    await expect
      .poll(async () => (await site.ask("GET", "/api/discord/links", undefined, who))[1])
      .toMatchObject({ connected: true, links: [{ user: me.id, username: "me" }] })
  }
  const question = () => discord.messages(own).find(({ components }) => components.length > 0)
  const isWritten = (person: string) => existsSync(join(site.folder, "data", "work", person, "a.txt"))
  return { discord, site, me, own, link, question, isWritten }
}

test("the owner links an account, is asked there in private, decides after a restart, and unlinks it", async () => {
  const { discord, site, me, own, link, question, isWritten } = await house()
  await link()
  await site.ask("POST", "/api/sessions/web:one/messages", { message: "write" })
  await discord.until(() => question() !== undefined)
  const asked = question()
  expect(asked?.content).toContain("a.txt")
  await site.restart()
  await discord.until(() => discord.counts.identified === 2)
  if (asked) await discord.press(me, asked, "Allow")
  await expect.poll(() => isWritten("web")).toBe(true)
  expect(await site.ask("GET", "/api/approvals")).toMatchObject([200, { approvals: [] }])
  expect(await site.ask("DELETE", `/api/discord/links/${me.id}`, undefined, "ada")).toMatchObject([404, {}])
  expect(await site.ask("DELETE", `/api/discord/links/${me.id}`)).toMatchObject([200, { links: [] }])
  discord.write(me, own, "hello")
  await discord.until(() => discord.messages(own).some(({ content }) => content.includes("/link")))
})

test("whoever may not allow anything in the page is answered in private, and asked nothing there", async () => {
  const { discord, site, me, own, link, question } = await house()
  await link("ada")
  await site.ask("POST", "/api/sessions/web:one/messages", { message: "write" })
  await expect
    .poll(async () => (await site.ask("GET", "/api/approvals"))[1])
    .toMatchObject({ approvals: [{}] })
  discord.write(me, own, "hello")
  await discord.until(() => discord.messages(own).some(({ content }) => content === "Hello."))
  expect(question()).toBeUndefined()
  // One account is one person's: whoever links it again takes it along.
  await link()
  expect(await site.ask("GET", "/api/discord/links", undefined, "ada")).toMatchObject([200, { links: [] }])
  await discord.until(() => question() !== undefined)
})
