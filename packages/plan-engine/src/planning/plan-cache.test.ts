import { type JsonObject, MemoryStore, Namespace, StoreError } from "@orra/core"
import { scriptedProvider } from "@orra/testing"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { Bench } from "../engine-fixture.ts"
import { Groundings } from "./groundings.ts"
import type { PlanTask, Service } from "./plan.ts"
import { Planning, type PlanningOptions } from "./planning.ts"

const text = { type: "string" } as const
const object = (properties: JsonObject, required = Object.keys(properties)): JsonObject => ({
  type: "object",
  properties,
  required,
})
const ORDERS: readonly Service[] = [
  {
    id: "s_orders",
    name: "orders",
    description: "Processes an order.",
    input: object({ orderId: text, count: { type: "integer" } }, ["orderId"]),
    output: object({ done: { type: "boolean" }, lines: { type: "array", items: object({ sku: text }) } }),
  },
  {
    id: "s_mail",
    name: "mail",
    description: "Sends a mail.",
    input: object(
      {
        to: text,
        about: { type: ["string", "boolean"] },
        letter: object({ name: text, done: { type: "boolean" } }, []),
      },
      ["to"],
    ),
    output: object({ sent: { type: "boolean" } }),
  },
]

type Asked = { readonly action: string; readonly data?: JsonObject; readonly services?: readonly Service[] }

/** A planner over a store that keeps plans; the model writes what `plan` says. */
function bench(options: Partial<PlanningOptions> & { readonly store?: MemoryStore } = {}) {
  const store = options.store ?? new MemoryStore()
  const root = Namespace.of("plans")
  const groundings = new Groundings(store, root)
  const provider = scriptedProvider([], { otherwise: (request) => written(JSON.stringify(request.messages)) })
  const planning = new Planning({ provider, groundings, ...options, store, root })
  let written: (asked: string) => string = () => ""
  return {
    provider,
    groundings,
    store,
    writes: (taskZero: JsonObject, tasks: readonly PlanTask[]) => {
      written = () => JSON.stringify({ tasks: [{ id: "task0", input: taskZero }, ...tasks] })
    },
    answers: (answer: (asked: string) => string) => {
      written = answer
    },
    ask: async ({ action, data = {}, services = ORDERS }: Asked) => {
      const fields = Object.entries(data).map(([field, value]) => ({ field, value }))
      return await planning.plan({ projectId: "p_1", action, data: fields, services })
    },
  }
}

const PROCESS: readonly PlanTask[] = [
  { id: "task1", service: "s_orders", input: { orderId: "$task0.orderId" } },
]

