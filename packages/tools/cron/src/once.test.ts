import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MemoryStore, Namespace, type SessionStore } from "@orra/core"
import { postgresStore, sqliteStore } from "@orra/store-sql"
import { type Mortal, mortal, scriptedProvider, type VirtualClock } from "@orra/testing"
import { postgresServer } from "@orra/testing/postgres"
import { killedAfter } from "@orra/testing/process"
import fc from "fast-check"
import { afterAll, describe, expect, test, vi } from "vitest"
import { ada, bob, HOUR, MINUTE, onClock, SECOND, world } from "./fixture.ts"
import type { Missed, NewJob } from "./job.ts"
import { nextRun } from "./schedule.ts"

const FULL = Boolean(process.env["ORRA_TEST_FULL"])
const START = Date.UTC(2026, 2, 1)

const folder = mkdtempSync(join(tmpdir(), "orra-cron-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What happens to two processes that do the same jobs. */
type Step =
  | { readonly type: "pass"; readonly ms: number }
  /** The store's clock is set back, or forward. */
  | { readonly type: "jump"; readonly ms: number }
  | { readonly type: "tick"; readonly who: readonly number[]; readonly waits: boolean }
  /** Dies after so many asynchronous calls, which may be in the middle of one of the next ticks; another one comes. */
  | { readonly type: "crash"; readonly who: number; readonly after: number }

const who = fc.constantFrom(0, 1)
const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ type: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 3 * HOUR }) }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant("jump" as const),
        ms: fc.integer({ min: -2 * HOUR, max: 5 * HOUR }),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant("tick" as const),
        who: fc.constantFrom([0], [1], [0, 1], [0, 1, 0]),
        waits: fc.boolean(),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        type: fc.constant("crash" as const),
        who,
        after: fc.integer({ min: 1, max: 60 }),
      }),
    },
  ),
  { minLength: 5, maxLength: 30 },
)
const jobs = fc.record({
  missed: fc.constantFrom<Missed>("all", "once", "skip"),
  maxConcurrent: fc.constantFrom(1, 3),
  jitterMs: fc.constantFrom(0, 20 * MINUTE),
  cooldownSecs: fc.constantFrom(0, 1_800),
  schedule: fc.constantFrom<NewJob["schedule"]>(
    { type: "every", interval_ms: HOUR },
    { type: "cron", expression: "0,25 * * * *", timezone: "Australia/Lord_Howe" },
    { type: "cron", expression: "30 2 * * *", timezone: "America/New_York" },
  ),
  payload: fc.constantFrom<NewJob["payload"]>(
    { type: "agent_turn", prompt: "Look around." },
    { type: "system_event", message: "Look up." },
  ),
})

/** Two processes on one store, one of which can be replaced by another at any time. */
async function play(
  open: (clock: VirtualClock) => Promise<SessionStore>,
  spec: Omit<NewJob, "name">,
  all: readonly Step[],
) {
  const time = { now: START }
  const clock: VirtualClock = { now: () => time.now, advance: (ms) => (time.now += ms) }
  const stores = [await open(clock), await open(clock)]
  const dying: Mortal[] = []
  const live = (index: number, dieAt: number) => {
    const process = mortal({ dieAt })
    dying.push(process)
    const store = process.store(stores[index] ?? new MemoryStore())
    return {
      process,
      ...world({
        clock,
        store: onClock(store, clock),
        provider: process.provider(scriptedProvider([], { otherwise: "Done." })),
        catchUpMs: Number.MAX_SAFE_INTEGER,
      }),
    }
  }
  const NEVER = Number.MAX_SAFE_INTEGER
  const processes = [live(0, NEVER), live(1, NEVER)]
  const first = processes[0]?.scheduler
  const job = await first?.create(ada, { ...spec, name: "watch" })
  await first?.create(bob, { ...spec, name: "other" })
  if (!job) throw new Error("There is no job.")
  const tick = async (index: number, waits: boolean): Promise<void> => {
    const process = processes[index]
    if (!process) return
    const work = process.scheduler.tick().then(() => (waits ? process.scheduler.idle() : undefined))
    await Promise.race([work.catch(() => {}), process.process.death])
    if (process.process.dead) processes[index] = live(index, NEVER)
  }
  for (const step of all) {
    if (step.type === "pass") time.now += step.ms
    else if (step.type === "jump") time.now = Math.max(START, time.now + step.ms)
    else if (step.type === "crash") {
      // Its predecessor never comes back: it was not there at the time, or has died.
      processes[step.who]?.process.die()
      processes[step.who] = live(step.who, step.after)
    } else await Promise.all(step.who.map((index) => tick(index, step.waits)))
  }
  // All that is due is done, by one process that lives.
  const last = live(0, NEVER)
  for (let round = 0; round < 1_000; round++) {
    time.now += 30 * SECOND
    await last.scheduler.tick()
    await last.scheduler.idle()
    const now = await last.scheduler.get(ada, job.id)
    const ready = (now?.nextRun ?? 0) + (spec.jitterMs ?? 0) + (spec.cooldownSecs ?? 0) * SECOND
    if (now?.running === 0 && ready > time.now) break
  }
  const { items: runs } = await last.scheduler.runs(ada, job.id, { limit: 500 })
  const kept = await last.scheduler.get(ada, job.id)
  const messages: string[] = []
  for (const { namespace } of (await last.store.list(ada, { limit: 500 })).items)
    for (const entry of await last.store.read(namespace, { types: ["user"], limit: 10_000 }))
      if (entry.type === "user" && entry.message.origin?.kind === "schedule")
        messages.push(entry.inputId ?? "")
  for (const process of dying) process.bury()
  for (const store of new Set(stores)) await store.close()
  return { job, runs, kept, messages }
}

