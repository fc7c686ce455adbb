import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { ORDER, SHOP } from "../fixture.ts"
import {
  leaves,
  type Plan,
  type PlanTask,
  parallelGroups,
  prove,
  resolve,
  withConstantsInTaskZero,
} from "../index.ts"

const codes = (plan: Plan, data = {}) => prove(plan, { services: SHOP, data }).map(({ code }) => code)
/** The order with one of its tasks changed. */
const changed = (index: number, change: Partial<PlanTask>): Plan => ({
  ...ORDER,
  tasks: ORDER.tasks.map((task, at) => (at === index ? { ...task, ...change } : task)),
})

describe("a plan", () => {
  test("that is right is proved, and what can be done at the same time is seen", () => {
    expect(prove(ORDER, { services: SHOP, data: { product: "lamp" } })).toEqual([])
    expect(parallelGroups(ORDER)).toEqual([["task1", "task2"], ["task3"]])
    expect(leaves(ORDER)).toEqual(["task3"])
  })

  test("W-P5: may leave out what is optional, and not what is required", () => {
    expect(codes(changed(1, { input: { product: "$task0.product", count: 2 } }))).toEqual([])
    expect(codes(changed(1, { input: { count: 2 } }))).toEqual(["input_missing"])
    expect(codes(changed(2, { input: { address: { street: "$task1.address.street" }, item: "x" } }))).toEqual(
      ["input_missing"],
    )
  })

  test.each([
    ["a service that is not there", changed(0, { service: "s_nobody" }), "service_unknown"],
    ["an input that is not taken", changed(0, { input: { customerId: "c", more: 1 } }), "input_unknown"],
    ["a constant of another type", changed(0, { input: { customerId: 5 } }), "input_wrong"],
    ["a constant outside of its limits", changed(1, { input: { product: "x", count: 0 } }), "input_wrong"],
    [
      "a constant that is none of those allowed",
      changed(2, { input: { address: "$task1.address", item: "x", speed: "now" } }),
      "input_wrong",
    ],
    [
      "a value of task zero that is none of those allowed",
      { ...changed(2, { input: { address: "$task1.address", item: "x", speed: "$task0.customerId" } }) },
      "input_wrong",
    ],
    [
      "a value that task zero does not have",
      changed(0, { input: { customerId: "$task0.id" } }),
      "reference_unknown",
    ],
    [
      "a task that is not there",
      changed(2, { input: { address: "$task9.address", item: "x" } }),
      "reference_unknown",
    ],
    [
      "a result that is not given",
      changed(2, { input: { address: "$task1.home", item: "x" } }),
      "reference_unknown",
    ],
    [
      "a place in a list that is an object",
      changed(2, { input: { address: "$task1.address[0]", item: "x" } }),
      "reference_unknown",
    ],
    ["its own result", changed(0, { input: { customerId: "$task1.name" } }), "reference_unknown"],
    [
      "a result of another type",
      changed(2, { input: { address: "$task1.address", item: "$task2.items" } }),
      "reference_wrong",
    ],
    [
      "an object without what is needed",
      changed(2, { input: { address: "$task2", item: "x" } }),
      "input_wrong",
    ],
    [
      "an object of other parts",
      changed(2, { input: { address: "$task2.items[0]", item: "x" } }),
      "reference_wrong",
    ],
    ["two tasks of one id", changed(1, { id: "task1" }), "task_id"],
    ["a task in the place of the values", changed(0, { id: "task0" }), "task_id"],
  ])("with %s is not", (_, plan, code) => {
    expect(codes(plan)).toContain(code)
  })

  test("W-P8: that waits for itself in a circle is not, however long the circle is", () => {
    const ring = (length: number): Plan => ({
      taskZero: {},
      tasks: Array.from({ length }, (_, index) => ({
        id: `task${index + 1}`,
        service: "s_customer",
        input: { customerId: `$task${((index + 1) % length) + 1}.name` },
      })),
    })
    expect(codes(ring(2))).toEqual(["cycle"])
    expect(codes(ring(50))).toEqual(["cycle"])
  })

  test("of no task, or too many, is not", () => {
    expect(codes({ taskZero: {}, tasks: [] })).toEqual(["empty"])
    const many = Array.from({ length: 10_000 }, (_, index) => ({
      id: `task${index}`,
      service: "s_customer",
      input: {},
    }))
    expect(codes({ taskZero: {}, tasks: many })).toEqual(["too_long"])
  })

  test("has what was given, as it was given", () => {
    expect(codes(ORDER, { product: "lamp", customerId: "c-1" })).toEqual([])
    expect(codes(ORDER, { product: "sofa" })).toEqual(["data_changed"])
    expect(codes(ORDER, { voucher: "v" })).toEqual(["data_missing"])
  })

  test("is refused where a service's schema is none", () => {
    const [customer, ...others] = SHOP
    const broken = {
      ...customer,
      input: { type: "object", properties: { customerId: { type: "nothing" } }, required: [] },
    }
    const services = [broken as (typeof SHOP)[number], ...others]
    expect(prove(ORDER, { services })[0]?.message).toContain("its schema is none")
  })
})