describe("W-P1: values of one request never reach another", () => {
  test("an id in the words is taken from the new words, and proved", async () => {
    const { writes, ask, provider } = bench()
    writes({ orderId: "123" }, PROCESS)
    const first = await ask({ action: "Process order #123" })
    expect(first.origin).toMatchObject({
      by: "model",
      cache: { kept: true, like: "Process order #{orderId}", missed: expect.stringContaining("no plan") },
    })
    const second = await ask({ action: "process order #456" })
    expect(second.plan.taskZero).toEqual({ orderId: "456" })
    expect(second.origin).toMatchObject({
      by: "cache",
      how: "structure",
      like: "Process order #{orderId}",
      lifted: { orderId: "456" },
      keptAt: expect.stringMatching(/^\d{4}-.*Z$/),
    })
    expect(provider.requests).toHaveLength(1)
  })

  test.each([
    ["more words", "Process order #456 and cancel it"],
    ["other words", "Cancel order #456"],
    ["a value of another look", "Process order #all"],
    ["a number with a fraction", "Process order #4.5"],
    ["a value of two words", "Process order #45 6"],
  ])("%s are another request", async (_, action) => {
    const { writes, ask } = bench()
    writes({ orderId: "123" }, PROCESS)
    await ask({ action: "Process order #123" })
    writes({ orderId: "x" }, PROCESS)
    expect((await ask({ action })).origin.by).toBe("model")
  })

  test("a number stays a number, and what is none is no hit", async () => {
    const { writes, ask } = bench()
    const input = { orderId: "$task0.id", count: "$task0.count" }
    writes({ id: "a-1", count: 3 }, [{ id: "task1", service: "s_orders", input }])
    await ask({ action: "Order 3 of a-1" })
    expect((await ask({ action: "Order 12 of b-2" })).plan.taskZero).toEqual({ orderId: "b-2", count: 12 })
    expect((await ask({ action: "Order 3x of b-2" })).origin.by).toBe("model")
    expect((await ask({ action: "Order 012 of b-2" })).origin.by).toBe("model")
  })

  test.each<[string, JsonObject, readonly PlanTask[], string, RegExp]>([
    [
      "that the model knew by itself",
      { orderId: "123", to: "boss" },
      [...PROCESS, mail("$task0.to")],
      "Process 123",
      /not in the request/,
    ],
    [
      "beside what a task gives",
      { orderId: "123", to: "a@b.c" },
      [
        ...PROCESS,
        {
          id: "task2",
          service: "s_mail",
          input: { to: "$task0.to", letter: { name: "Bob", done: "$task1.done" } },
        },
      ],
      "Process 123 and mail a@b.c, to Bob",
      /beside what tasks give/,
    ],
    [
      "that is no plain value",
      { orderId: "123", about: true, to: "a@b.c" },
      [{ id: "task1", service: "s_mail", input: { to: "$task0.to", about: "$task0.about" } }],
      "Mail a@b.c",
      /neither given nor/,
    ],
    ["that stands there twice", { orderId: "1" }, PROCESS, "Process order 1 of page 1", /more than once/],
    ["that is a part of another", { orderId: "17" }, PROCESS, "Process order o-17", /part of another word/],
    [
      "that is two things",
      { orderId: "5", count: 5 },
      [{ id: "task1", service: "s_orders", input: { orderId: "$task0.orderId", count: "$task0.count" } }],
      "Process order 5",
      /looks like another/,
    ],
  ])("a value %s keeps its plan from being kept", async (_, taskZero, tasks, action, why) => {
    const { writes, ask } = bench()
    writes(taskZero, tasks)
    expect((await ask({ action })).origin).toMatchObject({
      by: "model",
      cache: { kept: false, why: expect.stringMatching(why) },
    })
    expect((await ask({ action })).origin.by).toBe("model")
  })

  function mail(to: string): PlanTask {
    return { id: "task2", service: "s_mail", input: { to } }
  }
})

test("W-P2: requests at the same time, with the same words and other values, each have their own", async () => {
  const { answers, ask } = bench()
  const ids = Array.from({ length: 8 }, (_, index) => `o-${index}`)
  answers((asked) => {
    const [id] = /o-\d/.exec(asked) ?? []
    return JSON.stringify({ tasks: [{ id: "task0", input: { orderId: id ?? "" } }, ...PROCESS] })
  })
  const made = await Promise.all(ids.map((orderId) => ask({ action: "Process it", data: { orderId } })))
  expect(made.map(({ plan }) => plan.taskZero)).toEqual(ids.map((orderId) => ({ orderId })))
  const again = await Promise.all(ids.map((orderId) => ask({ action: "Process it", data: { orderId } })))
  expect(again.map(({ plan }) => plan.taskZero)).toEqual(ids.map((orderId) => ({ orderId })))
  expect(again.every(({ origin }) => origin.by === "cache")).toBe(true)
})

test("W-P4: a part of the fields, or a value of another kind, is another request and spoils nothing", async () => {
  const { writes, ask } = bench()
  writes({}, [
    { id: "task1", service: "s_orders", input: { orderId: "$task0.orderId", count: "$task0.count" } },
  ])
  await ask({ action: "Process it", data: { orderId: "a", count: 1 } })
  writes({}, PROCESS)
  for (const data of [{ orderId: "b" }, { orderId: "b", count: true }, { orderId: "b", count: null }])
    expect((await ask({ action: "Process it", data })).origin.by).toBe("model")
  const { plan, origin } = await ask({ action: "Process it", data: { orderId: "b", count: 2 } })
  expect([origin.by, plan.taskZero]).toEqual(["cache", { orderId: "b", count: 2 }])
})