/** What must be true of any life of a job. */
async function checked(
  open: (clock: VirtualClock) => Promise<SessionStore>,
  spec: Omit<NewJob, "name">,
  all: readonly Step[],
) {
  const { job, runs, kept, messages } = await play(open, spec, all)
  const dues = runs.map(({ due }) => due).sort((one, other) => one - other)
  // Not one is logged twice, and each that is logged as done was done, once.
  expect(new Set(dues).size).toBe(dues.length)
  // A process that stands still for longer than its lease is taken for dead: what it did is interrupted.
  const outcomes: readonly string[] = ["completed", "missed", "interrupted"]
  expect(runs.filter(({ outcome }) => !outcomes.includes(outcome))).toEqual([])
  const done = runs.filter(({ outcome }) => outcome !== "missed")
  expect(messages.sort()).toEqual(done.map(({ firing }) => `cron:${job.id}:${firing}`).sort())
  expect(kept?.runCount).toBe(done.length)
  expect(kept?.running).toBe(0)
  // Each was due when the schedule says; with `all` none is left out.
  const wanted: number[] = []
  for (
    let at = nextRun(job.schedule, START, START);
    at !== undefined && at < (kept?.nextRun ?? 0);
    at = nextRun(job.schedule, at, START)
  )
    wanted.push(at)
  expect(dues.filter((due) => !wanted.includes(due))).toEqual([])
  // The log keeps fifty.
  if (spec.missed === "all" && wanted.length <= 40) expect(dues).toEqual(wanted)
}

describe("property: no firing is lost or done twice, whatever the order of ticks, crashes and clocks", () => {
  test("two processes on a store in memory", { timeout: 600_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(jobs, steps, async (spec, all) => {
        const stores: SessionStore[] = []
        const open = async (clock: VirtualClock): Promise<SessionStore> => {
          const [shared = new MemoryStore({ now: clock.now })] = stores
          stores[0] = shared
          return shared
        }
        await checked(open, spec, all)
      }),
      { numRuns: FULL ? 2_000 : 40 },
    )
  })

  test("two processes on one SQLite file", { timeout: 600_000 }, async () => {
    let files = 0
    await fc.assert(
      fc.asyncProperty(jobs, steps, async (spec, all) => {
        const path = join(folder, `${files++}.db`)
        await checked((clock) => sqliteStore({ path, now: clock.now }), spec, all)
      }),
      { numRuns: FULL ? 200 : 2 },
    )
  })
})

/** Processes that do the jobs of a database and are killed while others go on. */
async function killed(place: string, store: SessionStore): Promise<void> {
  const { scheduler, runtime } = world({ store, clock: { now: Date.now, advance: () => 0 }, claimMs: 1_000 })
  const made = await Promise.all(
    [ada, bob].map((namespace) =>
      scheduler.create(namespace, {
        name: "beat",
        schedule: { type: "every", interval_ms: 1_000 },
        payload: { type: "agent_turn", prompt: "Look around." },
        missed: "all",
        maxConcurrent: 3,
      }),
    ),
  )
  const child = new URL("./cron.child.ts", import.meta.url)
  const said: unknown[] = []
  for (let round = 0; round < (FULL ? 10 : 1); round++) {
    const [one, other] = await Promise.all([killedAfter(child, [place], 2), killedAfter(child, [place], 3)])
    said.push(...one, ...other)
  }
  for (const { namespace, id } of made) await scheduler.pause(namespace, id)
  // What the dead have begun is taken over when nobody has said anything of it for a second.
  await vi.waitFor(
    async () => {
      await scheduler.tick()
      await scheduler.idle()
      for (const { namespace, id } of made)
        expect(await scheduler.get(namespace, id)).toMatchObject({ running: 0 })
    },
    { timeout: 60_000, interval: 100 },
  )
  for (const { namespace, id, createdAt } of made) {
    const { items } = await scheduler.runs(namespace, id, { limit: 500 })
    const beats = items.map(({ due }) => (due - createdAt) / 1_000)
    // The log keeps fifty.
    const newest = beats[0] ?? 0
    expect(beats).toEqual(
      Array.from({ length: Math.min(newest, items.length) }, (_, index) => newest - index),
    )
    if (newest < 50) expect(items).toHaveLength(newest)
    expect((await scheduler.get(namespace, id))?.runCount).toBe(newest)
    for (const { session, outcome } of items) {
      expect(["completed", "interrupted"]).toContain(outcome)
      const asked = await store.read(Namespace.parse(session ?? ""), { types: ["user"] })
      expect(
        asked.filter((entry) => entry.type === "user" && entry.message.origin?.kind === "schedule"),
      ).toHaveLength(1)
    }
  }
  expect(said.length).toBeGreaterThanOrEqual(5)
  await runtime.close()
  await store.close()
}

describe("of processes that are killed at any moment, each firing is done once, and told", () => {
  test("on SQLite", { timeout: 600_000 }, async () => {
    const path = join(folder, "killed.db")
    await killed(path, await sqliteStore({ path }))
  })

  test.runIf(FULL)("on PostgreSQL", { timeout: 600_000 }, async () => {
    const server = await postgresServer()
    try {
      await killed(server.url, await postgresStore({ url: server.url }))
    } finally {
      await server.stop()
    }
  })
})
