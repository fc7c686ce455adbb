import type { Json } from "@orra/core"
import { describe, expect, test } from "vitest"
import { ORDER, SHOP } from "../fixture.ts"
import {
  type Plan,
  type RunEntry,
  type RunLog,
  runPlan,
  type TaskCall,
  type TaskOutcome,
  type UndoCall,
  type UndoOutcome,
} from "../index.ts"

const OUTPUTS: Readonly<Record<string, Json>> = {
  s_customer: { name: "Ada", address: { street: "Long Lane", zip: "1" } },
  s_inventory: { reserved: true, items: [{ id: "i-1", price: 5 }] },
  s_delivery: { day: "2026-12-01", cost: 3 },
}
const QUICK = { delayMs: 1, maxDelayMs: 1 }

class Killed extends Error {}

/** A log in memory that dies at one of its writes: before it is written, or after. */
class TestLog implements RunLog {
  readonly entries: RunEntry[] = []
  writes = 0
  killAt = Number.POSITIVE_INFINITY
  isLost = false

  async read(): Promise<readonly RunEntry[]> {
    return [...this.entries]
  }

  async append(entry: RunEntry): Promise<void> {
    await Promise.resolve()
    this.writes++
    if (this.writes > this.killAt || (this.writes === this.killAt && this.isLost)) throw new Killed()
    this.entries.push(structuredClone(entry))
    if (this.writes === this.killAt) throw new Killed()
  }
}

/** Services that do a thing once for each key, as those of the original do, and can undo it. */
class Shop {
  /** What was done, by key; undone things are not in it. */
  readonly effects = new Map<string, string>()
  readonly calls: TaskCall[] = []
  readonly undos: UndoCall[] = []
  answer: (call: TaskCall) => TaskOutcome | Promise<TaskOutcome> = ({ service }) => ({
    type: "done",
    output: OUTPUTS[service.id] ?? null,
    undo: { data: { of: service.id }, ttlMs: 60_000 },
  })
  answerUndo: (call: UndoCall) => UndoOutcome | Promise<UndoOutcome> = () => ({ status: "completed" })

  readonly call = async (call: TaskCall): Promise<TaskOutcome> => {
    this.calls.push(call)
    const outcome = await this.answer(call)
    if (outcome.type === "done") this.effects.set(call.idempotencyKey, call.task)
    return outcome
  }

  readonly undo = async (call: UndoCall): Promise<UndoOutcome> => {
    this.undos.push(call)
    const outcome = await this.answerUndo(call)
    if (outcome.status === "completed")
      for (const [key, task] of this.effects) if (task === call.task) this.effects.delete(key)
    return outcome
  }
}

const run = (shop: Shop, log: RunLog = new TestLog(), more: Partial<Parameters<typeof runPlan>[0]> = {}) =>
  runPlan({
    id: "o_1",
    plan: ORDER,
    services: SHOP,
    log,
    call: shop.call,
    undo: shop.undo,
    retry: QUICK,
    undoRetry: QUICK,
    ...more,
  })

const failing = (task: string, outcome: TaskOutcome) => (shop: Shop) => {
  const { answer } = shop
  shop.answer = (call) => (call.task === task ? outcome : answer(call))
  return shop
}
const FAILED = { type: "failed", error: "No car." } as const

