import { afterEach, expect, test } from "vitest"
import { Bench } from "../engine-fixture.ts"
import type { PlanEngineOptions } from "../plan-engine.ts"

const ends: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

async function bench(options?: Partial<PlanEngineOptions>, store?: Bench["store"]): Promise<Bench> {
  // On a busy machine a service would be asked again before it could answer.
  const connections = { redeliverMs: [60_000], handoverMs: 20 }
  const made = await new Bench(store, { connections, ...options }).listen()
  ends.push(() => made.close())
  return made
}

const task = (number: number, service: string, text = "$task0.text") => ({
  id: `task${number}`,
  service,
  input: { text },
})
const ONCE = { retry: { attempts: 1 }, undoRetry: { attempts: 1 } }

/** A plan of one task that is not answered in time, until it is let go. */
async function unanswered(shop: Bench) {
  await shop.project()
  const hold = Promise.withResolvers<void>()
  const undone: unknown[] = []
  const slow = await shop.service("slow", () => hold.promise.then(() => ({ text: "done" })), {
    revertible: true,
  })
  slow.onRevert = (_, result) => void undone.push(result)
  shop.plan = [task(1, "slow")]
  const { body } = await shop.create({ text: "a" }, { timeout: "500ms" })
  return { id: body.id, hold, slow, undone }
}

const undoing = async (shop: Bench, id: string) =>
  await shop.until(id, ({ tasks }) => tasks[0]?.compensation?.status === "completed")

test("W-C3: what a service says it has done when its plan has failed without is undone", async () => {
  const shop = await bench(ONCE)
  const { id, hold, undone, slow } = await unanswered(shop)
  expect(await shop.ended(id)).toMatchObject({ status: "failed", tasks: [{ status: "failed" }] })
  hold.resolve()
  const after = await undoing(shop, id)
  expect(after).toMatchObject({ status: "failed", tasks: [{ output: { text: "done" } }] })
  expect(undone).toEqual([{ text: "done" }])
  // It says so again: it is undone once.
  const [about = {}] = await slow.seen("task_request")
  slow.send(about, { type: "task_result", result: { task: { text: "done" }, compensation: { data: 1 } } })
  await slow.seen("ACK", 3)
  expect(undone).toHaveLength(1)
  expect((await shop.ask("GET", "/compensation-failures")).body).toEqual([])
})

test("W-C3: what a service says it has done while the plan is undone is undone too", async () => {
  const shop = await bench({
    retry: { attempts: 1 },
    connections: { redeliverMs: [20, 50], handoverMs: 20 },
  })
  await shop.project()
  const hold = Promise.withResolvers<void>()
  const undone: unknown[] = []
  const quick = await shop.service("quick", () => ({ text: "q" }), { revertible: true })
  quick.onRevert = () => void undone.push("quick")
  quick.isMute = true
  const slow = await shop.service("slow", () => hold.promise.then(() => ({ text: "s" })), {
    revertible: true,
  })
  slow.onRevert = () => void undone.push("slow")
  shop.plan = [task(1, "quick"), task(2, "slow")]
  const { body } = await shop.create({ text: "a" }, { timeout: "1s" })
  await quick.seen("compensation_request")
  hold.resolve()
  await slow.seen("ACK")
  quick.isMute = false
  await shop.until(body.id, ({ tasks }) =>
    tasks.every(({ compensation }) => compensation?.status === "completed"),
  )
  expect(new Set(undone)).toEqual(new Set(["quick", "slow"]))
})

test("W-C3: what could be undone only then and was not is written down for a person, also in the next engine", async () => {
  const before = await bench(ONCE)
  const { id, hold, slow } = await unanswered(before)
  await before.ended(id)
  await slow.drop()
  hold.resolve()
  await before.close()
  ends.length = 0
  const after = await bench(ONCE, before.store)
  after.key = before.key
  slow.onRevert = () => {
    throw new Error("It is sold.")
  }
  slow.move(after.url)
  await slow.connect()
  const failures = await after.failures(1)
  expect(failures).toMatchObject([
    { orchestrationId: id, failure: "It is sold.", resolutionState: "pending" },
  ])
})

test("a compensation that failed is tried again when somebody asks, as soon as its service is there", async () => {
  const shop = await bench(ONCE)
  await shop.project()
  const first = await shop.service("first", () => ({ text: "b" }), { revertible: true })
  first.onRevert = () => {
    throw new Error("The warehouse is closed.")
  }
  await shop.service("second", ({ abort }) => abort("no"))
  shop.plan = [task(1, "first"), task(2, "second", "$task1.text")]
  const { body } = await shop.create()
  await shop.ended(body.id)
  const [failure] = await shop.failures(1)
  const path = `/compensation-failures/${failure?.id}`
  await first.drop()
  expect(await shop.ask("POST", `${path}/retry`)).toMatchObject({
    status: 202,
    body: { resolutionState: "pending", attemptsMade: 1 },
  })
  // It waits: a service that is away has not failed.
  const undone: unknown[] = []
  first.onRevert = (_, result) => void undone.push(result)
  await first.connect()
  const [settled] = await shop.failures(1, ({ resolutionState }) => resolutionState === "resolved")
  expect(settled).toMatchObject({ resolution: "It was tried again and undone.", attemptsMade: 2 })
  expect(undone).toEqual([{ text: "b" }])
  const keys = (await first.seen("compensation_request", 2)).map(({ idempotencyKey }) => idempotencyKey)
  expect(new Set(keys).size, "the key is the same").toBe(1)
  expect(await shop.inspect(body.id)).toMatchObject({
    tasks: [{ compensation: { status: "completed" } }, {}],
  })
  const again = await shop.ask("POST", `${path}/retry`)
  expect([again.status, again.body.error.kind]).toEqual([400, "invalid operation"])
  expect((await shop.ask("POST", "/compensation-failures/c_none/retry")).status).toBe(404)
})

test("W-C5: undoing waits for a service that is away, and it is one attempt", async () => {
  const shop = await bench(ONCE)
  await shop.project()
  const first = await shop.service("first", () => ({ text: "b" }), { revertible: true })
  const undone: unknown[] = []
  first.onRevert = () => void undone.push(1)
  await shop.service("second", async ({ abort }) => {
    await first.drop()
    abort("no")
  })
  shop.plan = [task(1, "first"), task(2, "second", "$task1.text")]
  const { body } = await shop.create()
  const waiting = await shop.until(body.id, ({ tasks }) => tasks[1]?.status === "aborted")
  expect(waiting.status).toBe("processing")
  await first.connect()
  expect(await shop.ended(body.id)).toMatchObject({
    status: "aborted",
    tasks: [{ compensation: { status: "completed", attempt: 1 } }, {}],
  })
  expect(undone).toEqual([1])
})

test("W-C1: undoing that waits for its service ends when it is of no use any more", async () => {
  const shop = await bench({ retry: { attempts: 1 } })
  await shop.project()
  const first = await shop.service("first", () => ({ text: "b" }), { revertible: true })
  first.revertTTL = 300
  first.onRevert = () => undefined
  await shop.service("second", async ({ abort }) => {
    await first.drop()
    abort("no")
  })
  shop.plan = [task(1, "first"), task(2, "second", "$task1.text")]
  const { body } = await shop.create()
  await shop.ended(body.id)
  expect(await shop.failures(1)).toMatchObject([{ status: "expired" }])
})
