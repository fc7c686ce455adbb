import { mkdtemp, readdir, rm, utimes } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { MemoryStore, Namespace } from "@orra/core"
import { describe, expect, onTestFinished, test } from "vitest"
import { ACK_MS, engine, relayed, TEXT, type TestEngine } from "./fixture.ts"
import {
  fileServiceStore,
  initService,
  type OriginalTask,
  type PlanService,
  recordServiceStore,
  type ServiceOptions,
} from "./index.ts"

async function service(
  at: TestEngine,
  name: string,
  more: Partial<ServiceOptions> = {},
  revertible = false,
): Promise<PlanService> {
  const made = initService(at.options(name, more))
  onTestFinished(() => made.shutdown({ timeoutMs: 0 }))
  await made.register({ description: `Does ${name}.`, schema: TEXT, revertible })
  return made
}

/** Sent twice it would be more than a frame can have. */
const LARGE = 5_300_000
const idOf = ({ info }: PlanService): string => String(info.id)

describe("exactly once", () => {
  test("a task that is asked for again while it runs, and when it was done, is done once", async () => {
    const shop = await engine()
    const relay = await relayed(shop)
    const echo = await service(shop, "echo", { orraUrl: relay.url })
    // The engine does not hear of the result, and so asks again.
    let isLost = true
    relay.passes = ({ frame }) =>
      !isLost || (frame["payload"] as { type?: string } | undefined)?.type !== "task_result"
    const gate = Promise.withResolvers<void>()
    let calls = 0
    echo.start(async () => {
      calls++
      await gate.promise
      return { text: "b" }
    })
    const id = await shop.begin(idOf(echo))
    await expect.poll(() => relay.frames("task_status").length).toBeGreaterThan(0)
    gate.resolve()
    const isAnswered = () => new Set(relay.frames("task_result").map(({ id }) => id)).size
    await expect.poll(isAnswered).toBeGreaterThan(1)
    isLost = false
    expect(await shop.ended(id)).toMatchObject({ status: "completed", results: [{ text: "b" }] })
    expect(calls).toBe(1)
  })

  test("what is not acknowledged is sent again on the same connection, in its envelope", async () => {
    const shop = await engine({ connections: { redeliverMs: [60_000], handoverMs: 20 } })
    const relay = await relayed(shop)
    const echo = await service(shop, "echo", { orraUrl: relay.url })
    relay.passes = ({ from }) => from === "engine" || relay.frames("task_result").length > 2
    echo.start(() => ({ text: "b" }))
    expect(await shop.ended(await shop.begin(idOf(echo)))).toMatchObject({ status: "completed" })
    const [first, second] = relay.frames("task_result")
    expect(first).toMatchObject({ id: expect.stringMatching(/^message_\d+_e_/), payload: { error: null } })
    expect(second).toEqual(first)
    expect(relay.connections).toBe(1)
    // The next one's acknowledgement comes behind that of this one; after it nothing is sent any more.
    await shop.ended(await shop.begin(idOf(echo)))
    await expect.poll(() => new Set(relay.frames("ACK").map(({ id }) => id)).size).toBe(2)
    const sent = relay.frames("task_result").length
    await pause(6 * ACK_MS)
    // Each of the two may have been on its way once more.
    expect(relay.frames("task_result").length).toBeLessThanOrEqual(sent + 2)
  })

  test("a connection that is cut in the middle of a task costs nothing", async () => {
    const shop = await engine()
    const relay = await relayed(shop)
    // Only coming back makes it send again.
    const connection = { reconnectMs: [10, 50], ackMs: 60_000 } as const
    const echo = await service(shop, "echo", { orraUrl: relay.url, connection })
    let calls = 0
    echo.start(async ({ pushUpdate }) => {
      calls++
      relay.cut()
      pushUpdate({ progress: 50 })
      await expect.poll(() => relay.connections).toBeGreaterThan(1)
      relay.cut()
      return { text: "b" }
    })
    const ended = await shop.ended(await shop.begin(idOf(echo)))
    expect(ended).toMatchObject({ results: [{ text: "b" }] })
    // An update whose acknowledgement was cut off comes twice.
    expect(ended.tasks[0]?.interimResults?.[0]).toMatchObject({ data: { progress: 50 } })
    expect(calls).toBe(1)
    for (const frame of relay.frames("task_result")) expect(frame).toHaveProperty("payload")
  })

  test("what was done by a process that ended before it told is told by the next one", async () => {
    const shop = await engine()
    const relay = await relayed(shop)
    relay.passes = ({ frame }) => (frame["payload"] as { type?: string } | undefined)?.type !== "task_result"
    const before = await service(shop, "echo", { orraUrl: relay.url })
    before.start(() => ({ text: "before" }))
    const id = await shop.begin(idOf(before))
    await expect.poll(() => relay.frames("task_result").length).toBeGreaterThan(0)
    await before.shutdown({ timeoutMs: 0 })
    const after = await service(shop, "echo")
    after.start(() => ({ text: "twice" }))
    expect(await shop.ended(id)).toMatchObject({ results: [{ text: "before" }] })
  })

  test("instances that share a store share what was done", async () => {
    const shop = await engine()
    const relay = await relayed(shop)
    const store = recordServiceStore(new MemoryStore(), Namespace.of("services", "echo"))
    relay.passes = ({ frame }) => (frame["payload"] as { type?: string } | undefined)?.type !== "task_result"
    const one = await service(shop, "echo", { orraUrl: relay.url, store })
    const done: string[] = []
    one.start(() => ({ text: String(done.push("one")) }))
    const id = await shop.begin(idOf(one))
    await expect.poll(() => relay.frames("task_result").length).toBeGreaterThan(0)
    const two = await service(shop, "echo", { store })
    two.start(() => ({ text: String(done.push("two")) }))
    await one.shutdown({ timeoutMs: 0 })
    expect(await shop.ended(id)).toMatchObject({ results: [{ text: "1" }] })
    expect(done).toEqual(["one"])
  })
})

