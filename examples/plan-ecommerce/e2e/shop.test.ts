import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { createInterface } from "node:readline"
import { type FakeModelServer, fakeModelServer, lastText, type WireRequest } from "@orra/testing"
import { type Browser, chromium, type Page } from "playwright-core"
import { afterAll, beforeAll, expect, test } from "vitest"

const main = join(import.meta.dirname, "../main.ts")

let browser: Browser
let model: FakeModelServer
let data: string
let child: ChildProcess
let page: Page

beforeAll(async () => {
  model = await fakeModelServer([], { apiKey: "test-key", otherwise: answer })
  data = await mkdtemp(join(tmpdir(), "plan-ecommerce-"))
  const { ORRA_URL: _, ANTHROPIC_API_KEY: __, ...env } = process.env
  child = spawn(process.execPath, ["--conditions=@orra/source", "--no-warnings", main], {
    env: { ...env, OPENAI_API_KEY: "test-key", OPENAI_BASE_URL: model.openaiUrl, SHOP_DATA: data, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  })
  const started = once(createInterface({ input: child.stdout ?? process.stdin }), "line")
  const executablePath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium"
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] })
  page = await browser.newPage({ viewport: { width: 800, height: 700 } })
  const [said] = (await started) as [string]
  await page.goto(said.replace("The shop is at ", ""))
})
afterAll(async () => {
  await browser.close()
  const ended = once(child, "exit")
  child.kill("SIGTERM")
  expect(await ended).toEqual([0, null])
  await model.close()
  await rm(data, { recursive: true })
})

/** What the model says: a plan to the engine, a sentence to the delivery agent. */
function answer(request: WireRequest): string {
  const text = JSON.stringify(request.body)
  if (text.includes("You plan deliveries"))
    return JSON.stringify({ days: 2, message: "Your parcel will be with you in two days." })
  // The shop's services by their names.
  const services = JSON.parse(/```json\n([\s\S]*?)\n```/.exec(lastText(request))?.[1] ?? "[]") as readonly {
    readonly id: string
    readonly name: string
  }[]
  const idOf = (name: string) => services.find((service) => service.name === name)?.id
  const product = /laptop|headphones/.exec(lastText(request).split("Request:")[1] ?? "")?.[0]
  const tasks =
    product === undefined
      ? [{ id: "final", input: { error: "The shop does not fly." } }]
      : [
          { id: "task1", service: idOf("customer-service"), input: { customerId: "$task0.customerId" } },
          { id: "task2", service: idOf("inventory-service"), input: { product } },
          {
            id: "task3",
            service: idOf("payment-service"),
            input: { customerId: "$task0.customerId", amount: "$task2.price" },
          },
          {
            id: "task4",
            service: idOf("delivery-agent"),
            input: { product, warehouse: "$task2.warehouse", address: "$task1.address" },
          },
        ]
  return JSON.stringify({ tasks: [{ id: "task0", input: {} }, ...tasks] })
}

/** Says something, and gives the answer. */
async function say(text: string): Promise<string> {
  const replies = page.locator(".said.shop")
  const before = await replies.count()
  await page.getByLabel("Message").fill(text)
  await page.getByRole("button", { name: "Send" }).click()
  await replies.nth(before).waitFor()
  return (await replies.nth(before).textContent()) ?? ""
}

/** How each service's part in the last plan ended. */
const steps = async (): Promise<Record<string, string | undefined>> =>
  Object.fromEntries(
    await page
      .locator(".steps")
      .last()
      .locator("li")
      .evaluateAll((all) => all.map((each) => [each.textContent, (each as HTMLElement).dataset["state"]])),
  )

test("a customer buys something, and is told when it comes", async () => {
  expect(await say("I would like the headphones, please")).toBe(
    "You paid 79 EUR. Your parcel will be with you in two days.",
  )
  expect(await steps()).toEqual({
    "customer-service": "done",
    "inventory-service": "done",
    "payment-service": "done",
    "delivery-agent": "done",
  })
  // The agent was told where it comes from and where it goes.
  const asked = model.requests.map((request) => JSON.stringify(request.body))
  const delivery = asked.find((text) => text.includes("You plan deliveries"))
  for (const told of ["Leeds", "12 Engine Row"]) expect(delivery).toContain(told)
})

test("a payment that is declined leaves the shop as it was: the last laptop can be bought by somebody else", async () => {
  await page.getByLabel("Customer").selectOption("bob")
  expect(await say("The laptop!")).toBe("Your bank declined the payment. Nothing was bought.")
  expect(await steps()).toMatchObject({ "inventory-service": "undone", "payment-service": "failed" })
  await page.getByLabel("Customer").selectOption("ada")
  expect(await say("The laptop!")).toMatch(/^You paid 480 EUR\./)
  expect(await say("Another laptop!")).toBe("Sold out: laptop. Nothing was bought.")
})

test("what the services cannot do is said", async () => {
  expect(await say("Fly me to the moon")).toBe(
    "This cannot be done with the services there are: The shop does not fly.",
  )
})
