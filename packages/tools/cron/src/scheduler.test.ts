import { callTool, MemoryStore, Namespace, Runtime } from "@orra/core"
import { call, fail, hang, scriptedProvider, virtualClock, wait } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { ada, bob, DAY, every, HOUR, household, MINUTE, onClock, SECOND, world } from "./fixture.ts"
import { Scheduler } from "./scheduler.ts"

const START = Date.UTC(2026, 0, 1)
test("a job runs at its times, in a session of its own each time, and its end is logged and told", async () => {
  const provider = scriptedProvider(["It is cold.", "It is warm."])
  const { scheduler, runtime, told, pass } = world({ provider })
  const job = await scheduler.create(
    ada,
    {
      name: "weather",
      schedule: { type: "cron", expression: "30 7 * * *", timezone: "Europe/Oslo" },
      payload: { type: "agent_turn", prompt: "What should I wear?" },
      model: "small",
    },
    { principal: "ada" },
  )
  expect(job).toMatchObject({ status: "active", nextRun: START + 6.5 * HOUR, runCount: 0, principal: "ada" })
  await pass(6.5 * HOUR - 1)
  expect(provider.requests).toHaveLength(0)
  await pass(1)
  await pass(DAY)
  expect(provider.requests.map(({ model }) => model)).toEqual(["small", "small"])
  const { items } = await scheduler.runs(ada, job.id)
  expect(items).toMatchObject([
    {
      due: START + DAY + 6.5 * HOUR,
      outcome: "completed",
      text: "It is warm.",
      delivery: { state: "delivered" },
    },
    { due: START + 6.5 * HOUR, outcome: "completed", text: "It is cold.", delivery: { state: "delivered" } },
  ])
  expect(told.map(({ text, type }) => [type, text])).toEqual([
    ["finished", "It is cold."],
    ["finished", "It is warm."],
  ])
  expect(await scheduler.get(ada, job.id)).toMatchObject({
    runCount: 2,
    running: 0,
    lastRun: START + DAY + 6.5 * HOUR,
  })
  const sessions = (await runtime.list(ada)).items.map(({ namespace }) => namespace.key)
  expect(sessions.sort()).toEqual(items.map(({ session }) => session).sort())
  const [started] = await runtime.store.read(Namespace.parse(sessions[0] ?? ""), { types: ["run_started"] })
  expect(started).toMatchObject({ principal: "ada", envelope: { depth: 1 } })
  const [message] = await runtime.store.read(Namespace.parse(sessions[0] ?? ""), { types: ["user"] })
  expect(message).toMatchObject({ message: { origin: { kind: "schedule", name: "weather" } } })
})

test("`at` fires once and is over, `every` keeps its beat", async () => {
  const { scheduler, pass, clock } = world()
  const once = await scheduler.create(ada, {
    ...every(MINUTE),
    schedule: { type: "at", datetime: "2026-01-01T00:10:00Z" },
  })
  const beat = await scheduler.create(ada, every(7 * MINUTE))
  await pass(30 * MINUTE, MINUTE)
  expect(await scheduler.get(ada, once.id)).toMatchObject({ status: "completed", runCount: 1 })
  expect((await scheduler.get(ada, once.id))?.nextRun).toBeUndefined()
  const { items } = await scheduler.runs(ada, beat.id)
  expect(items.map(({ due }) => (due - START) / MINUTE)).toEqual([28, 21, 14, 7])
  expect(clock.now()).toBe(START + 30 * MINUTE)
})

test("F9: a system event is put into the session, and no model is asked", async () => {
  const provider = scriptedProvider([])
  const { scheduler, runtime, told, pass } = world({ provider })
  await scheduler.create(ada, {
    name: "plants",
    schedule: { type: "at", datetime: "2026-01-01T09:00:00Z" },
    payload: { type: "system_event", message: "Water the plants." },
  })
  await pass(9 * HOUR)
  expect(provider.requests).toHaveLength(0)
  expect(await runtime.store.read(ada)).toMatchObject([
    { type: "user", message: { origin: { kind: "schedule", name: "plants" } } },
  ])
  expect(told).toMatchObject([{ type: "finished", text: "Water the plants.", session: ada.key }])
})

