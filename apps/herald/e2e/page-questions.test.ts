import type { JsonObject } from "@orra/core"
import { call, say } from "@orra/testing"
import type { Page } from "playwright-core"
import { afterAll, beforeAll, expect, test } from "vitest"
import { check } from "./support/access.ts"
import { lastUserText } from "./support/demo-model.ts"
import { openSite, type Site, said, send, settled } from "./support/site.ts"

const DAYS = ["Friday evening", "Saturday", "Sunday"]
const ASKED: Readonly<Record<string, JsonObject>> = {
  one: { question: "Which day suits you?", options: DAYS },
  several: { question: "Which days suit you?", options: DAYS, multiple: true },
  words: { question: "What shall the card say?" },
}

const checkIfLong = process.env["ORRA_TEST_FULL"] ? check : async () => {}

let site: Site
beforeAll(async () => {
  site = await openSite({
    answer: (request) => {
      const { messages } = request.body as { messages: readonly { content: unknown }[] }
      const result = JSON.stringify(messages.at(-1)?.content)
      if (/"tool_result"/.test(result)) return say(`I was told ${/\[\{"type":"text".*?\}/.exec(result)?.[0]}`)
      return call("ask_user", ASKED[lastUserText(request)] ?? {})
    },
  })
})
afterAll(() => site.close())

const card = (page: Page) => page.locator(".question-card").last()
const told = async (page: Page, what: string) => {
  await settled(page)
  await said(page, what).waitFor()
}

test("a question is answered by a choice, by several, in one's own words, in the message field, or not at all", async () => {
  const context = await site.person()
  const page = await context.newPage()
  await page.goto(site.herald.url)
  await send(page, "one")
  const saturday = card(page).getByRole("button", { name: "Saturday" })
  await saturday.waitFor()
  expect(await page.locator("[data-announcer=urgent]").textContent()).toContain("Which day suits you?")
  await checkIfLong(page, "a question")
  // It waits, however often Herald is started.
  await site.herald.stop("SIGKILL")
  await site.restart()
  await page.reload()
  await saturday.click()
  await told(page, 'answer: "Saturday"')
  await card(page).getByText("Your answer: Saturday").waitFor()

  await send(page, "several")
  await card(page).getByRole("checkbox", { name: "Sunday" }).check()
  await card(page).getByRole("checkbox", { name: "Friday evening" }).check()
  await card(page).getByRole("textbox", { name: "Something else" }).fill("Monday")
  await card(page).getByRole("button", { name: "Answer" }).click()
  await told(page, '"Sunday", "Friday evening", "Monday"')

  await send(page, "words")
  await card(page).getByRole("textbox", { name: "Your answer" }).waitFor()
  await send(page, "Get well soon")
  await told(page, '"Get well soon"')
  expect(await page.locator(".message.user").count()).toBe(3)

  await send(page, "one")
  await card(page).getByRole("button", { name: "Rather not say" }).click()
  await told(page, "does not want to answer")
  await card(page).getByText("You did not answer.").waitFor()
  expect(site.problems).toEqual([])
  await context.close()
})
