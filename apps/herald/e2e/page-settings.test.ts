import { once } from "node:events"
import { appendFileSync, readFileSync } from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { say } from "@orra/testing"
import type { Page } from "playwright-core"
import { afterAll, beforeAll, expect, test } from "vitest"
import { heraldSite } from "../server/fixture.ts"
import { check } from "./support/access.ts"
import { openSite, type Site } from "./support/site.ts"

const WIRE = join(import.meta.dirname, "../../../packages/mcp/src/wire.child.ts")
const PARTS = [
  "model",
  "discord",
  "tools",
  "mcp",
  "peers",
  "appearance",
  "account",
  "notifications",
  "shortcuts",
  "devices",
  "usage",
  "updates",
  "about",
]

let site: Site
let asked = 0
const registry = createServer((_, response) => {
  asked++
  response.end(JSON.stringify({ version: "999.0.0" }))
})

beforeAll(async () => {
  registry.listen(0, "127.0.0.1")
  await once(registry, "listening")
  const { port } = registry.address() as AddressInfo
  site = await openSite({
    answer: () => "Hello.",
    config: `[updates]\nregistry = "http://127.0.0.1:${port}"\n[tools]\nbrowser = true\n`,
  })
})
afterAll(async () => {
  await site.close()
  registry.close()
})

const open = async (page: Page, part: string): Promise<void> => {
  await page.goto(`${site.herald.url}/settings/${part}`)
  await page.locator(".settings-part h2").waitFor()
}

test("an owner sets Herald up in the page; its file is only read, and nobody is asked who need not be", async () => {
  const file = join(site.folder, "assistant.toml")
  const before = readFileSync(file, "utf8")
  const context = await site.person()
  const page = await context.newPage()

  await open(page, "tools")
  await page.getByRole("switch", { name: "Read pages" }).click()
  await page.locator(".switch:not(:checked)").first().waitFor()
  expect(await page.getByRole("switch", { name: "Read articles" }).isDisabled()).toBe(true)
  await page.getByText(/Set in .*assistant\.toml, line \d+\. Change it there\./).waitFor()
  await page.getByRole("switch", { name: "Search", exact: true }).click()
  await page.getByText("set tools.web_search_api_key").waitFor()

  await open(page, "mcp")
  await page.getByRole("button", { name: "Add a server" }).click()
  await page.getByLabel("Name", { exact: true }).fill("wire")
  await page.getByLabel("Program", { exact: true }).fill(process.execPath)
  await page.getByLabel("Arguments", { exact: true }).fill(WIRE)
  await page.getByRole("button", { name: "Connect and show its tools" }).click()
  const boxes = page.locator(".tool-choices > li > label:first-child input")
  await boxes.first().waitFor()
  await page.getByRole("checkbox", { name: /^ask/ }).uncheck()
  await page.getByRole("button", { name: "Add wire" }).click()
  const card = page.getByRole("region", { name: "wire" })
  await card.getByText("Connected").waitFor()
  await card.locator("summary").click()
  expect(await card.locator(".tags").textContent()).not.toContain("wire__ask")
  await card.getByRole("button", { name: "Change" }).click()
  const form = page.getByRole("region", { name: "Change wire" })
  expect(await form.getByLabel("Program", { exact: true }).inputValue()).toBe(process.execPath)
  await form.getByLabel("Environment").fill("COLOUR=green")
  await form.getByRole("button", { name: "Connect and show its tools" }).click()
  await form.getByRole("button", { name: "Save" }).click()
  await card.getByText("COLOUR").waitFor()
  await card.getByText("Connected").waitFor()
  await card.getByRole("button", { name: "Remove" }).click()
  await card.waitFor({ state: "detached" })
  await page.getByRole("button", { name: "Undo" }).click()
  await card.getByText("Connected").waitFor()

  await open(page, "updates")
  expect(asked).toBe(0)
  await page.getByRole("button", { name: "Check now" }).click()
  await page.getByText("Herald 999.0.0 is there").waitFor()
  expect(asked).toBe(1)

  await open(page, "about")
  expect(readFileSync(file, "utf8")).toBe(before)
  appendFileSync(file, "exec = true\n[context]\nmax_tokens = 9000\n")
  await page.getByRole("button", { name: "Read it again" }).click()
  await page.getByText("Read, and in effect: tools.exec.").waitFor()
  await page.getByText("In effect after a restart: context.max_tokens.").waitFor()
  appendFileSync(file, "no sense\n")
  await page.getByRole("button", { name: "Read it again" }).click()
  await page.getByText("Not taken: what was there goes on.").waitFor()

  await open(page, "appearance")
  // Whoever needs the keys for something else has them.
  const shortcuts = page.getByRole("group", { name: "Keyboard shortcuts" })
  await shortcuts.getByRole("radio", { name: "Off" }).check()
  await page.keyboard.press("Control+K")
  await page.keyboard.press("Control+Shift+O")
  expect([await page.getByRole("dialog").count(), new URL(page.url()).pathname]).toEqual([
    0,
    "/settings/appearance",
  ])
  await shortcuts.getByRole("radio", { name: "On" }).check()

  // A device that was lost is logged out from here.
  const lost = await site.person({ userAgent: "Mozilla/5.0 (iPhone) Version/18.0 Safari/604.1" })
  const phone = await lost.newPage()
  await phone.goto(site.herald.url)
  await phone.getByRole("textbox", { name: "Message", exact: true }).waitFor()
  await open(page, "devices")
  const logins = page.getByRole("list", { name: "Your logins" })
  await logins.getByText("This one").waitFor()
  await logins.getByRole("button", { name: /^Log out Safari on iPhone/ }).click()
  await page.getByText("It is logged out.").waitFor()
  await phone.getByRole("textbox", { name: "Message", exact: true }).waitFor({ state: "detached" })
  await lost.close()

  await open(page, "appearance")
  await page.getByRole("radio", { name: "Larger" }).check()
  await page.getByRole("radio", { name: /^Enter begins/ }).check()
  await page.goto(site.herald.url)
  const message = page.getByRole("textbox", { name: "Message", exact: true })
  await page.getByText("Ctrl+Enter sends").waitFor()
  await message.fill("One")
  await message.press("Enter")
  await message.pressSequentially("Two")
  expect(await message.inputValue()).toBe("One\nTwo")
  expect(await page.evaluate(() => getComputedStyle(document.documentElement).fontSize)).toBe("21.6px")
  await message.press("Control+Enter")
  await page.locator(".row").getByText("Hello.").first().waitFor()
  await context.close()
  expect(site.problems).toEqual([])
})