test("a kept plan is proved as a new one is: what does not fit is planned anew, and why is said", async () => {
  const strict = ORDERS.map((service) => ({
    ...service,
    input: object({ orderId: { type: "string", pattern: "^[ab]-" }, count: { type: "integer" } }, [
      "orderId",
    ]),
  }))
  const { writes, ask } = bench()
  writes({ orderId: "a-1" }, PROCESS)
  await ask({ action: "Process order a-1", services: strict })
  expect((await ask({ action: "Process order b-2", services: strict })).origin.by).toBe("cache")
  expect((await ask({ action: "Process order c-3", services: strict })).origin).toMatchObject({
    by: "model",
    cache: { missed: expect.stringMatching(/is not right here: .*must match pattern/) },
  })
})

test("W-G3: other services, schemas, descriptions and groundings have other plans", async () => {
  const { writes, ask, groundings } = bench()
  writes({ orderId: "1" }, PROCESS)
  const action = "Process order 1"
  await ask({ action })
  expect((await ask({ action })).origin.by).toBe("cache")
  const [orders, mail] = ORDERS as [Service, Service]
  for (const services of [
    [orders],
    [{ ...orders, description: "Processes an order twice." }, mail],
    [orders, { ...mail, output: object({ sent: { type: "string" } }) }],
  ])
    expect((await ask({ action, services })).origin.by).toBe("model")
  const grounding = {
    name: "orders",
    domain: "orders",
    version: "1",
    useCases: [
      { action: "Process order {id}", params: { id: "1" }, capabilities: ["orders"], intent: "Done." },
    ],
    constraints: [],
  }
  await groundings.apply("p_1", grounding)
  expect((await ask({ action })).origin.by).toBe("model")
  expect((await ask({ action })).origin.by).toBe("cache")
  await groundings.apply("p_1", {
    ...grounding,
    version: "2",
    constraints: [{ service: "mail", never: true }],
  })
  expect((await ask({ action })).origin.by).toBe("model")
  await groundings.remove("p_1", "orders")
  await groundings.apply("p_1", { ...grounding, version: "2" })
  expect((await ask({ action })).origin.by).toBe("model")
})

test("what a plan does not use may have decided it: another value of that is another request", async () => {
  const { writes, ask } = bench()
  writes({}, PROCESS)
  const asked = (orderId: string, times: number) => ask({ action: "Process it", data: { orderId, times } })
  await asked("a", 1)
  expect((await asked("b", 1)).origin.by).toBe("cache")
  expect((await asked("b", 2)).origin.by).toBe("model")
})

/** What means the same has the same vector: the words of meanings, and nothing else. */
const embedder = {
  id: "meanings",
  embed: async (texts: readonly string[]) =>
    texts.map((each) => [/process|handle|do not/i, /cancel|drop/i].map((one) => (one.test(each) ? 1 : 0.01))),
}
const verdict = (kept: boolean) =>
  JSON.stringify({
    verdicts: [{ statement: 1, kept, quote: "task1: orders (Processes an order.)", reason: "It does." }],
  })