describe("a plan", () => {
  test("is carried out: each task gets what others gave, and what no other needs comes of it", async () => {
    const shop = new Shop()
    expect(await run(shop)).toEqual({ status: "completed", results: { task3: OUTPUTS["s_delivery"] } })
    expect(shop.calls.map(({ task, input }) => [task, input])).toEqual([
      ["task1", { customerId: "c-1" }],
      ["task2", { product: "lamp" }],
      ["task3", { address: { street: "Long Lane", zip: "1" }, item: "i-1" }],
    ])
  })

  test("W-R1: every task that no other needs gives a result", async () => {
    const plan: Plan = {
      taskZero: {},
      tasks: Array.from({ length: 11 }, (_, index) => ({
        id: `task${index + 1}`,
        service: "s_customer",
        input: { customerId: "c" },
      })),
    }
    const result = await run(new Shop(), new TestLog(), { plan })
    expect(Object.keys(result.status === "completed" ? result.results : {})).toHaveLength(11)
  })

  test("has in its log what tasks tell before they are done", async () => {
    const shop = new Shop()
    const { answer } = shop
    shop.answer = (call) => {
      call.progress({ of: call.task })
      return answer(call)
    }
    const log = new TestLog()
    await run(shop, log, { timeoutMs: Number.POSITIVE_INFINITY })
    const types = log.entries
      .filter((entry) => "task" in entry && entry.task === "task3")
      .map(({ type }) => type)
    expect(types).toEqual(["task_sent", "task_progress", "task_done"])
  })

  test("is not tried again when its service says that it would be of no use", async () => {
    const shop = failing("task1", { ...FAILED, isFinal: true })(new Shop())
    expect(await run(shop)).toMatchObject({ status: "failed", task: "task1" })
    expect(shop.calls.filter(({ task }) => task === "task1")).toHaveLength(1)
  })

  test("begins what needs nothing at the same time", async () => {
    const shop = new Shop()
    const both = Promise.withResolvers<void>()
    const { answer } = shop
    shop.answer = async (call) => {
      if (shop.calls.length === 2) both.resolve()
      if (call.task !== "task3") await both.promise
      return answer(call)
    }
    expect(await run(shop)).toMatchObject({ status: "completed" })
  })

  test("tries again with the same key, and gives up after so many attempts", async () => {
    const shop = new Shop()
    const { answer } = shop
    shop.answer = (call) => (call.attempt < 3 ? FAILED : answer(call))
    expect(await run(shop)).toMatchObject({ status: "completed" })
    const ofFirst = shop.calls.filter(({ task }) => task === "task1")
    expect(ofFirst.map(({ attempt }) => attempt)).toEqual([1, 2, 3])
    expect(new Set(ofFirst.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1)

    const never = failing("task1", FAILED)(new Shop())
    expect(await run(never, new TestLog(), { retry: { ...QUICK, attempts: 2 } })).toMatchObject({
      status: "failed",
      task: "task1",
      error: "No car.",
    })
    expect(never.calls.filter(({ task }) => task === "task1")).toHaveLength(2)
  })

  test("does not wait for ever, and says so", async () => {
    const shop = new Shop()
    shop.answer = () => new Promise(() => {})
    const result = await run(shop, new TestLog(), { timeoutMs: 20, retry: { ...QUICK, attempts: 1 } })
    expect(result).toMatchObject({ status: "failed", error: "There was no answer within 20 ms." })
  })

  test("sends nothing that does not fit, once it is known", async () => {
    const shop = new Shop()
    const { answer } = shop
    shop.answer = (call) =>
      call.task === "task2" ? { type: "done", output: { reserved: true, items: [] } } : answer(call)
    expect(await run(shop)).toMatchObject({
      status: "failed",
      task: "task3",
      error: expect.stringContaining("$task2.items[0].id"),
    })
    expect(shop.calls.some(({ task }) => task === "task3")).toBe(false)
  })

  test("that was not proved is refused", async () => {
    const tasks = [{ id: "task1", service: "s_customer", input: { customerId: "$task1.name" } }]
    await expect(run(new Shop(), new TestLog(), { plan: { taskZero: {}, tasks } })).rejects.toThrow(
      "was not proved",
    )
  })
})

describe("a plan that does not come to its end", () => {
  test("is undone, each task after those that needed it", async () => {
    const plan: Plan = {
      ...ORDER,
      tasks: [...ORDER.tasks, { id: "task4", service: "s_customer", input: { customerId: "$task3.day" } }],
    }
    const shop = failing("task4", FAILED)(new Shop())
    const result = await run(shop, new TestLog(), { plan, retry: { ...QUICK, attempts: 1 } })
    expect(result).toMatchObject({ status: "failed", task: "task4" })
    expect(shop.undos[0]?.task).toBe("task3")
    expect(shop.undos.map(({ task }) => task).toSorted()).toEqual(["task1", "task2", "task3"])
    expect(shop.undos[0]?.data).toEqual({ of: "s_delivery" })
    expect(shop.effects.size).toBe(0)
  })

  test("W-C2: what was under way is waited for, and undone as well", async () => {
    const slow = Promise.withResolvers<void>()
    const shop = new Shop()
    const { answer } = shop
    shop.answer = async (call) => {
      if (call.task === "task1") return { type: "aborted", payload: { why: "unknown customer" } }
      await slow.promise
      return answer(call)
    }
    const running = run(shop, new TestLog(), { onEntry: ({ type }) => type === "halted" && slow.resolve() })
    expect(await running).toMatchObject({
      status: "aborted",
      task: "task1",
      payload: { why: "unknown customer" },
      undone: { task2: { status: "completed" } },
    })
    expect(shop.calls.some(({ task }) => task === "task3")).toBe(false)
    expect(shop.effects.size).toBe(0)
  })

  test("because it was cancelled begins nothing more, and is undone", async () => {
    const cancel = new AbortController()
    const shop = new Shop()
    const result = await run(shop, new TestLog(), {
      cancel: cancel.signal,
      onEntry: ({ type }) => type === "task_done" && cancel.abort(),
    })
    expect(result).toMatchObject({ status: "cancelled" })
    expect(shop.calls.some(({ task }) => task === "task3")).toBe(false)
    expect(shop.effects.size).toBe(0)
  })

  test("tries to undo as often as it may; what is left and what is too late is said", async () => {
    const shop = failing("task3", FAILED)(new Shop())
    shop.answerUndo = ({ task, attempt }) => {
      if (task === "task1") throw new Error("away")
      return attempt < 3
        ? { status: "failed", error: "not now" }
        : { status: "partial", completed: ["a"], remaining: ["b"] }
    }
    const once = { ...QUICK, attempts: 1 }
    expect(
      await run(shop, new TestLog(), { retry: once, undoRetry: { ...QUICK, attempts: 3 } }),
    ).toMatchObject({
      undone: { task1: { status: "failed", error: "away" }, task2: { status: "partial", remaining: ["b"] } },
    })
    let time = 0
    const late = failing("task3", FAILED)(new Shop())
    const result = await run(late, new TestLog(), { retry: once, now: () => (time += 30_000) })
    expect(result).toMatchObject({ undone: { task1: { status: "expired" } } })
    expect(late.undos.some(({ task }) => task === "task1")).toBe(false)
  })
})

describe("killed at any write of its log, before or after it is written, and run again", () => {
  const endings: readonly [string, (shop: Shop) => Shop, string][] = [
    ["to its end", (shop) => shop, "completed"],
    ["to a failure", failing("task3", FAILED), "failed"],
    ["to an abort", failing("task2", { type: "aborted", payload: null }), "aborted"],
  ]
  test.each(endings)(
    "it comes %s, and nothing is lost, or done under two keys",
    async (_, prepared, status) => {
      const whole = new TestLog()
      await run(prepared(new Shop()), whole)
      expect(whole.writes).toBeGreaterThan(5)
      for (let killAt = 1; killAt <= whole.writes; killAt++) {
        for (const isLost of [true, false]) {
          const shop = prepared(new Shop())
          const log = new TestLog()
          Object.assign(log, { killAt, isLost })
          await expect(run(shop, log)).rejects.toBeInstanceOf(Killed)
          log.killAt = Number.POSITIVE_INFINITY
          const result = await run(shop, log)
          const where = `killed at write ${killAt}, ${isLost ? "lost" : "written"}`
          expect(result.status, where).toBe(status)
          for (const task of ["task1", "task2", "task3"]) {
            const keys = new Set(
              shop.calls.filter((call) => call.task === task).map(({ idempotencyKey }) => idempotencyKey),
            )
            expect(keys.size, `${where}: keys of ${task}`).toBeLessThanOrEqual(1)
          }
          expect(shop.effects.size, where).toBe(status === "completed" ? 3 : 0)
          // A third time nothing is done at all.
          const calls = shop.calls.length + shop.undos.length
          expect((await run(shop, log)).status).toBe(status)
          expect(shop.calls.length + shop.undos.length).toBe(calls)
        }
      }
    },
  )
})

describe("what a process that died has left in the log", () => {
  const sent = (task: string): RunEntry => ({
    at: 0,
    type: "task_sent",
    task,
    attempt: 1,
    key: "",
    input: {},
  })
  const halted: RunEntry = { at: 0, type: "halted", halt: { reason: "cancelled" } }
  const after = async (entries: readonly RunEntry[], shop = new Shop()) => {
    const log = new TestLog()
    log.entries.push(...entries)
    const result = await run(shop, log)
    return { shop, result }
  }

  test("W-C3: what was sent before a halt is asked for, and undone when it was done", async () => {
    const { shop, result } = await after([sent("task1"), sent("task2"), halted])
    expect(shop.calls.map(({ task }) => task).toSorted()).toEqual(["task1", "task2"])
    expect(result).toMatchObject({ status: "cancelled", undone: { task1: {}, task2: {} } })
    expect(shop.effects.size).toBe(0)
  })

  test("and is not tried again when it fails: nobody needs it", async () => {
    const { shop } = await after([sent("task1"), halted], failing("task1", FAILED)(new Shop()))
    expect(shop.calls).toHaveLength(1)
  })

  test("what was undone is not undone again", async () => {
    const undo = { data: null, ttlMs: Number.MAX_SAFE_INTEGER }
    const done = (task: string): RunEntry => ({ at: Date.now(), type: "task_done", task, output: null, undo })
    const undone: RunEntry = { at: 0, type: "undone", task: "task1", outcome: { status: "completed" } }
    const { shop } = await after([sent("task1"), done("task1"), sent("task2"), done("task2"), halted, undone])
    expect(shop.undos.map(({ task }) => task)).toEqual(["task2"])
  })
})

test("a process that stops leaves the run as it is, and another goes on", async () => {
  const stop = new AbortController()
  const shop = new Shop()
  const { answer } = shop
  shop.answer = (call) =>
    call.task === "task3" && !stop.signal.aborted ? new Promise(() => {}) : answer(call)
  const log = new TestLog()
  const running = run(shop, log, {
    signal: stop.signal,
    onEntry: (entry) =>
      entry.type === "task_sent" && entry.task === "task3" && stop.abort(new Error("stopping")),
  })
  await expect(running).rejects.toThrow("stopping")
  expect(log.entries.some(({ type }) => type === "halted" || type === "finished")).toBe(false)
  expect(await run(shop, log)).toMatchObject({ status: "completed" })
})