describe("the connection", () => {
  test("comes back however often it could not, and what waits goes on", async () => {
    const shop = await engine()
    const echo = await service(shop, "echo", { connection: { reconnectMs: [1, 2] } })
    const gate = Promise.withResolvers<void>()
    let calls = 0
    echo.start(async () => {
      calls++
      await gate.promise
      return { text: "b" }
    })
    const id = await shop.begin(idOf(echo))
    await expect.poll(() => calls).toBe(1)
    await shop.restart(async () => {
      gate.resolve()
      // The original gave up after ten attempts.
      await expect.poll(() => shop.errors.length).toBeGreaterThan(15)
    })
    expect(await shop.ended(id)).toMatchObject({ results: [{ text: "b" }] })
    expect(calls).toBe(1)
  })

  test("answers the engine's pings", async () => {
    const shop = await engine({ connections: { pingMs: 50 } })
    const relay = await relayed(shop)
    const echo = await service(shop, "echo", { orraUrl: relay.url })
    await expect.poll(() => relay.frames("pong").length).toBeGreaterThan(2)
    expect(relay.frames("pong")[0]).toEqual({ id: "pong", payload: { type: "pong", serviceId: idOf(echo) } })
  })

  test("that is open and says nothing any more is found out", async () => {
    const shop = await engine()
    const relay = await relayed(shop)
    const echo = await service(shop, "echo", {
      orraUrl: relay.url,
      connection: { reconnectMs: [10, 50], ackMs: 50, heartbeatMs: 100 },
    })
    echo.start(() => ({ text: "b" }))
    expect(await shop.ended(await shop.begin(idOf(echo)))).toMatchObject({ status: "completed" })
    const { connections } = relay
    relay.freeze()
    await expect.poll(() => relay.connections).toBeGreaterThan(connections)
    expect(await shop.ended(await shop.begin(idOf(echo)))).toMatchObject({ status: "completed" })
  })

  test("that the engine refuses, because it knows the service no more, is made anew under a new id", async () => {
    const shop = await engine()
    const echo = await service(shop, "echo")
    echo.start(() => ({ text: "b" }))
    const before = idOf(echo)
    expect(await shop.ended(await shop.begin(before))).toMatchObject({ status: "completed" })
    await shop.ask("DELETE", `/services/${before}`)
    await expect.poll(() => idOf(echo)).not.toBe(before)
    expect(await shop.ended(await shop.begin(idOf(echo)))).toMatchObject({ status: "completed" })
  })

  test("shutdown waits for what is under way, and takes no more", async () => {
    const shop = await engine()
    const relay = await relayed(shop)
    const echo = await service(shop, "echo", { orraUrl: relay.url })
    const begun = Promise.withResolvers<void>()
    const gate = Promise.withResolvers<void>()
    let calls = 0
    echo.start(async () => {
      calls++
      begun.resolve()
      await gate.promise
      return { text: "b" }
    })
    const id = await shop.begin(idOf(echo))
    await begun.promise
    const left = echo.shutdown()
    await shop.begin(idOf(echo))
    const keys = () => new Set(relay.frames("task_request").map((frame) => frame["idempotencyKey"])).size
    await expect.poll(keys).toBe(2)
    gate.resolve()
    await left
    expect(await shop.ended(id)).toMatchObject({ results: [{ text: "b" }] })
    expect(calls).toBe(1)
  })

  test("shutdown stops what takes too long, which the next process begins again", async () => {
    const shop = await engine()
    const echo = await service(shop, "echo")
    const begun = Promise.withResolvers<void>()
    echo.start(async ({ signal }) => {
      begun.resolve()
      return await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
    })
    const id = await shop.begin(idOf(echo))
    await begun.promise
    await echo.shutdown({ timeoutMs: 1 })
    const next = await service(shop, "echo")
    next.start(({ attempt }) => ({ text: `attempt ${attempt}` }))
    expect(await shop.ended(id)).toMatchObject({ results: [{ text: "attempt 2" }] })
  })
})