describe("by meaning", () => {
  const meant = async (action: string, kept = true, first = "Process order #123 now") => {
    const { writes, answers, ask, provider } = bench({ embedder })
    writes({ orderId: /\S*\d\S*/.exec(first)?.[0].replace("#", "") ?? "" }, PROCESS)
    await ask({ action: first })
    answers((asked) =>
      asked.includes("Statements:")
        ? verdict(kept)
        : JSON.stringify({ tasks: [{ id: "task0", input: { orderId: "new" } }, ...PROCESS] }),
    )
    const { plan, origin } = await ask({ action })
    return { by: origin.by, orderId: plan.taskZero["orderId"], origin, asked: provider.requests.length }
  }

  test("other words that mean the same have the plan, with their own values, and a model judges that it does what is asked", async () => {
    const { by, orderId, origin, asked } = await meant("Would you handle order #456, please?")
    expect([by, orderId, asked]).toEqual(["cache", "456", 2])
    expect(origin).toMatchObject({
      how: "meaning",
      like: "Process order #{orderId} now",
      lifted: { orderId: "456" },
    })
  })

  test.each([
    ["mean something else", "Cancel order #456"],
    ["have one value more", "Handle order #456 for 789"],
    ["have a name that the others have not", "Handle order #456 for Alice"],
    ["have no value", "Handle the order"],
    ["have a value of another look", "Handle order a-456"],
  ])("words that %s are planned", async (_, action) => {
    expect(await meant(action)).toMatchObject({ by: "model", orderId: "new", asked: 2 })
  })

  test("words that are nothing but values are not compared", async () => {
    const texts: string[] = []
    const seeing = {
      ...embedder,
      embed: (asked: readonly string[]) => {
        texts.push(...asked)
        return embedder.embed(asked)
      },
    }
    const { writes, ask } = bench({ embedder: seeing })
    writes({ orderId: "a-1" }, PROCESS)
    for (const action of ["a-1", "a-2"]) await ask({ action })
    expect(texts).toEqual([])
  })

  test("a plan that a model says does not do what is asked is not taken", async () => {
    const { by, origin } = await meant("Do not process order #456", false)
    expect(by).toBe("model")
    expect(origin).toMatchObject({ cache: { missed: expect.stringContaining("is not right here") } })
  })

  test("two values that look the same are not told apart in other words", async () => {
    const { writes, ask } = bench({ embedder })
    const input = { orderId: "$task0.orderId", count: "$task0.count" }
    writes({ orderId: "17", count: 3 }, [{ id: "task1", service: "s_orders", input }])
    await ask({ action: "Process 3 of order 17" })
    expect((await ask({ action: "Of order 5 handle 4" })).origin.by).toBe("model")
    expect((await ask({ action: "Process 4 of order 5" })).plan.taskZero).toEqual({ orderId: "5", count: 4 })
  })
})

test("there are so many plans at most, for so long, and not at all when it is off", async () => {
  let now = 1_000
  const store = Object.assign(new MemoryStore(), { now: async () => now })
  const { writes, ask } = bench({ store, cache: { maxEntries: 2, ttlMs: 100 } })
  writes({}, PROCESS)
  const by = async (action: string) => (await ask({ action, data: { orderId: "a" } })).origin.by
  for (const action of ["One", "Two", "Three"]) expect(await by(action)).toBe("model")
  expect([await by("Two"), await by("Three")]).toEqual(["cache", "cache"])
  expect(await by("One")).toBe("model")
  now += 99
  expect(await by("One")).toBe("cache")
  now += 1
  expect(await by("One")).toBe("model")
  const off = bench({ store, cache: false })
  off.writes({}, PROCESS)
  const { origin } = await off.ask({ action: "One", data: { orderId: "a" } })
  expect(origin).toMatchObject({ by: "model", attempts: 1 })
  expect(origin).not.toHaveProperty("cache")
})

test("plans are kept over a restart, and none of their records has a value that was lifted", async () => {
  const store = new MemoryStore()
  const first = bench({ store })
  first.writes({ orderId: "secret-17" }, PROCESS)
  await first.ask({ action: "Process order secret-17" })
  const page = await store.records("plan-cache").list(Namespace.of("plans"), { below: true })
  expect(page.items.length).toBe(2)
  expect(JSON.stringify(page.items)).not.toContain("secret")
  const second = bench({ store })
  expect((await second.ask({ action: "Process order public-1" })).plan.taskZero).toEqual({
    orderId: "public-1",
  })
})