test("a system event waits until the session is free", async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { scheduler, runtime, told, pass } = world({ provider: scriptedProvider([wait(promise)]) })
  const job = await scheduler.create(ada, {
    name: "plants",
    schedule: { type: "at", datetime: "2026-01-01T09:00:00Z" },
    payload: { type: "system_event", message: "Water the plants." },
  })
  const running = runtime.run(ada, "Think.")
  await expect.poll(() => runtime.isRunning(ada)).toBe(true)
  await pass(9 * HOUR)
  expect(await scheduler.get(ada, job.id)).toMatchObject({ running: 1 })
  resolve()
  await running
  await pass(MINUTE, 5 * SECOND)
  expect(told).toHaveLength(1)
  expect(await scheduler.get(ada, job.id)).toMatchObject({ running: 0, status: "completed" })
})

test("a light job is one call of the cheaper model, without tools", async () => {
  const provider = scriptedProvider(["Short.", call("note"), "Long."])
  const { scheduler, used, pass } = world({ provider, lightModel: "cheap" })
  await scheduler.create(ada, { ...every(HOUR), lightweight: true })
  await pass(HOUR)
  expect(provider.requests[0]).toMatchObject({ model: "cheap", tools: [] })
  const job = await scheduler.create(ada, every(HOUR))
  await scheduler.runNow(ada, job.id)
  await scheduler.idle()
  expect(provider.requests[1]?.tools.map(({ name }) => name)).toEqual(["note"])
  expect(used).toHaveLength(1)
})

test("the number of model calls is held, and three failures of one kind pause the job and say so", async () => {
  const provider = scriptedProvider([], { otherwise: call("note") })
  const { scheduler, told, used, pass } = world({ provider })
  const job = await scheduler.create(ada, { ...every(HOUR), maxTurns: 2, delivery: "silent" })
  await pass(10 * HOUR, HOUR)
  expect(used).toHaveLength(6)
  expect(await scheduler.get(ada, job.id)).toMatchObject({
    status: "paused",
    runCount: 3,
    pausedBecause: { code: "max_turns" },
  })
  expect(told).toMatchObject([{ type: "paused", job: { name: "tick" }, error: { code: "max_turns" } }])
  expect(await scheduler.resume(ada, job.id)).toMatchObject({ status: "active", nextRun: START + 11 * HOUR })
  expect((await scheduler.get(ada, job.id))?.pausedBecause).toBeUndefined()
})

test("failures that differ, or are not one after the other, do not pause a job", async () => {
  const provider = scriptedProvider([
    fail("auth"),
    fail("auth"),
    "Well.",
    fail("auth"),
    fail("auth"),
    fail("invalid_request"),
    fail("auth"),
  ])
  const { scheduler, told, pass } = world({ provider })
  const job = await scheduler.create(ada, every(HOUR))
  await pass(7 * HOUR, HOUR)
  expect(provider.requests).toHaveLength(7)
  expect(await scheduler.get(ada, job.id)).toMatchObject({ status: "active", runCount: 7 })
  expect(told.map(({ outcome }) => outcome)).toEqual([
    "failed",
    "failed",
    "completed",
    ...Array<string>(4).fill("failed"),
  ])
})

test("D3: what takes too long is stopped, and is a failure; what a person stops is none", async () => {
  const { scheduler, pass } = world({ provider: scriptedProvider([], { otherwise: hang() }), runMs: 20 })
  const { id } = await scheduler.create(ada, every(HOUR))
  await pass(3 * HOUR, HOUR)
  expect(await scheduler.get(ada, id)).toMatchObject({
    status: "paused",
    pausedBecause: { code: "deadline_exceeded" },
  })
  const other = world({ provider: scriptedProvider([], { otherwise: hang() }) })
  const stopped = await other.scheduler.create(ada, every(HOUR))
  for (let count = 0; count < 3; count++) {
    other.clock.advance(HOUR)
    await other.scheduler.tick()
    const session = ada.child("~cron", stopped.id, String(other.clock.now()))
    await expect.poll(() => other.runtime.isRunning(session)).toBe(true)
    await other.runtime.stop(session)
    await other.scheduler.idle()
  }
  expect(await other.scheduler.get(ada, stopped.id)).toMatchObject({ status: "active", runCount: 3 })
})

