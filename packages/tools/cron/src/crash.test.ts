import { MemoryStore, messageText, type SessionStore } from "@orra/core"
import { call, hang, mortal, say, scriptedProvider, type VirtualClock, virtualClock } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { ada, HOUR, household, MINUTE, onClock, SECOND, untold, type World, world } from "./fixture.ts"
import type { NewJob } from "./job.ts"

const turn: NewJob = {
  name: "watch",
  schedule: { type: "every", interval_ms: HOUR },
  payload: { type: "agent_turn", prompt: "Look around." },
}
const event: NewJob = { ...turn, payload: { type: "system_event", message: "Look up." } }

/** A process that dies at the point of this number, with the jobs it is to make and to do. */
async function firstLife(store: SessionStore, clock: VirtualClock, given: NewJob, dieAt: number) {
  const process = mortal({ dieAt })
  const provider = process.provider(scriptedProvider([call("note"), "All is well."]))
  const told: string[] = []
  const first = world({
    clock,
    store: onClock(process.store(store), clock),
    provider,
    deliver: ({ key }) => process.through("deliver", async () => void told.push(key)),
  })
  const life = (async () => {
    await first.scheduler.create(ada, given, { principal: "ada" }, { idempotencyKey: "one" })
    await first.pass(HOUR)
  })()
  const end = await Promise.race([life, process.death])
  return { point: end ?? undefined, told, used: first.used, bury: () => process.bury() }
}

/** The message of each session of the job, or of its namespace. */
async function asked({ runtime }: World): Promise<number> {
  let count = 0
  for (const { namespace } of (await runtime.list(ada, { limit: 500 })).items)
    count += (await runtime.store.read(namespace, { types: ["user"] })).length
  return count
}

describe("killed at each asynchronous call of a job's life, another process does the rest, and nothing twice", () => {
  test.each([
    ["agent turn", turn],
    ["system event", event],
  ])("%s", { timeout: 120_000 }, async (_, given) => {
    let points = 0
    for (let dieAt = 1; ; dieAt++) {
      const clock = virtualClock()
      const store = onClock(new MemoryStore({ now: clock.now }), clock)
      const { point, told, used, bury } = await firstLife(store, clock, given, dieAt)
      const second = world({
        clock,
        store,
        provider: scriptedProvider([], { otherwise: "Well, now." }),
        deliver: async ({ key }) => void told.push(key),
      })
      const where = JSON.stringify(point)
      // What waits to be told is told before anything else is done.
      await second.scheduler.deliver()
      // Whoever asked for the job and heard nothing asks again.
      const job = await second.scheduler.create(ada, given, { principal: "ada" }, { idempotencyKey: "one" })
      if (clock.now() < job.createdAt + HOUR) clock.advance(job.createdAt + HOUR - clock.now())
      await second.pass(20 * MINUTE, 10 * SECOND)
      expect(second.failures, where).toEqual([])
      const { items } = await second.scheduler.runs(ada, job.id)
      expect(items, where).toMatchObject([{ outcome: "completed", delivery: { state: "delivered" } }])
      expect(await asked(second), where).toBe(1 + (await cutOff(second)))
      expect(used.length, where).toBeLessThanOrEqual(1)
      expect(new Set(told).size, where).toBe(1)
      // Only whoever dies between telling and writing that down tells twice.
      const isBetween = point?.call === "deliver" || point?.call.endsWith("cron-runs")
      expect(told.length, where).toBeLessThanOrEqual(isBetween ? 2 : 1)
      expect(await second.scheduler.get(ada, job.id), where).toMatchObject({
        status: "active",
        runCount: 1,
        running: 0,
        nextRun: job.createdAt + 2 * HOUR,
      })
      expect(await untold(store), where).toEqual([])
      bury()
      if (!point) break
      points++
    }
    expect(points).toBeGreaterThan(40)
  })
})

/** A process that dies when it asks a model, as often as it is told. */
async function dying(store: SessionStore, clock: VirtualClock): Promise<void> {
  const process = mortal()
  const { promise: death, resolve: dead } = Promise.withResolvers<void>()
  const provider = scriptedProvider([], {
    otherwise: async () => {
      process.die()
      dead()
      return "Never heard."
    },
  })
  const { scheduler, runtime } = world({
    clock,
    store: onClock(process.store(store), clock),
    provider: process.provider(provider),
  })
  // As an application does when it starts: what the last one left open is closed.
  await runtime.recover(household)
  const passing = (async () => {
    for (let left = 5; left > 0 && !process.dead; left--) {
      clock.advance(MINUTE)
      await scheduler.tick()
      await scheduler.idle()
    }
  })()
  await Promise.race([passing, death])
  process.bury()
}

test("what was cut off goes on in the next process, also where that has closed it first", async () => {
  const clock = virtualClock()
  const store = onClock(new MemoryStore({ now: clock.now }), clock)
  const provider = scriptedProvider([], { otherwise: "All is well." })
  const last = world({ clock, store, provider })
  const { id } = await last.scheduler.create(ada, turn)
  clock.advance(HOUR)
  for (let life = 0; life < 2; life++) await dying(store, clock)
  await last.runtime.recover(household)
  await last.pass(5 * MINUTE, 10 * SECOND)
  expect((await last.scheduler.runs(ada, id)).items).toMatchObject([
    { outcome: "completed", text: "All is well." },
  ])
  expect(provider.requests).toHaveLength(1)
})

test("what a process stops when it ends goes on in the next one", async () => {
  const clock = virtualClock()
  const store = onClock(new MemoryStore({ now: clock.now }), clock)
  const first = world({ clock, store, provider: scriptedProvider([[say("I am about to "), hang()]]) })
  const { id } = await first.scheduler.create(ada, turn)
  const controller = new AbortController()
  const running = first.scheduler.run({ signal: controller.signal })
  clock.advance(HOUR)
  await expect.poll(async () => (await first.runtime.list(ada, { openRun: true })).items).toHaveLength(1)
  controller.abort()
  await running
  await first.runtime.close()
  await first.scheduler.idle()
  expect((await first.scheduler.runs(ada, id)).items).toEqual([])
  const provider = scriptedProvider(["do it. Done."])
  const second = world({ clock, store, provider })
  await second.pass(MINUTE)
  expect((await second.scheduler.runs(ada, id)).items).toMatchObject([
    { outcome: "completed", text: "do it. Done.", delivery: { state: "delivered" } },
  ])
  expect(provider.requests[0]?.messages.map(messageText)).toEqual([
    "Look around.",
    "I am about to ",
    "Your work was interrupted. Go on from where it stopped.",
  ])
})

test("a run that kills its process is not begun for ever", async () => {
  const clock = virtualClock()
  const store = onClock(new MemoryStore({ now: clock.now }), clock)
  const last = world({ clock, store })
  const { id } = await last.scheduler.create(ada, turn)
  clock.advance(HOUR)
  for (let life = 0; life < 7; life++) await dying(store, clock)
  await last.pass(5 * MINUTE, 10 * SECOND)
  expect((await last.scheduler.runs(ada, id)).items).toMatchObject([{ outcome: "interrupted" }])
  expect(last.told).toMatchObject([{ type: "finished", outcome: "interrupted" }])
})

/** Requests to go on that stand in for an answer that was cut off. */
async function cutOff({ runtime }: World): Promise<number> {
  let count = 0
  for (const { namespace } of (await runtime.list(ada, { limit: 500 })).items)
    for (const entry of await runtime.store.read(namespace, { types: ["user"] }))
      if (entry.type === "user" && entry.message.origin?.kind === "host") count++
  return count
}