test("over the whole engine: the next engine on the store has the plan, and an inspection says why", async () => {
  const store = new MemoryStore()
  const first = await new Bench(store, { cache: {} }).listen()
  await first.project()
  await first.service("first", ({ input }) => ({ text: String(input["text"]) }))
  first.plan = [{ id: "task1", service: "first", input: { text: "o-17" } }]
  const made = await first.create({}, { action: { content: "Bring o-17" } })
  expect(await first.ended(made.body.id)).toMatchObject({
    results: [{ text: "o-17" }],
    planning: { by: "model", cache: { kept: true, like: "Bring {text}" } },
  })
  await first.close()
  const second = new Bench(store, { cache: {} })
  second.plan = "No model is asked."
  await second.listen()
  try {
    second.key = first.key
    for (const [name, id] of first.ids) second.ids.set(name, id)
    await second.connect("first", ({ input }) => ({ text: String(input["text"]) }))
    const { body } = await second.create({}, { action: { content: "Bring p-18" } })
    expect(await second.ended(body.id)).toMatchObject({
      results: [{ text: "p-18" }],
      planning: { by: "cache", how: "structure", like: "Bring {text}", lifted: { text: "p-18" } },
    })
  } finally {
    await second.close()
  }
})

test("a cache whose records cannot be used is none, and that is told", async () => {
  const errors: unknown[] = []
  const store = new MemoryStore()
  const records = store.records.bind(store)
  store.records = (collection) => {
    if (collection !== "plan-cache") return records(collection)
    const fails = () => Promise.reject(new StoreError("store_full", "The disk is full."))
    return { get: fails, put: fails, write: fails, delete: fails, list: fails }
  }
  const { writes, ask } = bench({ store, onError: (error) => errors.push(error) })
  writes({ orderId: "1" }, PROCESS)
  expect((await ask({ action: "Process order 1" })).origin.by).toBe("model")
  expect(errors).toHaveLength(2)
})

test("property: no value of a request is in the plan of another, whatever the model makes of it", async () => {
  // Values that no schema, word or id has.
  const value = (mark: string) =>
    fc.oneof(
      fc.integer({ min: 100, max: 999 }).map((number) => `${mark}${number}`),
      fc.integer({ min: 100, max: 999 }).map((number) => `${mark}-${number}x`),
      fc.constant(`${mark}word`),
    )
  const where = fc.constantFrom("text", "data", "both")
  /** What a model does with a value: right, and in every way that could hide it. */
  const habit = fc.constantFrom("right", "name", "id", "nested", "constant", "unused", "path", "list")
  await fc.assert(
    fc.asyncProperty(
      value("qq"),
      value("zz"),
      where,
      habit,
      fc.boolean(),
      async (one, two, place, way, means) => {
        const { answers, ask } = bench(means ? { embedder } : {})
        const request = (each: string): Asked => ({
          action: place === "data" ? "Process order now" : `Process order ${each} now`,
          data: place === "text" ? {} : { order: each },
        })
        let current = one
        answers((asked) => {
          if (asked.includes("Statements:")) return verdict(true)
          const field = way === "name" ? `order_${current}` : place === "text" ? "orderId" : "order"
          const taskZero: JsonObject =
            way === "list"
              ? { [field]: [current] }
              : { [field]: current, ...(way === "unused" && { note: current }) }
          const id = way === "id" ? `task-${current}` : "task1"
          const orderId =
            way === "constant"
              ? current
              : way === "list" && place === "text"
                ? `$task0.${field}[0]`
                : `$task0.${field}`
          const tasks: PlanTask[] = [{ id, service: "s_orders", input: { orderId } }]
          if (way === "nested")
            tasks.push({ id: "task2", service: "s_mail", input: { to: current, about: `$${id}.done` } })
          if (way === "path")
            tasks.push({
              id: "task2",
              service: "s_mail",
              input: { to: `$${id}.lines[${/\d+/.exec(current)?.[0] ?? 0}].sku` },
            })
          return JSON.stringify({ tasks: [{ id: "task0", input: taskZero }, ...tasks] })
        })
        await ask(request(one))
        current = two
        const { plan } = await ask(request(two))
        const made = JSON.stringify(plan)
        expect(made).not.toContain(one)
        expect(made).not.toContain("qq")
        expect(made).toContain(two)
        const index = /\d+/.exec(one)?.[0]
        if (way === "path" && index !== undefined && !two.includes(index))
          expect(made).not.toContain(`[${index}]`)
      },
    ),
    { numRuns: process.env["ORRA_TEST_FULL"] ? 3_000 : 40 },
  )
})
