import { existsSync, mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { call } from "@orra/testing"
import type { Page } from "playwright-core"
import { afterAll, beforeAll, expect, test } from "vitest"
import { check } from "./support/access.ts"
import { answers, gates } from "./support/answers.ts"
import { hasResults, lastUserText } from "./support/demo-model.ts"
import { openSite, type Site, said, send, settled } from "./support/site.ts"

let site: Site

beforeAll(async () => {
  const answer = answers(gates())
  site = await openSite({
    answer: (request) =>
      lastUserText(request).startsWith("hand on ") && !hasResults(request)
        ? [call("spawn_agent", { task: lastUserText(request).slice("hand on ".length) })]
        : answer(request),
    config: "[tools]\nfilesystem = true\ndelegation = true",
  })
})
afterAll(() => site.close())

const cardOf = (page: Page) => page.getByRole("group", { name: "May write_file run?" })
const optionsOf = (page: Page) => page.getByRole("button", { name: /^How this chat is answered/ })
const isWritten = (name: string) => existsSync(join(site.folder, "data", "work", "web", `${name}.txt`))

test("what waits is in one place, with a badge; keys count where the focus is; rules are seen, kept and taken back", async () => {
  const context = await site.person()
  const [chat, list] = [await context.newPage(), await context.newPage()]
  await list.goto(`${site.herald.url}/approvals`)
  await list.getByRole("heading", { name: "Nothing waits for you" }).waitFor()
  await chat.goto(site.herald.url)
  await send(chat, "write one")
  await cardOf(chat).waitFor()

  // It comes by itself, with who asks and by which rule.
  await cardOf(list).waitFor()
  await list.getByRole("link", { name: "Approvals 1 waiting" }).waitFor()
  expect(await cardOf(list).textContent()).toContain('web: ask "write_file"')
  expect(await cardOf(list).textContent()).toContain("Buy\\u202e milk")
  await list.getByRole("link", { name: /^Approvals/ }).focus()
  await list.keyboard.press("a")
  expect(isWritten("one")).toBe(false)
  await cardOf(list).focus()
  await list.keyboard.press("a")
  await said(chat, /So be it: .*one\.txt/).waitFor()
  expect(isWritten("one")).toBe(true)
  await cardOf(list).waitFor({ state: "detached" })
  await list.getByRole("link", { name: "Approvals", exact: true }).waitFor()

  // Always: the rule is shown before it is kept, and holds in another chat.
  await settled(chat)
  await send(chat, "write two")
  await cardOf(chat).getByRole("button", { name: "Always…" }).click()
  await cardOf(chat).getByText("In all your chats and jobs.").waitFor()
  await cardOf(chat).getByRole("radio", { name: "Every call of write_file, whatever its arguments" }).check()
  await cardOf(chat).getByRole("button", { name: "Allow and keep this rule" }).click()
  await said(chat, /So be it: .*two\.txt/).waitFor()
  await chat.goto(site.herald.url)
  await send(chat, "write three")
  await said(chat, /So be it: .*three\.txt/).waitFor()
  await list.reload()
  const taken = list.getByRole("button", { name: "Take back: Every call of write_file" })
  await taken.click()
  await list.getByText("Nothing is.").waitFor()
  await list.getByRole("button", { name: "Undo" }).click()
  await taken.click()
  await list.getByText("Nothing is.").waitFor()

  // Everything, for a while that everybody sees pass, and no longer than that.
  await settled(chat)
  await optionsOf(chat).click()
  await chat.getByRole("radio", { name: /^Approve everything/ }).check()
  await chat.getByRole("button", { name: "5 minutes", exact: true }).click()
  expect(await chat.getByRole("timer").textContent()).toMatch(/^(5:00|[0-4]:\d\d)$/)
  await send(chat, "write four")
  await said(chat, /So be it: .*four\.txt/).waitFor()
  await settled(chat)
  const left = chat.getByRole("button", { name: /^Everything is allowed in this chat for/ })
  await left.click()
  await left.waitFor({ state: "detached" })
  await send(chat, "write five")
  await cardOf(chat).waitFor()
  expect(isWritten("five")).toBe(false)

  // Two tabs: the first answer counts, and the other one shows it.
  await cardOf(list).getByRole("button", { name: "Refuse" }).click()
  await list.getByRole("textbox", { name: /Why not/ }).fill("Enough.")
  await list.keyboard.press("Enter")
  await cardOf(chat).waitFor({ state: "detached" })
  await said(chat, /So be it: .*Enough\./).waitFor()
  expect(isWritten("five")).toBe(false)
  await context.close()
  expect(site.problems).toEqual([])
})

test("how a chat is answered is set for it, before it begins and on each device; names are completed", async () => {
  const context = await site.person({ reducedMotion: "reduce" })
  const page = await context.newPage()
  await page.goto(site.herald.url)
  await optionsOf(page).click()
  await page.getByRole("radio", { name: "High" }).check()
  await page.getByRole("radio", { name: /^Read only/ }).check()
  await page.getByRole("checkbox", { name: "Ask the other agents" }).uncheck()
  await page.getByRole("button", { name: /: reads only, thinks hard, one tool off$/ }).waitFor()
  if (process.env["ORRA_TEST_FULL"]) await check(page, "the options of a chat")
  await page.keyboard.press("Escape")

  // A command of a chat that has not begun is no message.
  await send(page, "/export")
  await page.getByRole("option", { name: /^md/ }).click()
  await page.getByText("There is nothing to download yet: send a message first.").waitFor()

  mkdirSync(join(site.folder, "data", "work", "web"), { recursive: true })
  writeFileSync(join(site.folder, "data", "work", "web", "shopping list.md"), "Milk")
  const field = page.getByRole("textbox", { name: "Message", exact: true })
  // In the middle of what is written one goes on there.
  await field.fill("see , then go")
  await field.evaluate((element: HTMLTextAreaElement) => element.setSelectionRange(4, 4))
  await field.pressSequentially("@shop")
  await page.getByRole("option", { name: "shopping list.md file" }).click()
  await field.pressSequentially("here")
  expect(await field.inputValue()).toBe("see file `shopping list.md` here, then go")
  await field.fill("write six and see @shop")
  await page.getByRole("option", { name: "shopping list.md file" }).waitFor()
  await field.press("Enter")
  expect(await field.inputValue()).toBe("write six and see file `shopping list.md` ")
  await field.press("Enter")
  await said(page, /So be it: .*this chat only reads/).waitFor()
  expect(isWritten("six")).toBe(false)
  expect(site.model.requests.at(-1)?.body).toMatchObject({ output_config: { effort: "high" } })

  // Another device has it as well, and what it changes is seen here.
  const other = await context.newPage()
  await other.goto(page.url())
  await optionsOf(other).click()
  await other.getByRole("radio", { name: /^As configured/ }).check()
  await page.getByRole("button", { name: /: thinks hard, one tool off$/ }).waitFor()
  await settled(page)
  await send(page, "write six")
  await cardOf(page).getByRole("button", { name: "Allow once" }).click()
  await said(page, /So be it: .*six\.txt/).waitFor()
  expect(isWritten("six")).toBe(true)
  await context.close()
  expect(site.problems).toEqual([])
})

test.runIf(process.env["ORRA_TEST_FULL"])("what was handed on asks in the chat it belongs to", async () => {
  const context = await site.person()
  const page = await context.newPage()
  await page.goto(site.herald.url)
  await send(page, "hand on write below")
  const below = page.getByRole("region", { name: "Waits for you in what this chat has handed on" })
  await below.getByRole("button", { name: "Allow once" }).click()
  await settled(page)
  await below.waitFor({ state: "detached" })
  expect(isWritten("below")).toBe(true)
  await context.close()
})

test.runIf(process.env["ORRA_TEST_FULL"])(
  "long arguments are unfolded before anything can be allowed",
  async () => {
    const context = await site.person({ reducedMotion: "reduce" })
    const page = await context.newPage()
    await page.goto(site.herald.url)
    await send(page, `write ${"long-".repeat(400)}end`)
    const card = cardOf(page)
    await card.waitFor()
    for (const name of ["Allow once", "For this chat…", "Always…"])
      expect(await card.getByRole("button", { name }).isDisabled(), name).toBe(true)
    await card.focus()
    await page.keyboard.press("a")
    await card.getByRole("button", { name: /^Show all 2,/ }).click()
    expect(await card.textContent()).toContain("long-end.txt")
    expect(await card.getByRole("button", { name: "Allow once" }).isEnabled()).toBe(true)
    // Without the list of chats, in which the mark of the one that waits never rests.
    await page.setViewportSize({ width: 320, height: 760 })
    await page.goto(`${site.herald.url}/approvals`)
    await card.waitFor()
    await check(page, "the approvals")
    await card.getByRole("button", { name: /^Show all 2,/ }).click()
    await card.getByRole("button", { name: "Always…" }).click()
    await check(page, "a rule before it is kept")
    await card.getByRole("button", { name: "Cancel" }).click()
    await card.getByRole("button", { name: "Refuse" }).click()
    await page.keyboard.press("Enter")
    await card.waitFor({ state: "detached" })
    await context.close()
  },
)
