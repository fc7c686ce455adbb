import { AxeBuilder } from "@axe-core/playwright"
import type { BrowserContextOptions, Page } from "playwright-core"
import { afterAll, beforeAll, describe, expect, test } from "vitest"
import { Site } from "./support/site.ts"

const ADMIN_KEY = "whoever-may-make-projects"
const SCREENS = ["runs", "compensations", "services", "groundings", "webhooks", "keys", "audit"] as const
const GROUNDING = `name: orders
domain: shop
version: "1.0"
use-cases:
  - action: Send {text}
    params: { text: two mugs }
    capabilities: [Reserves what is wanted.]
    intent: The customer gets it
constraints:
  - { service: stock, atMost: 1 }
`

describe.runIf(process.env["ORRA_TEST_FULL"])("the page", () => {
  let site: Site
  let run = ""
  beforeAll(async () => {
    site = await Site.open({ ADMIN_KEY })
    site.key = ADMIN_KEY
    await site.project("shop")
    const stock = await site.service("stock", "Reserves what is wanted.")
    stock.start(({ input }) => ({ text: `${input["text"]}, reserved` }))
    // A wide plan: more than a small screen has room for.
    site.plan = Array.from({ length: 6 }, (_, index) => ({
      id: `task${index + 1}`,
      service: "stock",
      input: { text: index === 0 ? "$task0.text" : `$task${index}.text` },
    }))
    run = await site.run("Send two mugs")
    await site.ask("POST", "/webhooks", { url: "https://shop.invalid/hooks" })
    for (;;) {
      const { status } = await site.ask<{ status: string }>("GET", `/orchestrations/inspections/${run}`)
      if (status === "completed") break
    }
  })
  afterAll(() => site.close())

  async function open(options: BrowserContextOptions): Promise<Page> {
    const page = await (await site.person(options)).newPage()
    const session = [{ type: "project", key: site.key, name: "shop" }]
    await page.addInitScript(
      (text) => sessionStorage.setItem("plan-engine.sessions", text),
      JSON.stringify(session),
    )
    return page
  }

  async function expectSound(page: Page, where: string): Promise<void> {
    const { violations } = await new AxeBuilder({ page }).analyze()
    expect(violations.map(({ id, nodes }) => `${where}: ${id}: ${nodes[0]?.html}`)).toEqual([])
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), where).toBe(0)
    expect(site.problems).toEqual([])
  }

  test.each([
    ["light", 1280],
    ["dark", 1280],
    ["light", 320],
    ["dark", 320],
  ] as const)("is sound on every screen, %s, %d pixels wide", async (colorScheme, width) => {
    const page = await open({ colorScheme, viewport: { width, height: 800 } })
    for (const screen of [...SCREENS, `runs/${run}`]) {
      await page.goto(`${site.engine.url}/#/${screen}`)
      await page.getByRole("heading", { level: 1 }).waitFor()
      await expect.poll(() => page.getByText("Loading…").count()).toBe(0)
      await expectSound(page, screen)
    }
    await page.context().close()
  })

  test("can be used with the keyboard alone", async () => {
    const page = await open({})
    await page.goto(site.engine.url)
    await page.getByRole("link", { name: /Send two mugs/ }).waitFor()
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    // Past all that is above: the content has the focus.
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("main")
    const focused = () => page.evaluate(() => document.activeElement?.closest("a, button")?.textContent ?? "")
    const tabTo = async (text: string): Promise<void> => {
      for (let presses = 0; presses < 50; presses++) {
        if ((await focused()).includes(text)) return
        await page.keyboard.press("Tab")
      }
      throw new Error(`Nothing with "${text}" takes the focus.`)
    }
    await tabTo("Send two mugs")
    await page.keyboard.press("Enter")
    await page.getByRole("region", { name: "Graph of the plan" }).waitFor()
    await tabTo("Request")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.getByRole("region", { name: "Task task1" }).waitFor()
    await page.context().close()
  })

  test("tries a grounding before it holds, applies it, and removes it", async () => {
    const page = await open({})
    await page.goto(`${site.engine.url}/#/groundings`)
    site.plan = [{ id: "task1", service: "stock", input: { text: "$task0.text" } }]
    await page.getByLabel(/YAML or JSON/).fill(GROUNDING)
    await page.getByRole("button", { name: "Test it first" }).click()
    await page.getByRole("region", { name: "Test" }).getByText("Can be planned").waitFor()
    await page.getByRole("button", { name: "Apply" }).click()
    await page.getByText("stock: at most 1 (proved of each plan)").waitFor()
    await expectSound(page, "groundings")
    await page.getByRole("button", { name: "Remove" }).click()
    await page.getByRole("button", { name: "Remove orders for good" }).click()
    await page.getByText("No groundings yet").waitFor()
    await page.context().close()
  })

  test("shows who did what, and checks that all of it is there", async () => {
    const page = await open({})
    await page.goto(`${site.engine.url}/#/audit`)
    await page.getByRole("listitem").first().waitFor()
    await page.getByRole("button", { name: "Check that all of it is there" }).click()
    await page.getByText(/All \d+ entries are there and as they were written\./).waitFor()
    await expectSound(page, "audit")
    await page.context().close()
  })

  test("makes a key that may look and nothing more", async () => {
    const page = await open({})
    await page.goto(`${site.engine.url}/#/keys`)
    for (const what of [/connect services/, /begin and cancel/, /keys, webhooks/])
      await page.getByLabel(what).uncheck()
    await page.getByRole("button", { name: "Make a key" }).click()
    const made = (await page.getByRole("region", { name: "New key" }).textContent()) ?? ""
    const ask = (path: string) =>
      fetch(`${site.engine.url}${path}`, { headers: { authorization: `Bearer ${made}` } })
    expect([(await ask("/services")).status, (await ask("/apikeys")).status]).toEqual([200, 403])
    await page.context().close()
  })

  test("shows all projects to whoever may make some, and opens a new one", async () => {
    const context = await site.person()
    const page = await context.newPage()
    await page.goto(site.engine.url)
    const name = page.getByLabel("No project yet? Give it a name")
    await name.fill("bakery")
    await page.getByRole("button", { name: "Make a project" }).click()
    await page.getByText("or with its admin key: enter that above.").waitFor()
    await page.getByLabel("API key of a project, or the admin key").fill("sk-orra-v1-nobody")
    await page.getByRole("button", { name: "Open" }).click()
    await page.getByText("This key belongs to no project").waitFor()
    await page.getByLabel("API key of a project, or the admin key").fill(ADMIN_KEY)
    await page.getByRole("button", { name: "Open" }).click()
    await page.getByRole("listitem").filter({ hasText: "shop" }).waitFor()
    await expectSound(page, "projects")
    await page.getByLabel("Name of a new project").fill("bakery")
    await page.getByRole("button", { name: "Make and open it" }).click()
    await page.getByText("No runs yet").waitFor()
    expect(await page.getByLabel("Project").locator("option").allTextContents()).toEqual([
      "bakery",
      "All projects",
      "Another…",
    ])
    await context.close()
  })
})
