import { call } from "@orra/testing"
import type { Page } from "playwright-core"
import { afterAll, beforeAll, expect, test } from "vitest"
import { check } from "./support/access.ts"
import { answers, gates } from "./support/answers.ts"
import { hasResults, lastUserText } from "./support/demo-model.ts"
import { openSite, type Site, said, send, settled } from "./support/site.ts"

const checkIfLong = process.env["ORRA_TEST_FULL"] ? check : async () => {}
const others = answers(gates())

let site: Site
beforeAll(async () => {
  site = await openSite({
    answer: (request) =>
      lastUserText(request) === "ask me" && !hasResults(request)
        ? [call("ask_user", { question: "Which day?", options: ["Saturday", "Sunday"] })]
        : others(request),
  })
})
afterAll(() => site.close())

const list = (page: Page) => page.getByRole("navigation", { name: "Chats" })
const folder = (page: Page, name: string) => list(page).getByRole("region", { name, exact: true })
const options = async (page: Page, of: string, item: string) => {
  await list(page)
    .getByRole("button", { name: `Options for “${of}”` })
    .first()
    .click()
  await page.getByRole("menuitem", { name: item }).click()
}
const undo = (page: Page) => page.getByRole("button", { name: "Undo" }).last().click()

test("chats go into folders by menu, by dragging and several at once, and what a folder says holds in them", async () => {
  const context = await site.person()
  const page = await context.newPage()
  for (const text of ["tulips", "roses", "taxes"]) {
    await page.goto(site.herald.url)
    await send(page, text)
    await said(page, `You said: ${text}`).waitFor()
    await settled(page)
  }

  await list(page).getByRole("button", { name: "New folder" }).click()
  await page.getByRole("textbox", { name: "Name" }).fill("Garden")
  await page.getByRole("textbox", { name: "Instructions" }).fill("Give plants their Latin names.")
  await checkIfLong(page, "a folder")
  await page.getByRole("button", { name: "Make the folder" }).click()
  await folder(page, "Garden").getByText("Drag chats here").waitFor()

  // Another tab knows it too, and each change of it.
  const tab = await context.newPage()
  await tab.goto(site.herald.url)
  await folder(tab, "Garden").waitFor()
  // What is behind is drawn once in a second.
  await page.bringToFront()
  await list(page).getByRole("link", { name: "tulips" }).dragTo(folder(page, "Garden"))
  await folder(page, "Garden").getByRole("link", { name: "tulips" }).waitFor()
  await folder(tab, "Garden").getByRole("link", { name: "tulips" }).waitFor()
  expect(await list(page).getByRole("link", { name: "tulips" }).count()).toBe(1)
  await options(page, "roses", "Select several")
  await list(page).getByRole("checkbox", { name: "taxes" }).check()
  await list(page).getByRole("button", { name: "Move to a folder…" }).click()
  // Whoever does not say where to has selected them still.
  await page.getByRole("dialog").getByRole("button", { name: "Garden" }).waitFor()
  await page.keyboard.press("Escape")
  await page.getByRole("dialog").waitFor({ state: "detached" })
  expect(await list(page).getByRole("checkbox", { name: "taxes" }).isChecked()).toBe(true)
  await list(page).getByRole("button", { name: "Move to a folder…" }).click()
  await page.getByRole("dialog").getByRole("button", { name: "Garden" }).click()
  await folder(page, "Garden").getByRole("link", { name: "taxes" }).waitFor()
  await options(page, "taxes", "Move to a folder…")
  await checkIfLong(page, "where to move")
  await page.getByRole("textbox", { name: "New folder" }).fill("Money")
  await page.getByRole("button", { name: "Make and move" }).click()
  await folder(tab, "Money").getByRole("link", { name: "taxes" }).waitFor()
  await undo(page)
  await folder(page, "Garden").getByRole("link", { name: "taxes" }).waitFor()
  await options(page, "taxes", "Move to a folder…")
  await page.getByRole("dialog").getByRole("button", { name: "No folder" }).click()
  const today = list(page).getByRole("region", { name: "Today" })
  await today.getByRole("link", { name: "taxes" }).waitFor()
  await list(page).getByRole("link", { name: "roses" }).dragTo(today)
  await today.getByRole("link", { name: "roses" }).waitFor()
  await undo(page)
  await folder(page, "Garden").getByRole("link", { name: "roses" }).waitFor()

  // A chat that begins there is in it, and is told what the folder says.
  await options(page, "Garden", "New chat here")
  await page.getByText("This chat will be in the folder “Garden”.").waitFor()
  await send(page, "ask me")
  const mark = folder(page, "Garden").getByRole("link", { name: "ask me waits for your answer" })
  await mark.waitFor()
  const told = JSON.stringify(site.model.requests.at(-1)?.body["system"])
  expect(told).toContain("Latin names")
  // The language is that of the browser.
  expect(told).toContain("British English")

  // Closed it stays closed, and says what waits in it.
  const head = folder(page, "Garden").getByRole("button", { name: /^Garden/ })
  await head.click()
  await mark.waitFor({ state: "detached" })
  await page.reload()
  await page.locator(".question-card").getByRole("button", { name: "Sunday" }).waitFor()
  expect(await head.getAttribute("aria-expanded")).toBe("false")
  await head.getByText("waits for your answer").waitFor({ state: "attached" })
  await checkIfLong(page, "folders")
  await page.locator(".question-card").getByRole("button", { name: "Sunday" }).click()
  await head.getByText("waits for your answer").waitFor({ state: "detached" })
  await settled(page)
  await head.click()

  await options(page, "Garden", "Rename")
  await page.getByRole("textbox", { name: "Name of the folder" }).fill("Yard")
  await page.keyboard.press("Enter")
  await folder(tab, "Yard").waitFor()
  await options(page, "Yard", "Delete the folder")
  await folder(tab, "Yard").waitFor({ state: "detached" })
  await today.getByRole("link", { name: "tulips" }).waitFor()
  await undo(page)
  await folder(page, "Yard").getByRole("link", { name: "tulips" }).waitFor()

  // It is found by its name, with what is in it.
  await list(page).getByRole("searchbox").fill("yar")
  await folder(page, "Yard").getByRole("link", { name: "roses" }).waitFor()
  await list(page).getByRole("searchbox").fill("")
  await page.keyboard.press("Control+K")
  await page.keyboard.type("yard")
  await page.getByRole("option", { name: "roses" }).waitFor()
  await page.getByRole("option", { name: "New chat in “Yard”" }).click()
  await page.getByText("This chat will be in the folder “Yard”.").waitFor()
  await context.close()
  expect(site.problems).toEqual([])
})

