import { scriptedProvider } from "@orra/testing"
import { expect, test } from "vitest"
import { SHOP } from "../fixture.ts"
import type { Grounding } from "./grounding-file.ts"
import { tryGrounding } from "./grounding-trial.ts"

const GROUNDING: Grounding = {
  name: "shop",
  domain: "shop",
  version: "1.0",
  useCases: [
    {
      action: "Who is {customerId}?",
      params: { customerId: "c-1" },
      capabilities: ["customer"],
      intent: "A name.",
    },
    { action: "Reserve a lamp", params: {}, capabilities: ["inventory"], intent: "It is reserved." },
  ],
  constraints: [{ service: "inventory", never: true }],
}
const written = (service: string, input: object) =>
  JSON.stringify({
    tasks: [
      { id: "task0", input: {} },
      { id: "task1", service, input },
    ],
  })

test("each use case is asked for with its examples, and says which plan holds or why none does", async () => {
  const provider = scriptedProvider(
    [written("s_customer", { customerId: "$task0.customerId" })],
    // A service that the grounding's own rule forbids.
    { otherwise: () => written("s_inventory", { product: "lamp" }) },
  )
  const [first, second] = await tryGrounding(GROUNDING, { provider, services: SHOP })
  expect(first).toMatchObject({ action: "Who is c-1?", plan: { taskZero: { customerId: "c-1" } } })
  expect(second).toMatchObject({ action: "Reserve a lamp", error: expect.stringContaining("inventory") })
  expect(JSON.stringify(provider.requests[0]?.messages)).toContain("Who is c-1?")
})

test("a model that cannot be asked is no fault of the grounding", async () => {
  const down = () => {
    throw new Error("down")
  }
  const provider = scriptedProvider([down])
  await expect(tryGrounding(GROUNDING, { provider, services: SHOP })).rejects.toThrow("down")
})
