import { scriptedProvider } from "@orra/testing"
import { afterEach, expect, test } from "vitest"
import { Bench } from "../engine-fixture.ts"

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

const REFUNDS = {
  name: "refunds",
  domain: "shop-support",
  version: "1.0",
  useCases: [
    {
      action: "Refund order {orderId}",
      params: { orderId: "o-17" },
      capabilities: ["Checks refunds"],
      intent: "Money goes back.",
    },
  ],
  constraints: ["Refunds of more than 100 need a check."],
}

async function shopWith(options = {}): Promise<Bench> {
  const shop = await new Bench(undefined, options).listen()
  ends.push(() => shop.close())
  await shop.project()
  return shop
}

test("groundings are applied, listed and removed, each version once", async () => {
  const shop = await shopWith()
  expect((await shop.ask("GET", "/groundings")).body).toEqual([])
  const applied = await shop.ask("POST", "/groundings", REFUNDS)
  expect(applied).toMatchObject({
    status: 201,
    body: { ...REFUNDS, projectID: expect.stringMatching(/^p_/) },
  })
  const again = await shop.ask("POST", "/groundings", REFUNDS)
  expect(again).toMatchObject({
    status: 400,
    body: { error: { kind: "invalid operation", param: "version" } },
  })
  const next = { ...REFUNDS, version: "1.1" }
  expect((await shop.ask("POST", "/groundings", next)).status).toBe(201)
  expect((await shop.ask("GET", "/groundings")).body).toMatchObject([next])
  expect((await shop.ask("DELETE", "/groundings/refunds")).status).toBe(204)
  expect((await shop.ask("DELETE", "/groundings/refunds")).status).toBe(404)
  await shop.ask("POST", "/groundings", next)
  expect((await shop.ask("DELETE", "/groundings")).status).toBe(204)
  expect((await shop.ask("GET", "/groundings")).body).toEqual([])
})

test("a grounding can be sent in YAML, and a text that is none is refused", async () => {
  const shop = await shopWith()
  const send = async (body: string) => {
    const headers = { authorization: `Bearer ${shop.key}`, "content-type": "application/yaml" }
    const response = await fetch(`${shop.url}/groundings`, { method: "POST", headers, body })
    return [response.status, await response.json()] as const
  }
  const file = `name: refunds
domain: shop-support
version: 1.0
use-cases:
  - { action: "Refund order {orderId}", params: { orderId: o-17 }, capabilities: [Checks refunds], intent: Money goes back. }
constraints:
  - Refunds of more than 100 need a check.
`
  expect(await send(file)).toMatchObject([201, REFUNDS])
  expect(await send("name: [")).toMatchObject([400, { error: { kind: "invalid request error" } }])
})

const [useCase] = REFUNDS.useCases
test.each([
  ["a name in capitals", { name: "Refunds" }],
  ["no domain", { domain: undefined }],
  ["a blank version", { version: " " }],
  ["no use case", { useCases: [] }],
  ["a use case without a capability", { useCases: [{ ...useCase, capabilities: [] }] }],
  ["a parameter without an example", { useCases: [{ ...useCase, params: {} }] }],
  ["a blank constraint", { constraints: [""] }],
  ["a list that is none", { constraints: "all" }],
])("a grounding with %s is refused", async (_, wrong) => {
  const shop = await shopWith()
  const { status, body } = await shop.ask("POST", "/groundings", { ...REFUNDS, ...wrong })
  expect([status, body.error.kind]).toEqual([400, "invalid request error"])
})

test("W-G1: a grounding affects what is in its domain, over the whole engine, and nothing else", async () => {
  let written = ""
  const provider = scriptedProvider([], { otherwise: () => written })
  const shop = await shopWith({ provider })
  await shop.service("first", () => ({ text: "b" }))
  await shop.ask("POST", "/groundings", REFUNDS)
  const task = { id: "task1", service: shop.ids.get("first"), input: { text: "$task0.text" } }
  written = JSON.stringify({ tasks: [{ id: "task0", input: {} }, task] })
  const other = await shop.create()
  expect(other.status).toBe(202)
  await shop.ended(other.body.id)
  expect(JSON.stringify((await provider.request(1)).messages)).not.toContain("Refunds of more than 100")
  // It is in the domain, and no service can check refunds.
  const inDomain = await shop.create({ text: "a" }, { action: { content: "Refund order o-18" } })
  expect(inDomain.status).toBe(500)
  expect(inDomain.body.error.message).toContain('a service that "Checks refunds"')
  expect(JSON.stringify((await provider.request(2)).messages)).toContain("Refunds of more than 100")
})