describe("what nobody was there for", () => {
  test.each([
    ["once", [1, 12]],
    ["all", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]],
    ["skip", [12]],
  ] as const)("with %s", async (missed, hours) => {
    const { scheduler, pass } = world()
    const job = await scheduler.create(ada, { ...every(HOUR), missed })
    await pass(11.5 * HOUR)
    await pass(HOUR / 2)
    await pass(30 * SECOND, SECOND)
    const { items } = await scheduler.runs(ada, job.id)
    const done = items.filter(({ outcome }) => outcome === "completed")
    expect(done.map(({ due }) => (due - START) / HOUR).reverse()).toEqual(hours)
    expect(items.length - done.length).toBe(missed === "skip" ? 1 : 0)
  })

  test("with all, but not what is too old", async () => {
    const { scheduler, pass } = world({ catchUpMs: 3 * HOUR })
    const job = await scheduler.create(ada, { ...every(HOUR), missed: "all" })
    await pass(10.5 * HOUR)
    await pass(MINUTE, SECOND * 10)
    const { items } = await scheduler.runs(ada, job.id)
    expect(items.map(({ due }) => (due - START) / HOUR).reverse()).toEqual([1, 8, 9, 10])
  })
})

test("a job rests between two firings, and none is lost for it", async () => {
  const { scheduler, pass } = world()
  const job = await scheduler.create(ada, { ...every(MINUTE), cooldownSecs: 150, missed: "all" })
  await pass(10 * MINUTE, 10 * SECOND)
  const { items } = await scheduler.runs(ada, job.id)
  expect(items.map(({ startedAt }) => (startedAt - START) / SECOND).reverse()).toEqual([60, 210, 360, 510])
  expect(items.map(({ due }) => (due - START) / MINUTE).reverse()).toEqual([1, 2, 3, 4])
})

test("jitter delays a firing by the same time in every process, and by no more than was said", async () => {
  const { scheduler, pass } = world()
  const jobs = await Promise.all(
    Array.from({ length: 20 }, () => scheduler.create(ada, { ...every(HOUR), jitterMs: 10 * MINUTE })),
  )
  await pass(3 * HOUR, 30 * SECOND)
  const late: number[] = []
  for (const { id } of jobs) {
    const { items } = await scheduler.runs(ada, id)
    expect(items.length).toBeGreaterThanOrEqual(2)
    for (const { due, startedAt } of items) late.push(startedAt - due)
  }
  expect(Math.max(...late)).toBeLessThanOrEqual(10 * MINUTE + 30 * SECOND)
  expect(new Set(late).size).toBeGreaterThan(5)
})

test("D3: as many firings go on as may, of a job and of a process; the others wait their turn", async () => {
  let going = 0
  let most = 0
  const gates: (() => void)[] = []
  const provider = scriptedProvider([], {
    otherwise: async () => {
      most = Math.max(most, ++going)
      await new Promise<void>((resolve) => gates.push(resolve))
      going--
      return "Done."
    },
  })
  const { scheduler, clock } = world({ provider, maxRunning: 3 })
  const job = await scheduler.create(ada, { ...every(MINUTE), maxConcurrent: 2, missed: "all" })
  clock.advance(5 * MINUTE)
  await scheduler.tick()
  await expect.poll(() => going).toBe(2)
  expect(await scheduler.get(ada, job.id)).toMatchObject({ running: 2, runCount: 2 })
  await Promise.all(Array.from({ length: 5 }, () => scheduler.create(bob, every(MINUTE))))
  clock.advance(MINUTE)
  await scheduler.tick()
  await expect.poll(() => going).toBe(3)
  const opening = setInterval(() => {
    for (const open of gates.splice(0)) open()
  }, 1)
  for (let round = 0; round < 10; round++) {
    await scheduler.idle()
    clock.advance(10 * SECOND)
    await scheduler.tick()
  }
  await scheduler.idle()
  clearInterval(opening)
  expect(most).toBe(3)
  expect((await scheduler.runs(ada, job.id)).items.length).toBeGreaterThanOrEqual(6)
})