describe("undoing", () => {
  /** The first one's result is used by the second one, which aborts. */
  async function aborted(shop: TestEngine, first: PlanService): Promise<string> {
    const second = await service(shop, "second")
    second.start(({ abort }) => abort({ why: "sold out" }))
    shop.plan = [
      { id: "task1", service: idOf(first), input: { text: "$task0.text" } },
      { id: "task2", service: idOf(second), input: { text: "$task1.text" } },
    ]
    return await shop.begin()
  }

  test("is given the task, its result and why, once, also when it is asked for again", async () => {
    const shop = await engine()
    const relay = await relayed(shop)
    const first = await service(shop, "first", { orraUrl: relay.url }, true)
    const undone: unknown[] = []
    first.onRevert((...given) => void undone.push(given))
    first.start(() => ({ text: "b" }))
    let isLost = true
    const isUndoing = () => relay.frames("compensation_request").length > 0
    relay.passes = ({ from }) => from === "engine" || !isLost || !isUndoing()
    const id = await aborted(shop, first)
    await expect.poll(() => relay.frames("compensation_request").length).toBeGreaterThan(2)
    isLost = false
    expect(await shop.ended(id)).toMatchObject({
      status: "aborted",
      tasks: [{ compensation: { status: "completed" } }, {}],
    })
    expect(undone).toHaveLength(1)
    const [[task, result, context]] = undone as [[OriginalTask, unknown, unknown]]
    expect(task).toMatchObject({ id: "task1", input: { text: "a" }, idempotencyKey: expect.any(String) })
    expect(result).toEqual({ text: "b" })
    expect(context).toMatchObject({ orchestrationId: id, reason: "aborted", payload: { why: "sold out" } })
  })

  test("can be partial, or fail", async () => {
    const shop = await engine({ undoRetry: { attempts: 2, delayMs: 1 } })
    const relay = await relayed(shop)
    const first = await service(shop, "first", { orraUrl: relay.url }, true)
    const partial = { completed: ["a"], remaining: ["b"] }
    first.onRevert(async () => ({ status: "partial", partial }))
    first.start(() => ({ text: "b" }))
    const undone = async () => (await shop.ended(await aborted(shop, first))).tasks[0]?.compensation?.status
    expect(await undone()).toBe("partial")
    first.onRevert(() => ({ status: "failed", error: "It is gone." }))
    expect(await undone()).toBe("failed")
    first.onRevert(() => {
      throw new Error("It cannot be.")
    })
    expect(await undone()).toBe("failed")
    const failures = await shop.ask<readonly { failure: string }[]>("GET", "/compensation-failures")
    expect(failures.map(({ failure }) => failure).sort()).toEqual(["It cannot be.", "It is gone."])
    // The original's engine takes a status for a success: only an error is a failure to it.
    const said = relay.frames("task_result").map(({ payload }) => (payload as { error?: string }).error)
    expect(said).toContain("It is gone.")
  })

  test("has the result that was too large to be sent twice", async () => {
    const shop = await engine()
    const first = await service(shop, "first", {}, true)
    let length = 0
    first.onRevert((_task, result) => {
      length = (result as { text: string }).text.length
    })
    first.start(() => ({ text: "x".repeat(LARGE) }))
    expect(await shop.ended(await aborted(shop, first))).toMatchObject({ status: "aborted" })
    expect(length).toBe(LARGE)
  })
})

test("what was kept for long enough is forgotten", async () => {
  const folder = await mkdtemp(join(tmpdir(), "orra-plan-sdk-"))
  onTestFinished(() => rm(folder, { recursive: true }))
  const store = fileServiceStore(folder)
  await store.put("old", 1)
  const [old = ""] = await readdir(folder)
  await utimes(join(folder, old), 1, 1)
  await store.put("new", 2)
  await store.prune(Date.now() - 60_000)
  expect([await store.get("old"), await store.get("new")]).toEqual([undefined, 2])
  let now = 1_000
  const records = recordServiceStore(new MemoryStore({ now: () => now }), Namespace.of("services"))
  await records.put("old", 1)
  now = 2_000
  await records.put("new", 2)
  await records.prune(1_500)
  expect([await records.get("old"), await records.get("new")]).toEqual([undefined, 2])
})
