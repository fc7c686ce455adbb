import { call, say } from "@orra/testing"
import { afterAll, beforeAll, expect, test } from "vitest"
import { check } from "./support/access.ts"
import { openSite, type Site, said, send, settled } from "./support/site.ts"

const checkIfLong = process.env["ORRA_TEST_FULL"] ? check : async () => {}

const NAMES = ["Look up trains", "Compare hotels"]
/** The list with so many of its steps done. */
const list = (done: number) =>
  call("todo", {
    steps: NAMES.map((text, index) => ({
      text,
      status: index < done ? "done" : index === done ? "running" : "pending",
    })),
  })
const QUESTION = { question: "Which hotel?", options: ["Krafft", "Teufelhof"] }
const ANSWERS = [list(0), call("current_time", {}), list(1), call("ask_user", QUESTION), list(2)]

let site: Site
beforeAll(async () => {
  site = await openSite({
    config: "[audit]\nenabled = true\n",
    answer: ({ body }) => {
      const done = JSON.stringify(body["messages"]).split('"type":"tool_result"').length - 1
      return ANSWERS[done] ?? say("Here is the plan.")
    },
  })
})
afterAll(() => site.close())

test("the steps of an answer are one card that moves on; what it did is told, filtered, verified and traced", async () => {
  const context = await site.person({ reducedMotion: "reduce" })
  const page = await context.newPage()
  await page.goto(site.herald.url)
  await send(page, "Plan a trip")
  const card = page.getByRole("region", { name: "Steps" })
  await page.locator(".question-card").waitFor()
  await card.getByText("1 of 2 done").waitFor()
  expect(await card.count()).toBe(1)
  expect(await card.getByRole("listitem").allInnerTexts()).toEqual([
    expect.stringContaining("Look up trains"),
    expect.stringContaining("Compare hotels"),
  ])
  expect(await card.locator("[aria-current=step]").textContent()).toContain("Compare hotels")
  await check(page, "the steps")
  await page.reload()
  await card.getByText("1 of 2 done").waitFor()

  await page.getByRole("button", { name: "Krafft" }).click()
  await said(page, "Here is the plan.").waitFor()
  await settled(page)
  const done = card.getByRole("button", { name: "All 2 steps done" })
  expect(await done.getAttribute("aria-expanded")).toBe("false")
  await done.click()
  await card.getByText("Look up trains").waitFor()
  expect(await card.count()).toBe(1)
  expect(await page.locator(".tool-name", { hasText: "todo" }).count()).toBe(0)

  await page.getByRole("button", { name: "Details" }).click()
  await page.getByRole("link", { name: "Step by step" }).click()
  const steps = page.getByRole("list", { name: "Steps" }).getByRole("listitem")
  await steps.first().waitFor()
  expect(await steps.allInnerTexts()).toEqual([
    expect.stringContaining("Model call"),
    expect.stringContaining("Update the steps"),
    expect.stringContaining("Model call"),
    expect.stringContaining("Look up the time"),
    expect.stringContaining("Model call"),
    expect.stringContaining("Update the steps"),
    expect.stringContaining("Model call"),
    expect.stringContaining("Ask you"),
    expect.stringContaining("Waits"),
    expect.stringContaining("Model call"),
    expect.stringContaining("Update the steps"),
    expect.stringContaining("Model call"),
  ])
  await checkIfLong(page, "a trace")

  await page.getByRole("link", { name: "All activity" }).click()
  const rows = page.locator(".activity-row")
  await rows.first().waitFor()
  await page.getByRole("combobox", { name: "What" }).selectOption("Tool calls")
  await expect.poll(() => rows.count()).toBe(5)
  await page.getByRole("searchbox", { name: "Tool" }).fill("current_time")
  await page.keyboard.press("Enter")
  await expect.poll(() => rows.count()).toBe(1)
  await rows.getByRole("button").first().click()
  await rows.getByText("web: allow").waitFor()
  await check(page, "the activity")
  await page.getByRole("button", { name: "Verify the audit" }).click()
  await page.getByText(/^All \d+ links of \d+ chains are as they were written\.$/).waitFor()
  const downloading = page.waitForEvent("download")
  await page.getByRole("link", { name: "Export as JSON lines" }).click()
  expect((await downloading).suggestedFilename()).toBe("herald-activity.jsonl")

  await page.setViewportSize({ width: 320, height: 640 })
  await checkIfLong(page, "the activity, narrow")
  await rows.getByRole("link", { name: "Open in the chat" }).click()
  await said(page, "Here is the plan.").waitFor()
  expect(site.problems).toEqual([])
  await context.close()
})
