import type { ObservedDelivery, ObservedPlan, PlanObserver } from "@orra/telemetry"
import { afterEach, expect, test } from "vitest"
import { Bench } from "../engine-fixture.ts"

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

test("observers are told of every plan once, with each attempt, and of webhooks, and one that fails harms nothing", async () => {
  const plans: ObservedPlan[] = []
  const deliveries: ObservedDelivery[] = []
  const all = Promise.withResolvers<void>()
  const note = (): void => {
    if (plans.length === 2 && deliveries.length > 0) all.resolve()
  }
  const observer: PlanObserver = {
    ended: (plan) => {
      plans.push(plan)
      note()
    },
    told: (delivery) => {
      deliveries.push(delivery)
      note()
    },
  }
  const broken = () => {
    throw new Error("No collector.")
  }
  const shop = await new Bench(undefined, { observers: [{ ended: broken, told: broken }, observer] }).listen()
  ends.push(() => shop.close())
  await shop.project({ webhooks: ["http://127.0.0.1:1/"] })
  let failures = 1
  const first = await shop.service(
    "first",
    () => {
      if (failures-- > 0) return Promise.reject(new Error("Not yet."))
      return { text: "b" }
    },
    { revertible: true },
  )
  first.onRevert = () => undefined
  await shop.service("second", ({ abort }) => abort("no"))
  shop.plan = [
    { id: "task1", service: "first", input: { text: "$task0.text" } },
    { id: "task2", service: "second", input: { text: "$task1.text" } },
  ]
  const { body } = await shop.create()
  await shop.ended(body.id)
  await shop.ask("POST", `/orchestrations/${body.id}/cancel`)
  shop.plan = JSON.stringify({
    tasks: [
      { id: "task0", input: {} },
      { id: "final", input: { error: "No way." } },
    ],
  })
  await shop.create({ text: "other" })
  await all.promise
  const plan = plans.find(({ id }) => id === body.id)
  expect(plan?.status).toBe("aborted")
  expect(plan?.steps.map(({ type, service, attempt, outcome }) => [type, service, attempt, outcome])).toEqual(
    [
      ["plan", undefined, 1, "done"],
      ["task", "first", 1, "failed"],
      ["task", "first", 2, "done"],
      ["task", "second", 1, "aborted"],
      ["undo", "first", 1, "completed"],
    ],
  )
  for (const { from, to } of plan?.steps ?? []) expect(to).toBeGreaterThanOrEqual(from)
  expect(plans.find(({ id }) => id !== body.id)).toMatchObject({
    status: "not_actionable",
    steps: [{ type: "plan", outcome: "not_actionable" }],
  })
  expect(deliveries[0]).toMatchObject({
    event: expect.stringMatching(/^orchestration\./),
    outcome: "pending",
  })
  expect(shop.errors.map(String)).toContain("Error: No collector.")
  const metrics = (await shop.ask<string>("GET", "/metrics", undefined, "")).body
  expect(metrics).toContain('plan_orchestrations_ended_total{status="aborted"} 1')
  expect(metrics).toContain('plan_steps_total{outcome="failed",type="task"} 1')
  expect(metrics).toContain("plan_sockets_open 2")
})
