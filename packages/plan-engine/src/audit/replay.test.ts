import { type Json, type JsonObject, MemoryStore, Namespace } from "@orra/core"
import { afterEach, describe, expect, test } from "vitest"
import { Bench } from "../engine-fixture.ts"
import { Orchestrations } from "../execution/orchestration.ts"
import { ORDER, SHOP } from "../fixture.ts"
import { type Plan, RecordedLog, type RunEntry, replay, runPlan, type TaskOutcome } from "../index.ts"

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end()
})

const OUTPUTS: Readonly<Record<string, Json>> = {
  s_customer: { name: "Ada", address: { street: "Long Lane", zip: "1" } },
  s_inventory: { reserved: true, items: [{ id: "i-1", price: 5 }] },
  s_delivery: { day: "2026-12-01", cost: 3 },
}
const QUICK = { attempts: 2, delayMs: 1, maxDelayMs: 1 }
const id = "o_1"

/** What a run writes, and what came of it. */
async function ran(last: TaskOutcome, cancel?: AbortSignal) {
  const log = new RecordedLog(new MemoryStore().records("runs"), Namespace.of("plans", id))
  const result = await runPlan({
    id,
    plan: ORDER,
    services: SHOP,
    log,
    call: async ({ task, service }) =>
      task === "task3"
        ? last
        : { type: "done", output: OUTPUTS[service.id] ?? null, undo: { data: 1, ttlMs: 60_000 } },
    undo: async ({ task }) =>
      task === "task1" ? { status: "failed", error: "No." } : { status: "completed" },
    retry: QUICK,
    undoRetry: QUICK,
    ...(cancel && { cancel }),
  })
  return { result, entries: await log.read() }
}
const DONE: TaskOutcome = { type: "done", output: OUTPUTS["s_delivery"] ?? null }

describe("a log that is replayed", () => {
  test.each([
    ["completed", DONE],
    ["failed", { type: "failed", error: "No car." }],
    ["aborted", { type: "aborted", payload: "no" }],
  ] as const)("comes to what the run came to: %s", async (status, last) => {
    const { result, entries } = await ran(last)
    expect(result.status).toBe(status)
    const end = { status, ...(result.status === "completed" && { results: result.results }) }
    expect(replay(entries, ORDER, { id, end })).toEqual({ result, differences: [] })
    for (const wrong of [
      { ...end, status: "cancelled" },
      { ...end, results: { task3: 1 } },
    ])
      expect(replay(entries, ORDER, { id, end: wrong }).differences).toMatchObject([
        { entry: entries.length, code: "end" },
      ])
    for (let count = 0; count < entries.length; count++)
      expect(replay(entries.slice(0, count), ORDER, { id })).toEqual({ result: undefined, differences: [] })
  })

  test("comes to what was cancelled", async () => {
    const { result, entries } = await ran(DONE, AbortSignal.abort())
    expect(replay(entries, ORDER, { id })).toEqual({ result, differences: [] })
  })

  /** The differences of a log in which one entry is another. */
  const differences = (
    entries: readonly RunEntry[],
    type: RunEntry["type"],
    change: (entry: RunEntry & JsonObject) => object | undefined,
    plan: Plan = ORDER,
  ) => {
    const at = entries.findLastIndex((entry) => entry.type === type)
    const changed = change(entries[at] as RunEntry & JsonObject)
    const all = entries.toSpliced(at, 1, ...(changed ? [changed as RunEntry] : []))
    return replay(all, plan, { id }).differences.map(({ code }) => code)
  }

  test("says what does not follow", async () => {
    const { entries } = await ran(DONE)
    const wrong = (type: RunEntry["type"], change: Parameters<typeof differences>[2]) =>
      differences(entries, type, change)[0]
    expect(wrong("task_sent", (entry) => ({ ...entry, input: { address: 1 } }))).toBe("input")
    expect(wrong("task_sent", (entry) => ({ ...entry, attempt: 2 }))).toBe("attempt")
    expect(wrong("task_sent", (entry) => ({ ...entry, key: "k" }))).toBe("key")
    expect(wrong("task_sent", (entry) => ({ ...entry, task: "task9" }))).toBe("task_unknown")
    expect(wrong("task_sent", () => undefined)).toBe("not_sent")
    expect(wrong("task_done", (entry) => ({ ...entry, task: "task1" }))).toBe("done_twice")
    expect(wrong("task_done", () => undefined)).toBe("end")
    expect(wrong("finished", (entry) => ({ ...entry, status: "failed" }))).toBe("end")
    const done = entries.findIndex((entry) => entry.type === "task_done")
    expect(replay(entries.toSpliced(done, 1), ORDER).differences[0]?.code).toBe("too_early")
    expect(replay(entries, ORDER, { id: "o_2" }).differences[0]?.code).toBe("key")
  })

  test("says what does not follow of an end and of what was undone", async () => {
    const { entries } = await ran({ type: "failed", error: "No car." })
    const wrong = (type: RunEntry["type"], change: Parameters<typeof differences>[2]) =>
      differences(entries, type, change)[0]
    const halt = { reason: "failed", task: "task3", error: "Another." }
    expect(wrong("halted", (entry) => ({ ...entry, halt }))).toBe("halt")
    expect(
      wrong("halted", (entry) => ({ ...entry, halt: { reason: "aborted", task: "task1", payload: 1 } })),
    ).toBe("halt")
    expect(wrong("undo_sent", (entry) => ({ ...entry, key: "k" }))).toBe("key")
    expect(wrong("undone", (entry) => ({ ...entry, task: "task3" }))).toBe("undo")
    expect(wrong("undone", (entry) => ({ ...entry, outcome: { status: "expired" } }))).toBe("undo")
    expect(wrong("undone", () => undefined)).toBe("end")
  })
})

