import { setTimeout } from "node:timers/promises"
import { AxeBuilder } from "@axe-core/playwright"
import type { Page } from "playwright-core"
import { afterAll, beforeAll, expect, test } from "vitest"
import { Site } from "./support/site.ts"

/** So short that it has passed when something goes wrong. */
const TTL_MS = 150

let site: Site
let page: Page

beforeAll(async () => {
  site = await Site.open()
  const context = await site.person()
  page = await context.newPage()
})
afterAll(() => site.close())

/** What must be right on every screen. */
async function expectSound(): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
  expect(site.problems).toEqual([])
}

test("a project is made, services appear as they connect, and a run is seen while it runs", async () => {
  await page.goto(site.engine.url)
  await page.getByLabel("No project yet? Give it a name").fill("shop")
  await page.getByRole("button", { name: "Make a project" }).click()
  await page.getByText("No runs yet").waitFor()
  // The key is that of this tab, and of nothing that stays.
  const [session] = await page.evaluate(
    () => JSON.parse(sessionStorage.getItem("plan-engine.sessions") ?? "[]") as { key: string }[],
  )
  site.key = session?.key ?? ""
  expect(site.key).toMatch(/^sk-orra-v1-/)

  const packed = Promise.withResolvers<void>()
  const stock = await site.service("stock", "Reserves what is wanted.", {
    revertible: true,
    revertTTL: TTL_MS,
  })
  stock.onRevert(() => {})
  stock.start(({ input }) => ({ text: `${input["text"]}, reserved` }))
  const packer = await site.service("packer", "Packs what was reserved.")
  packer.start(async (task) => {
    task.pushUpdate({ progress: 40 })
    await packed.promise
    return { text: `${task.input["text"]}, packed` }
  })
  await page.getByRole("link", { name: "Services" }).click()
  await page.getByRole("heading", { name: "packer" }).waitFor()
  await page.getByText("Connected").nth(1).waitFor()

  await page.getByRole("link", { name: "Runs", exact: true }).click()
  site.plan = [
    { id: "task1", service: "stock", input: { text: "$task0.text" } },
    { id: "task2", service: "packer", input: { text: "$task1.text" } },
  ]
  await page.getByRole("button", { name: "New run" }).click()
  await page.getByLabel("What is wanted").fill("Send two mugs")
  await page.getByLabel("What is known").fill('{ "text": "mugs" }')
  await page.getByRole("button", { name: "Start" }).click()

  await page.getByRole("heading", { name: "Send two mugs" }).waitFor()
  const node = page.getByRole("button", { name: /^packer/ })
  await node.click()
  const panel = page.getByRole("region", { name: "Task task2" })
  await panel.getByText('"text": "mugs, reserved"').waitFor()
  await panel.getByText('{"progress":40}').waitFor()
  await expect.poll(() => node.textContent()).toContain("Running")
  await expectSound()

  packed.resolve()
  await page.getByText("The run has ended: completed").waitFor()
  await expect.poll(() => node.textContent()).toContain("Completed")
  await page
    .getByRole("region", { name: "Result", exact: true })
    .getByText('"mugs, reserved, packed"')
    .waitFor()
})

test("what was done before an abort is undone, and what cannot be undone waits for a person", async () => {
  const courier = await site.service("courier", "Brings it.")
  courier.start(async ({ abort }) => {
    await setTimeout(2 * TTL_MS)
    abort({ reason: "No road" })
  })
  site.plan = [
    { id: "task1", service: "stock", input: { text: "$task0.text" } },
    { id: "task2", service: "courier", input: { text: "$task1.text" } },
  ]
  await page.getByRole("link", { name: "← Runs" }).click()
  // Begun elsewhere: the list hears of it.
  await site.run("Send it to the mountains")
  await page.getByRole("link", { name: /Send it to the mountains/ }).click()
  await page.getByText("courier aborted it.").waitFor()
  await page.getByRole("region", { name: "Reason" }).getByText("No road").waitFor()
  await page
    .getByRole("button", { name: /^stock/ })
    .getByText("Too late to undo")
    .waitFor()
  await expectSound()

  await page.getByRole("link", { name: "Compensations" }).click()
  await page.getByText("The time in which it could be undone had passed.").waitFor()
  await page.getByLabel("What was done about it").fill("Put back by hand")
  await page.getByRole("button", { name: "Resolve" }).click()
  await page.getByText(/Resolved .*: Put back by hand/).waitFor()
  await expectSound()
})