test("W-T2: what is not there is an error, and never left out", () => {
  const outputs = new Map([["task1", { address: { zip: "1" }, "a.b": 7 }]])
  expect(
    resolve({ zip: "$task1.address.zip", deep: [{ n: "$task1.a.b" }], price: "$5.00" }, outputs),
  ).toEqual({
    zip: "1",
    deep: [{ n: 7 }],
    price: "$5.00",
  })
  expect(() => resolve({ street: "$task1.address.street" }, outputs)).toThrow(
    "$task1.address.street is not there",
  )
  expect(() => resolve("$task1.__proto__.x", outputs)).toThrow("is not there")
  expect(() => resolve("$task1.constructor", outputs)).toThrow("is not there")
})

test("constants move to task zero, each value once, and others of the same name get a number", () => {
  const plan = withConstantsInTaskZero({
    taskZero: { count: 1 },
    tasks: [
      { id: "task1", service: "s", input: { count: 2, name: "a" } },
      { id: "task2", service: "s", input: { count: 2, name: "a", part: { from: "$task1.x" } } },
    ],
  })
  expect(plan.taskZero).toEqual({ count: 1, count_2: 2, name: "a" })
  expect(plan.tasks.map(({ input }) => input)).toEqual([
    { count: "$task0.count_2", name: "$task0.name" },
    { count: "$task0.count_2", name: "$task0.name", part: { from: "$task1.x" } },
  ])
})

test("property: whatever a plan is, it is proved or refused, and one that is proved has an order", () => {
  const value = fc.oneof(
    fc.constantFrom(
      "$task0.customerId",
      "$task1.address",
      "$task2.items[0].id",
      "$task3.cost",
      "$task1",
      "$x.y",
      "$task1.name",
    ),
    fc.jsonValue({ maxDepth: 2 }),
  )
  const task = fc.record({
    id: fc.constantFrom("task1", "task2", "task3", "task0", "no id", "constructor"),
    service: fc.constantFrom("s_customer", "s_inventory", "s_delivery", "s_x"),
    input: fc.dictionary(
      fc.constantFrom("customerId", "product", "count", "address", "item", "__proto__"),
      value as fc.Arbitrary<string>,
    ),
  })
  fc.assert(
    fc.property(fc.array(task, { maxLength: 5 }), (tasks) => {
      const plan = { taskZero: { customerId: "c" }, tasks }
      const findings = prove(plan, { services: SHOP })
      if (findings.length > 0) return
      expect(parallelGroups(plan)?.flat().toSorted()).toEqual(tasks.map(({ id }) => id).toSorted())
    }),
  )
})