test("what was undone too early, and what was begun after the end, is said", () => {
  const task = (number: number, input: JsonObject) => ({ id: `task${number}`, service: "s_x", input })
  const plan: Plan = {
    taskZero: {},
    tasks: [task(1, {}), task(2, { x: "$task1.x" }), task(3, { x: "$task2.x" }), task(4, {})],
  }
  const undo = { data: 1, ttlMs: 1_000 }
  const sent = (number: number, input: JsonObject): RunEntry => ({
    type: "task_sent",
    task: `task${number}`,
    attempt: 1,
    key: `k${number}`,
    input,
    at: 1,
  })
  const undone = (task: string): RunEntry => ({
    type: "undone",
    task,
    outcome: { status: "completed" },
    at: 4,
  })
  const begin: readonly RunEntry[] = [
    sent(1, {}),
    { type: "task_done", task: "task1", output: { x: 1 }, undo, at: 2 },
    sent(2, { x: 1 }),
    { type: "task_done", task: "task2", output: { x: 2 }, undo, at: 2 },
    sent(3, { x: 2 }),
    { type: "task_failed", task: "task3", attempt: 1, error: "No.", isLast: true, at: 3 },
    { type: "halted", halt: { reason: "failed", task: "task3", error: "No." }, at: 3 },
  ]
  const end: RunEntry = { type: "finished", status: "failed", at: 5 }
  const codes = (...rest: readonly RunEntry[]) =>
    replay([...begin, ...rest, end], plan).differences.map(({ entry, code }) => [entry, code])
  expect(codes(undone("task2"), undone("task1"))).toEqual([])
  expect(codes(undone("task1"), undone("task2"))).toEqual([[7, "undo"]])
  expect(codes(sent(4, {}), undone("task2"), undone("task1"))).toEqual([[7, "after_halt"]])
})

test("a run is replayed from what the API gives, and the API says what was changed behind its back", async () => {
  const shop = await new Bench().listen()
  ends.push(() => shop.close())
  const { id: project } = await shop.project()
  const first = await shop.service("first", () => ({ text: "b" }), { revertible: true })
  first.onRevert = () => undefined
  await shop.service("second", ({ abort }) => abort("no"))
  shop.plan = [
    { id: "task1", service: "first", input: { text: "$task0.text" } },
    { id: "task2", service: "second", input: { text: "$task1.text" } },
  ]
  const { body } = await shop.create()
  await shop.ended(body.id)
  const log = await shop.ask<{ plan: Plan; entries: readonly RunEntry[] }>(
    "GET",
    `/orchestrations/${body.id}/log`,
  )
  const { result, differences } = replay(log.body.entries, log.body.plan, { id: body.id })
  expect(result).toMatchObject({
    status: "aborted",
    task: "task2",
    undone: { task1: { status: "completed" } },
  })
  expect(differences).toEqual([])
  const verify = async () => (await shop.ask("GET", `/orchestrations/${body.id}/log?verify`)).body
  const entries = log.body.entries.length
  expect(await verify()).toMatchObject({ isWhole: true, entries, differences: [] })
  const orchestrations = new Orchestrations(shop.store, Namespace.of("plan-engine"))
  await orchestrations.update(project, body.id, (each) => ({ ...each, status: "completed" }))
  expect(await verify()).toMatchObject({ isWhole: true, differences: [{ entry: entries, code: "end" }] })
  const records = shop.store.records("plan-runs")
  const place = Namespace.of("plan-engine", project, body.id)
  const kept = await records.get(place, "000000000001")
  await records.put(place, "000000000001", { ...(kept?.value as JsonObject), hash: "0".repeat(64) })
  expect(await verify()).toMatchObject({ isWhole: false, brokenAt: 1 })
})
