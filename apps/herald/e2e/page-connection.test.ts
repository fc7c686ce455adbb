import type { BrowserContext, Page } from "playwright-core"
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest"
import { answers, gates } from "./support/answers.ts"
import { openSite, type Site, said, send, settled, transcript } from "./support/site.ts"

const gate = gates()
let site: Site
let context: BrowserContext
let page: Page

beforeAll(async () => {
  site = await openSite({ answer: answers(gate) })
})
afterAll(() => site.close())
beforeEach(async () => {
  context = await site.person()
  page = await context.newPage()
  await page.goto(site.herald.url)
})
afterEach(async () => {
  await context.close()
  expect(site.problems).toEqual([])
})

test("a reload in the middle of an answer goes on with it, and shows nothing twice", async () => {
  await send(page, "hold reload")
  await said(page, "The first half.").waitFor()
  await page.reload()
  await said(page, "The first half.").waitFor()
  expect(await page.getByRole("log").getAttribute("aria-busy")).toBe("true")
  gate("reload").resolve()
  await said(page, "The second half.").waitFor()
  await settled(page)
  await expect.poll(() => transcript(page)).toEqual(["hold reload", "The first half. The second half."])
})

test("two tabs show the same, message by message", async () => {
  await send(page, "hold tabs")
  await said(page, "The first half.").waitFor()
  const other = await context.newPage()
  await other.goto(page.url())
  await said(other, "The first half.").waitFor()
  await send(other, "from the other tab")
  await said(page, "from the other tab").waitFor()
  gate("tabs").resolve()
  for (const tab of [page, other]) {
    await said(tab, "You said: from the other tab").waitFor()
    await settled(tab)
  }
  await expect.poll(() => transcript(page)).toHaveLength(4)
  expect(await transcript(page)).toEqual(await transcript(other))
})

test("R11: an answer comes into its own chat, whichever is open", async () => {
  await send(page, "hold elsewhere")
  await said(page, "The first half.").waitFor()
  const address = page.url()
  await page.getByRole("button", { name: "New chat" }).first().click()
  await page.getByText("What can I do for you?").waitFor()
  await send(page, "a word in another chat")
  await said(page, "You said: a word in another chat").waitFor()
  gate("elsewhere").resolve()
  await page.getByRole("link", { name: /hold elsewhere/ }).waitFor()
  expect(await transcript(page)).toHaveLength(2)
  await page.goto(address)
  await said(page, "The second half.").waitFor()
  expect(await transcript(page)).toEqual(["hold elsewhere", "The first half. The second half."])
})

test("R4: a server that dies and comes back: it is said, what is written is kept and arrives once", async () => {
  await send(page, "hold death")
  await said(page, "The first half.").waitFor()
  await site.herald.stop("SIGKILL")
  await page.getByText("The connection is lost.").waitFor()
  await send(page, "written while it was away")
  await page.getByText("Not sent").waitFor()
  await site.restart()
  // It connects by itself as well, and may be quicker.
  page
    .getByRole("button", { name: "Connect now" })
    .click()
    .catch(() => {})
  await said(page, "Interrupted").waitFor()
  await said(page, "You said: written while it was away").waitFor()
  await page.getByText("The connection is lost.").waitFor({ state: "detached" })
  await settled(page)
  await expect
    .poll(() => transcript(page))
    .toEqual([
      "hold death",
      "The first half.",
      "written while it was away",
      "You said: written while it was away",
    ])
  await page.reload()
  await said(page, "You said: written while it was away").waitFor()
  await expect.poll(() => transcript(page)).toHaveLength(4)
})

test("a browser that is offline in the middle of an answer has all of it when it is back, and what was written meanwhile", async () => {
  await send(page, "hold offline")
  await said(page, "The first half.").waitFor()
  await page.context().setOffline(true)
  await send(page, "written offline")
  await page.getByText("Not sent").waitFor()
  gate("offline").resolve()
  await page.getByText("You are offline.").waitFor()
  await page.context().setOffline(false)
  await said(page, "You said: written offline").waitFor()
  await settled(page)
  await expect
    .poll(() => transcript(page))
    .toEqual([
      "hold offline",
      "The first half. The second half.",
      "written offline",
      "You said: written offline",
    ])
})

test("a part that cannot be loaded any more says so, and all else goes on", async () => {
  await page.route(/settings-screen|memory-screen/, (route) => route.abort())
  await send(page, "before the update")
  await said(page, "You said: before the update").waitFor()
  await page.getByRole("link", { name: "Memory" }).click()
  await page.getByText("This part of the page does not work").waitFor()
  await page.getByRole("link", { name: "Schedules" }).click()
  await page.getByRole("heading", { name: "Schedules" }).waitFor()
  await page.goBack()
  await page.goBack()
  await said(page, "You said: before the update").waitFor()
  await page.unroute(/settings-screen|memory-screen/)
  await page.getByRole("link", { name: "Memory" }).click()
  await page.getByRole("button", { name: "Load the page again" }).click()
  await page.getByRole("heading", { name: "Memory" }).waitFor()
  await page.getByText("This part of the page does not work").waitFor({ state: "detached" })
})

test("a message that could not be sent survives a reload, even the first one", async () => {
  await page.route("**/messages", (route) => route.abort())
  await send(page, "do not lose me")
  await page.getByText("Not sent").waitFor()
  await page.unroute("**/messages")
  await page.reload()
  await said(page, "You said: do not lose me").waitFor()
  await settled(page)
  await expect.poll(() => transcript(page)).toEqual(["do not lose me", "You said: do not lose me"])
  await page.reload()
  await said(page, "You said: do not lose me").waitFor()
  await expect.poll(() => transcript(page)).toHaveLength(2)
})

test("a chat deleted in one tab is gone in the other, and comes back with Undo", async () => {
  await send(page, "here and there")
  await said(page, "You said: here and there").waitFor()
  const other = await context.newPage()
  await other.goto(page.url())
  await said(other, "You said: here and there").waitFor()
  await other.getByRole("button", { name: "Options for “here and there”" }).click()
  await other.getByRole("menuitem", { name: "Delete" }).click()
  await page.getByRole("heading", { name: "There is no such chat" }).waitFor()
  await other.getByRole("button", { name: "Undo" }).click()
  await said(page, "You said: here and there").waitFor()
})

test("a chat that was deleted, or never was, says so", async () => {
  await page.goto(`${site.herald.url}/c/web:nothing-here`)
  await page.getByRole("heading", { name: "There is no such chat" }).waitFor()
  await page.goto(`${site.herald.url}/c/somebody:else`)
  await page.getByRole("heading", { name: "There is no such chat" }).waitFor()
})