test("D6: telling is tried again, and the log says how it stands", async () => {
  let isDown = true
  const told: string[] = []
  const { scheduler, clock, pass } = world({
    deliver: async ({ text }) => {
      if (isDown) throw new Error("The chat is down.")
      told.push(text)
    },
  })
  const job = await scheduler.create(ada, every(HOUR))
  await pass(HOUR)
  const delivery = async () => (await scheduler.runs(ada, job.id)).items[0]
  expect(await delivery()).toMatchObject({
    outcome: "completed",
    delivery: { state: "failed", attempts: 1, error: "The chat is down." },
  })
  isDown = false
  clock.advance(MINUTE)
  await scheduler.deliver()
  expect(await delivery()).toMatchObject({
    outcome: "completed",
    delivery: { state: "delivered", attempts: 2 },
  })
  expect(told).toEqual(["Done."])
})

test("`run` does all of it by itself, and ends with its signal", async () => {
  const store = new MemoryStore()
  const { scheduler, told } = world({ store, clock: virtualClock(Date.now()) })
  const controller = new AbortController()
  const running = scheduler.run({ signal: controller.signal })
  const job = await scheduler.create(ada, { ...every(1_000), missed: "all" })
  await expect.poll(() => told.length).toBeGreaterThanOrEqual(2)
  controller.abort()
  await running
  await scheduler.idle()
  expect((await scheduler.get(ada, job.id))?.runCount).toBeGreaterThanOrEqual(2)
})

test("another process hears of jobs that are made, and of those that are due sooner", async () => {
  const clock = virtualClock()
  const store = onClock(new MemoryStore({ now: clock.now }), clock)
  const front = world({ clock, store })
  const worker = world({ clock, store })
  await worker.pass(SECOND)
  const job = await front.scheduler.create(ada, every(DAY))
  await worker.pass(SECOND)
  await front.scheduler.update(ada, job.id, { schedule: { type: "every", interval_ms: HOUR } })
  await worker.pass(HOUR, MINUTE)
  expect((await worker.scheduler.runs(ada, job.id)).items).toHaveLength(1)
  await worker.pass(30 * HOUR, MINUTE)
  expect((await store.records("cron-changes").list(household, { below: true })).items).toEqual([])
})

test("where clocks change, a job is done once a day", async () => {
  const { scheduler, pass } = world({ clock: virtualClock(Date.parse("2026-03-07T00:00:00Z")) })
  const schedule = { type: "cron", expression: "30 2 * * *", timezone: "America/New_York" } as const
  const spring = await scheduler.create(ada, { ...every(HOUR), schedule })
  await pass(3 * DAY, HOUR / 2)
  const due = async (id: string) =>
    (await scheduler.runs(ada, id)).items.map((run) => new Date(run.due).toISOString()).reverse()
  expect(await due(spring.id)).toEqual([
    "2026-03-07T07:30:00.000Z",
    "2026-03-08T07:00:00.000Z",
    "2026-03-09T06:30:00.000Z",
  ])
  await scheduler.pause(ada, spring.id)
  await pass(Date.parse("2026-10-31T00:00:00Z") - Date.parse("2026-03-10T00:00:00Z"))
  const twice = { ...schedule, expression: "30 1 * * *" }
  const autumn = await scheduler.create(ada, { ...every(HOUR), schedule: twice })
  await pass(3 * DAY, HOUR / 2)
  expect(await due(autumn.id)).toEqual([
    "2026-10-31T05:30:00.000Z",
    "2026-11-01T05:30:00.000Z",
    "2026-11-02T06:30:00.000Z",
  ])
})

test("a runtime that would not hold jobs to their rights gets no scheduler", async () => {
  const runtime = new Runtime({ provider: scriptedProvider([]) })
  expect(() => new Scheduler(runtime, { prefix: household })).toThrow(/rights/)
  const widening = new Runtime({ provider: scriptedProvider([]), rights: (_, policies) => policies })
  expect(() => new Scheduler(widening, { prefix: household })).toThrow(/rights/)
  expect((await callTool(runtime, ada, "note", {})).status).toBe("denied")
})
