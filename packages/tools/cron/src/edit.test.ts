import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { eraseNamespace, MemoryStore, messageText } from "@orra/core"
import { sqliteStore } from "@orra/store-sql"
import { scriptedProvider, virtualClock } from "@orra/testing"
import { findInFolder, findInSqlite } from "@orra/testing/erasure"
import { describe, expect, onTestFinished, test } from "vitest"
import {
  ada,
  bob,
  DAY,
  every,
  HOUR,
  household,
  MINUTE,
  onClock,
  untold,
  type World,
  world,
} from "./fixture.ts"
import { jobJson, jobPatch, type NewJob } from "./job.ts"

const START = Date.UTC(2026, 0, 1)

test("jobs are paused, resumed, changed and deleted; what is not there is not there", async () => {
  const { scheduler, runtime, pass, store } = world()
  const job = await scheduler.create(ada, every(HOUR))
  await scheduler.pause(ada, job.id)
  await pass(2.5 * HOUR)
  expect(await scheduler.runs(ada, job.id)).toEqual({ items: [] })
  expect(await scheduler.resume(ada, job.id)).toMatchObject({ status: "active", nextRun: START + 3 * HOUR })
  await pass(HOUR / 2)
  expect((await scheduler.runs(ada, job.id)).items).toHaveLength(1)
  const changed = await scheduler.update(ada, job.id, {
    name: "tock",
    schedule: { type: "cron", expression: "@daily" },
    cooldownSecs: 5,
  })
  expect(changed).toMatchObject({ name: "tock", cooldownSecs: 5, nextRun: START + DAY, runCount: 1 })
  expect((await scheduler.update(ada, job.id, { cooldownSecs: null })).cooldownSecs).toBeUndefined()
  for (const namespace of [bob, household, ada.child("chat")]) {
    expect(await scheduler.get(namespace, job.id)).toBeUndefined()
    expect(await scheduler.delete(namespace, job.id)).toBe(false)
    for (const what of ["pause", "resume", "runNow"] as const)
      await expect(scheduler[what](namespace, job.id)).rejects.toMatchObject({ code: "not_found" })
    await expect(scheduler.update(namespace, job.id, { name: "mine" })).rejects.toMatchObject({
      code: "not_found",
    })
    expect(await scheduler.runs(namespace, job.id)).toEqual({ items: [] })
  }
  expect((await scheduler.list(bob)).items).toEqual([])
  expect((await scheduler.list(household, { below: true })).items.map(({ id }) => id)).toEqual([job.id])
  expect(await scheduler.delete(ada, job.id)).toBe(true)
  expect(await scheduler.delete(ada, job.id)).toBe(false)
  await pass(2 * DAY)
  expect((await runtime.list(household)).items).toEqual([])
  for (const name of ["cron-jobs", "cron-grants", "cron-runs", "cron-changes", "cron-outbox"])
    expect((await store.records(name).list(household, { below: true })).items).toEqual([])
})

test("old firings are forgotten with their sessions", async () => {
  const { scheduler, runtime, pass } = world()
  const job = await scheduler.create(ada, every(MINUTE))
  await pass(70 * MINUTE, MINUTE)
  expect((await scheduler.runs(ada, job.id, { limit: 500 })).items).toHaveLength(50)
  expect((await runtime.list(ada, { limit: 500 })).items).toHaveLength(50)
})

test("an erasure leaves nothing, also while something is due, and nothing comes back", async () => {
  const { scheduler, runtime, store, clock, pass } = world()
  const mine = await scheduler.create(ada, every(HOUR))
  const other = await scheduler.create(bob, every(HOUR))
  await pass(2 * HOUR, HOUR)
  clock.advance(HOUR)
  await eraseNamespace(runtime, ada)
  await scheduler.tick()
  await scheduler.idle()
  await scheduler.deliver()
  expect(await scheduler.get(ada, mine.id)).toBeUndefined()
  for (const name of await store.collections(household))
    expect((await store.records(name).list(ada, { below: true })).items).toEqual([])
  expect((await store.list(ada)).items).toEqual([])
  expect((await scheduler.runs(bob, other.id)).items).toHaveLength(3)
})

