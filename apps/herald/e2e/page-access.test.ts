import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { check } from "./support/access.ts"
import { answers, gates } from "./support/answers.ts"
import { openSite, type Site, said, send, settled } from "./support/site.ts"

const gate = gates()
let site: Site

beforeAll(async () => {
  site = await openSite({ answer: answers(gate) })
})
afterAll(() => site.close())

describe.concurrent.each([1280, 320])("%i px wide", (width) => {
  const view = { viewport: { width, height: 760 }, reducedMotion: "reduce" } as const

  test("every screen can be read and used by everybody", async () => {
    const context = await site.person(view)
    const page = await context.newPage()
    await page.goto(site.herald.url)
    await page.getByText("What can I do for you?").waitFor()
    await check(page, "the empty chat")

    await page.getByRole("button", { name: /^Model:/ }).click()
    await page.getByRole("menuitemradio", { name: "Claude Haiku 4.5" }).waitFor()
    await check(page, "the model menu")
    await page.keyboard.press("Escape")

    await page.keyboard.press("Control+/")
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor()
    await check(page, "the shortcuts")
    await page.keyboard.press("Escape")
    await page.getByRole("dialog").waitFor({ state: "detached" })

    await page.keyboard.press("Control+K")
    await page.getByRole("option", { name: "Dark theme" }).waitFor()
    await check(page, "the palette")
    await page.keyboard.press("Escape")

    if (width < 800) await page.getByRole("button", { name: "Show chats" }).click()
    await page.getByRole("navigation", { name: "Chats" }).waitFor()
    await check(page, "the chats")
    await page.getByRole("button", { name: "Settings" }).click()
    await page.getByRole("menuitem", { name: "All settings" }).click()
    await page.getByRole("button", { name: "Test and save" }).waitFor()
    await check(page, "the model service")
    await page.getByRole("link", { name: "Appearance" }).click()
    await page.getByRole("radio", { name: "Dark" }).waitFor()
    await check(page, "the appearance")
    await page.goBack()
    await page.goBack()
    await page.getByText("What can I do for you?").waitFor()

    await send(page, "What time is it?")
    await said(page, "Tokyo is furthest ahead").waitFor()
    await settled(page)
    await page.getByRole("button", { name: /Look up the time in Asia/ }).click()
    await page.getByRole("button", { name: /^Thought/ }).click()
    await check(page, "tools and thoughts")
    await send(page, "Explain a hash table")
    await said(page, "The worst case needs").waitFor()
    await settled(page)
    await page.locator(".hl-keyword").first().waitFor({ state: "attached" })
    await check(page, "an answer with code")
    await page.keyboard.press("Control+F")
    await page.getByRole("textbox", { name: "Find in this chat" }).fill("hash")
    await page.getByText(/^1 of/).waitFor()
    await check(page, "the search in a chat")
    await page.keyboard.press("Escape")
    await page.getByRole("button", { name: "Details" }).last().click()
    await page.getByText("About this answer").waitFor()
    await check(page, "the details")
    await page.keyboard.press("Escape")
    await context.close()

    const stranger = await site.stranger(view)
    const login = await stranger.newPage()
    await login.goto(`${site.herald.url}/login`)
    await login.getByRole("heading", { name: "Log in to Herald" }).waitFor()
    await check(login, "the login")
    await stranger.close()
  })
})

test.concurrent("everything works without a mouse", async () => {
  const context = await site.person()
  const page = await context.newPage()
  await page.goto(site.herald.url)
  const field = page.getByRole("textbox", { name: "Message", exact: true })
  await expect.poll(() => field.evaluate((element) => element === document.activeElement)).toBe(true)
  await page.keyboard.type("with the keyboard")
  await page.keyboard.press("Enter")
  await said(page, "You said: with the keyboard").waitFor()
  await settled(page)

  const focused = () =>
    page.evaluate(
      () => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? "",
    )
  const tabTo = async (name: string) => {
    for (let presses = 0; presses < 40; presses++) {
      if ((await focused()) === name) return
      await page.keyboard.press("Shift+Tab")
    }
    throw new Error(`"${name}" was not reached by Tab`)
  }
  await tabTo("Answer again")
  await tabTo("Edit and send again")
  const foot = page.locator(".user .message-foot")
  await expect.poll(() => foot.evaluate((element) => getComputedStyle(element).opacity)).toBe("1")
  await page.keyboard.press("Enter")
  await page.keyboard.press("Control+A")
  await page.keyboard.type("edited by keyboard")
  await page.keyboard.press("Enter")
  await said(page, "You said: edited by keyboard").waitFor()
  await settled(page)

  // A dialog takes the focus and gives it back.
  await field.focus()
  await page.keyboard.press("Control+/")
  await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor()
  await page.keyboard.press("Escape")
  await expect.poll(() => field.evaluate((element) => element === document.activeElement)).toBe(true)

  await page.keyboard.press("Control+K")
  await expect.poll(focused).toBe("Search and commands")
  await page.keyboard.press("Escape")
  await expect.poll(() => field.evaluate((element) => element === document.activeElement)).toBe(true)

  // What is closed is not on the way.
  await page.keyboard.press("Control+Shift+S")
  await page.getByRole("navigation", { name: "Chats" }).waitFor({ state: "detached" })
  await page.keyboard.press("Control+Shift+S")
  await page.getByRole("navigation", { name: "Chats" }).waitFor()

  // The first stop of the page leads past everything.
  await tabTo("Skip to the message field")
  await page.keyboard.press("Enter")
  await expect.poll(() => field.evaluate((element) => element === document.activeElement)).toBe(true)
  await context.close()
})