test.runIf(process.env["ORRA_TEST_FULL"])(
  "what was done in the drawer of a phone is taken back there",
  async () => {
    const context = await site.person({
      viewport: { width: 320, height: 700 },
      hasTouch: true,
      isMobile: true,
    })
    const page = await context.newPage()
    await page.goto(site.herald.url)
    await send(page, "herbs")
    await said(page, "You said: herbs").waitFor()
    await settled(page)
    await page.getByRole("button", { name: "Show chats" }).click()
    await options(page, "herbs", "Move to a folder…")
    await page.getByRole("textbox", { name: "New folder" }).fill("Kitchen")
    await page.getByRole("button", { name: "Make and move" }).click()
    await folder(page, "Kitchen").getByRole("link", { name: "herbs" }).waitFor()
    await check(page, "a message in the drawer")
    await page.emulateMedia({ colorScheme: null })
    await undo(page)
    await list(page).getByRole("region", { name: "Today" }).getByRole("link", { name: "herbs" }).waitFor()
    // One that is not read yet stays when the drawer closes.
    await options(page, "herbs", "Archive")
    await page.getByText("The chat was archived.").waitFor()
    await page.getByRole("button", { name: "Hide chats" }).click()
    await list(page).waitFor({ state: "detached" })
    await undo(page)
    await context.close()
    expect(site.problems).toEqual([])
  },
)

test("shortcuts are other keys when somebody wants that, and say so everywhere", async () => {
  const context = await site.person()
  const page = await context.newPage()
  await page.goto(`${site.herald.url}/settings/shortcuts`)
  const keys = (name: string) => page.getByRole("button", { name: new RegExp(`^${name}: .*Change$`) })
  await keys("New chat").click()
  await page.keyboard.press("Control+K")
  await page.getByText("Ctrl+K is “Search and commands” already.").waitFor()
  await page.keyboard.press("Control+P")
  await page.getByText("Ctrl+P is what your browser or your system needs.").waitFor()
  await page.keyboard.press("g")
  await page.getByText("G is pressed while one types.").waitFor()
  await checkIfLong(page, "the shortcuts")
  await page.keyboard.press("Control+Alt+G")
  await page.getByRole("button", { name: "New chat: Ctrl+Alt+G. Change" }).waitFor()

  // The old ones are nothing any more, and the new ones are kept.
  await page.keyboard.press("Control+Shift+O")
  expect(new URL(page.url()).pathname).toBe("/settings/shortcuts")
  await page.reload()
  await keys("New chat").waitFor()
  await page.keyboard.press("Control+/")
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).getByText("Ctrl+Alt+G").waitFor()
  await page.keyboard.press("Escape")
  await page.keyboard.press("Control+K")
  await page.getByRole("option", { name: "New chat Ctrl+Alt+G" }).waitFor()
  await page.keyboard.press("Escape")
  await page.getByRole("dialog").waitFor({ state: "detached" })
  await page.keyboard.press("Control+Alt+G")
  await page.getByText("What can I do for you?").waitFor()

  await page.goBack()
  await page.getByRole("button", { name: "New chat: back to Ctrl+Shift+O" }).click()
  await page.getByRole("button", { name: "New chat: Ctrl+Shift+O. Change" }).waitFor()
  await page.keyboard.press("Control+Shift+O")
  await page.getByText("What can I do for you?").waitFor()

  // What a newcomer does first is said until it is not wanted.
  const steps = page.getByRole("region", { name: "First steps" })
  await steps.getByRole("listitem").filter({ hasText: "Connect a model (done)" }).waitFor()
  await steps.getByRole("button", { name: "Do not show this again" }).click()
  await steps.waitFor({ state: "detached" })
  await page.reload()
  await page.getByText("Make it a temporary chat").waitFor()
  await page.waitForLoadState("networkidle")
  expect(await steps.count()).toBe(0)
  await context.close()
  expect(site.problems).toEqual([])
})