describe("R22: what somebody changes while a firing is taken on and ended stays changed", () => {
  const changes = {
    renamed: async ({ scheduler }: World, id: string) =>
      void (await scheduler.update(ada, id, { name: "other" })),
    paused: async ({ scheduler }: World, id: string) => void (await scheduler.pause(ada, id)),
    deleted: async ({ scheduler }: World, id: string) => void (await scheduler.delete(ada, id)),
  }
  test.each(Object.entries(changes))("%s", async (what, change) => {
    for (let at = 1; ; at++) {
      const clock = virtualClock()
      const store = onClock(new MemoryStore(), clock)
      const other = world({ clock, store })
      const { id } = await other.scheduler.create(ada, every(HOUR))
      let count = 0
      const records = (name: string) => {
        const inner = store.records(name)
        const get = async (...args: Parameters<typeof inner.get>) => {
          const found = await inner.get(...args)
          if (name === "cron-jobs" && ++count === at) await change(other, id)
          return found
        }
        return { ...inner, get }
      }
      const between = new Proxy(store, {
        get: (target, name) => {
          if (name === "records") return records
          const member: unknown = Reflect.get(target, name)
          return typeof member === "function" ? member.bind(target) : member
        },
      })
      const { pass, failures } = world({ clock, store: between })
      await pass(HOUR)
      expect(failures).toEqual([])
      if (count < at) break
      const job = await other.scheduler.get(ada, id)
      if (what === "deleted") expect(job).toBeUndefined()
      else
        expect(job).toMatchObject({
          running: 0,
          ...(what === "paused" ? { status: "paused" } : { name: "other" }),
        })
      expect((await other.scheduler.runs(ada, id)).items).toHaveLength(job?.runCount ?? 0)
      expect((await store.list(ada)).items).toHaveLength(job?.runCount ?? 0)
      if (what === "deleted") expect(await untold(store)).toEqual([])
    }
  })
})

test("of a tenant that was erased nothing is in the files of a database, nor in what others have", async () => {
  const folder = mkdtempSync(join(tmpdir(), "orra-cron-erased-"))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const clock = virtualClock()
  const path = join(folder, "orra.db")
  const store = await sqliteStore({ path, now: clock.now })
  const provider = scriptedProvider([], { otherwise: ({ messages }) => messages.map(messageText).join() })
  let isDown = true
  const { scheduler, runtime, pass, told } = world({
    clock,
    store,
    provider,
    deliver: async () => {
      if (isDown) throw new Error("It is down.")
    },
  })
  const zebra = household.child("zebra")
  const prompt = { type: "agent_turn", prompt: "Where is the zebra?" } as const
  await scheduler.create(zebra, { ...every(HOUR), name: "zebra", payload: prompt }, { principal: "zebra" })
  await scheduler.create(ada, every(HOUR))
  await pass(2 * HOUR, HOUR)
  expect(Object.keys(findInSqlite(path, "zebra")).length).toBeGreaterThan(1)
  isDown = false
  await eraseNamespace(runtime, zebra)
  expect(findInSqlite(path, "household:zebra")).toEqual({})
  expect(findInFolder(folder, "zebra")).toEqual({})
  await pass(HOUR, 10 * MINUTE)
  expect((await scheduler.list(household, { below: true })).items).toHaveLength(1)
  expect(told).toEqual([])
  await runtime.close()
  await store.close()
  expect(findInFolder(folder, "household:zebra")).toEqual({})
})

test("what a job's JSON says is read back as it was", async () => {
  const { scheduler } = world()
  const job = await scheduler.create(
    ada,
    {
      ...every(HOUR),
      model: "m",
      maxTurns: 2,
      cooldownSecs: 1,
      maxConcurrent: 2,
      missed: "all",
      jitterMs: 5,
      agent: "a",
    },
    { principal: "ada" },
  )
  const json = JSON.parse(JSON.stringify(jobJson(job)))
  const again = await scheduler.create(bob, jobPatch(json) as NewJob)
  const { id, namespace, created_at, ...same } = jobJson(again)
  expect(json).toEqual({ ...same, id: job.id, namespace: ada.key, created_at })
  expect([id === job.id, namespace]).toEqual([false, bob.key])
})