test.runIf(process.env["ORRA_TEST_FULL"]).each([1280, 320])(
  "every part of the settings can be read and used by everybody, %i px wide",
  async (width) => {
    const context = await site.person({ viewport: { width, height: 760 }, reducedMotion: "reduce" })
    const page = await context.newPage()
    for (const part of PARTS) {
      await open(page, part)
      await page
        .locator(".settings-part > .muted")
        .filter({ hasText: "Loading" })
        .waitFor({ state: "detached" })
      for (const summary of await page.locator("summary").all()) await summary.click()
      await check(page, part)
    }
    await context.close()
  },
)

test("an agent of another Herald is asked in a chat, and what that one shares is read and written", async () => {
  const secret = 'shared_secret = "a-secret-of-both-sides-0123456789"'
  const den = await heraldSite({
    config: `[federation]\nenabled = true\nmdns_enabled = false\ninstance_name = "den"\nport = 0\n${secret}\n[[federation.peers]]\nname = "home"\nsessions = "chat"\n`,
    answer: () => say("Milk and eggs."),
  })
  await den.ask("POST", "/api/chat", { message: "What is on the list?", namespace: "web:list" })
  const [, { url }] = (await den.ask("GET", "/api/peers")) as [number, { readonly url: string }]
  const home = await openSite({
    answer: () => "Hello.",
    config: `[federation]\nenabled = true\nmdns_enabled = false\ninstance_name = "home"\nport = 0\n${secret}\n[[federation.peers]]\nname = "den"\nurl = "${url}"\n`,
  })
  try {
    const page = await (await home.person()).newPage()
    await page.goto(`${home.herald.url}/settings/peers`)
    await page.getByText("@den:Atlas").waitFor()
    await page.getByRole("button", { name: "Its owner's chats" }).click()
    await page.locator(".settings-part .plain-list button").first().click()
    await page.getByText("What is on the list?").waitFor()
    await page.getByLabel("Write in this chat on den").fill("And bread?")
    await page.getByRole("button", { name: "Send", exact: true }).click()
    await page.getByText("And bread?").waitFor()
    await check(page, "the chats of another Herald")
    await page.goto(home.herald.url)
    await page.getByRole("textbox").first().fill("@den:Atlas what is on it?")
    await page.keyboard.press("Enter")
    await page.getByText("Milk and eggs.", { exact: true }).waitFor()
    expect(home.model.requests.filter(({ body }) => JSON.stringify(body).includes("on it?"))).toEqual([])
    expect(home.problems).toEqual([])
  } finally {
    await home.close()
    await den.close()
  }
})
