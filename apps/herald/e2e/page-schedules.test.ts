import { afterAll, beforeAll, expect, test } from "vitest"
import { check } from "./support/access.ts"
import { openSite, type Site, said } from "./support/site.ts"

/** Looking at every screen takes its time. */
const checkIfLong = process.env["ORRA_TEST_FULL"] ? check : async () => {}

let site: Site

beforeAll(async () => {
  site = await openSite({ answer: () => "It will be **dry**: a light jacket." })
})
afterAll(() => site.close())

test("a schedule is said in words, done now, read where it was told, paused, deleted and back", async () => {
  const context = await site.person({ reducedMotion: "reduce", timezoneId: "Asia/Tokyo" })
  const page = await context.newPage()
  await page.goto(`${site.herald.url}/schedules`)
  await page.getByRole("heading", { name: "Nothing is scheduled yet" }).waitFor()
  await checkIfLong(page, "no schedules")

  await page.getByRole("button", { name: "New schedule" }).click()
  await page.getByLabel("What it is to do").fill("What should I wear?")
  const when = page.getByLabel("When, in words")
  await when.fill("when it rains")
  await page.getByText("It does not say when").waitFor()
  await when.fill("every weekday at 8")
  await page.getByText("Every weekday at 08:00").waitFor()
  const times = page.locator(".job-times time")
  expect(await times.count()).toBe(3)
  for (const time of await times.all()) {
    expect(await time.textContent()).toMatch(/, 08:00$/)
    expect(await time.getAttribute("datetime")).toMatch(/T23:00:00/)
  }
  await page.getByLabel("Name").fill('the "best" coat')
  await page.getByText("More options").click()
  await check(page, "the form")
  await page.getByRole("button", { name: "Create" }).click()

  await page.getByRole("button", { name: 'Run “the "best" coat” now' }).click()
  await page.getByText(/^Last: .*, done$/).waitFor()
  await checkIfLong(page, "the schedules")
  await page.getByRole("button", { name: /^Pause/ }).click()
  await page.getByText("Paused", { exact: true }).waitFor()

  await page.getByRole("button", { name: /^Edit/ }).click()
  await page.getByLabel("How to say it").selectOption("every")
  await page.getByText("Every 30 minutes").waitFor()
  await page.getByRole("button", { name: "Save" }).click()
  await page.getByText("Every 30 minutes").waitFor()

  await page.getByRole("button", { name: /^Delete/ }).click()
  await page.getByRole("heading", { name: "Nothing is scheduled yet" }).waitFor()
  await page.getByRole("button", { name: "Undo" }).click()
  await page.getByRole("link", { name: /^History/ }).click()
  await page.getByText("delivered", { exact: true }).waitFor()
  await page.setViewportSize({ width: 320, height: 700 })
  await checkIfLong(page, "the history")
  await page.getByRole("link", { name: "All schedules" }).click()
  await page.getByRole("button", { name: /^Edit/ }).click()
  await checkIfLong(page, "the form, narrow")

  // What it said came into a chat of its own, as nobody's message.
  await page.getByRole("button", { name: "Cancel" }).click()
  const edit = page.getByRole("button", { name: /^Edit/ })
  await expect.poll(() => edit.evaluate((button) => button === document.activeElement)).toBe(true)
  await page.getByRole("link", { name: /^Chat with the results/ }).click()
  await said(page, "a light jacket").waitFor()
  expect(await page.locator(".notice strong").textContent()).toBe("dry")
  await page.getByRole("heading", { name: 'the "best" coat' }).first().waitFor()
  await checkIfLong(page, "a notice")
  expect(site.problems).toEqual([])
  await context.close()
})
