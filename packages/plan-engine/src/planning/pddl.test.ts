import fc from "fast-check"
import { expect, test } from "vitest"
import { Bench } from "../engine-fixture.ts"
import { ORDER, SHOP } from "../fixture.ts"
import { type Pddl, toPddl } from "./pddl.ts"
import { validate } from "./pddl-fixture.ts"
import type { Plan, Service } from "./plan.ts"

const NAMES = { domain: "shop", problem: "o_17" }

test("W-G2: a plan is domain, problem and plan, which is carried out and reaches the goal", () => {
  const pddl = toPddl(ORDER, SHOP, NAMES)
  expect(validate(pddl).steps).toBe(3)
  expect(pddl.domain).toContain("(define (domain domain-shop)")
  expect(pddl.plan.split("\n")).toEqual([
    "(do-customer-after-0 step-task1 value-task1-customerid)",
    "(do-inventory-after-0 step-task2 value-task2-product)",
    "(do-delivery-after-2 step-task3 step-task1 step-task2 value-task3-address value-task3-item)",
    "",
  ])
})

test.each([
  [
    "in another order",
    (plan: string) => plan.split("\n").toReversed().join("\n"),
    /not done|not open|not earlier/,
  ],
  ["without a step", (plan: string) => plan.split("\n").slice(1).join("\n"), /not done/],
  ["with a step twice", (plan: string) => plan + plan, /not open/],
  ["without its last step", (plan: string) => plan.split("\n").slice(0, 2).join("\n"), /the goal/],
  [
    "with a step of another service",
    (plan: string) => plan.replace("step-task1", "step-task2"),
    /is no service/,
  ],
  ["with an action that is none", (plan: string) => plan.replace("do-customer", "do-nothing"), /no action/],
])("the same plan %s is refused: a validator sees more than form", (_, change, message) => {
  const pddl = toPddl(ORDER, SHOP, NAMES)
  expect(() => validate({ ...pddl, plan: change(pddl.plan) })).toThrow(message)
})

test("a task can only be done when what it comes after is", () => {
  const [customer, inventory, ...others] = ORDER.tasks
  if (!customer || !inventory) return
  const plan = { ...ORDER, tasks: [{ ...customer, after: ["task2"] }, inventory, ...others] }
  const pddl = toPddl(plan, SHOP, NAMES)
  expect(validate(pddl).steps).toBe(3)
  const [first = "", second = "", ...rest] = pddl.plan.split("\n")
  expect(() => validate({ ...pddl, plan: [second, first, ...rest].join("\n") })).toThrow(/not done/)
})

/** Names as people and models give them. */
const ODD = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 12 }),
  fc.constantFrom(
    "and",
    "not",
    "object",
    "step",
    "value",
    "1st",
    "a b",
    "a-b",
    "a_b",
    "A B",
    "ä b",
    "注文",
    ")(define",
    "; x\n(",
    "?v",
    "-",
    "",
    "done",
    "open",
    "x".repeat(500),
  ),
)

test("property: whatever a plan and its names are, what is exported is valid and its plan reaches the goal", () => {
  const made = fc.record({
    services: fc.uniqueArray(
      fc.record({ id: ODD, name: ODD, inputs: fc.uniqueArray(ODD, { maxLength: 4 }), required: fc.nat(4) }),
      { minLength: 1, maxLength: 4, selector: ({ id }) => id.toLowerCase() },
    ),
    tasks: fc.array(
      fc.record({ id: ODD, service: fc.nat(3), waits: fc.array(fc.nat(7), { maxLength: 3 }) }),
      { minLength: 1, maxLength: 8 },
    ),
    names: fc.record({ domain: ODD, problem: ODD }),
  })
  fc.assert(
    fc.property(made, ({ services, tasks, names }) => {
      const known = services.map(
        ({ id, name, inputs, required }): Service => ({
          id,
          name,
          description: name,
          input: { type: "object", properties: {}, required: inputs.slice(0, required) },
          output: { type: "object" },
        }),
      )
      const ids = tasks.map(({ id }, index) => `${id}${index}`)
      const plan: Plan = {
        taskZero: {},
        tasks: tasks.map(({ service, waits }, index) => {
          const own = service % services.length
          return {
            id: ids[index] ?? "",
            service: services[own]?.id ?? "",
            input: Object.fromEntries((services[own]?.inputs ?? []).map((input) => [input, 1])),
            after: waits.filter((each) => each < index).map((each) => ids[each] ?? ""),
          }
        }),
      }
      const { steps, names: declared } = validate(toPddl(plan, known, names))
      expect(steps).toBe(tasks.length)
      expect(new Set(declared).size).toBe(declared.length)
    }),
  )
})

test("of an orchestration it is there as soon as there is a plan", async () => {
  const shop = await new Bench().listen()
  try {
    await shop.project()
    await shop.service("first", () => ({ text: "b" }))
    shop.plan = [{ id: "task1", service: "first", input: { text: "$task0.text" } }]
    const { body } = await shop.create()
    const pddl = await shop.ask<Pddl>("GET", `/orchestrations/${body.id}/pddl`)
    expect(validate(pddl.body).steps).toBe(1)
    shop.plan = "no plan"
    await shop.create()
    const listed = await shop.ask<{ failed: readonly { id: string }[] }>("GET", "/orchestrations")
    expect(await shop.ask("GET", `/orchestrations/${listed.body.failed[0]?.id}/pddl`)).toMatchObject({
      status: 409,
      body: { error: { code: "Orra:NoPlan" } },
    })
  } finally {
    await shop.close()
  }
})
