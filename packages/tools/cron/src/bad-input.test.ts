import { Namespace, OrraError } from "@orra/core"
import { scriptedProvider, wait } from "@orra/testing"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { ada, every, HOUR, household, MINUTE, world } from "./fixture.ts"
import type { JobPatch, NewJob } from "./job.ts"

const good = every(HOUR)

describe("a job that cannot be", () => {
  test.each<[string, unknown]>([
    ["has no name", { ...good, name: " " }],
    ["has a name that is too long", { ...good, name: "x".repeat(101) }],
    ["has a name that is no text", { ...good, name: "\ud800" }],
    ["does nothing", { ...good, payload: undefined }],
    ["does what there is not", { ...good, payload: { type: "AGENT_TURN", prompt: "Go." } }],
    ["asks nothing", { ...good, payload: { type: "agent_turn", prompt: " " } }],
    ["asks with a message", { ...good, payload: { type: "agent_turn", message: "Go." } }],
    ["says too much", { ...good, payload: { type: "system_event", message: "x".repeat(32_001) } }],
    ["is delivered elsewhere", { ...good, delivery: "email" }],
    ["has half a step", { ...good, maxTurns: 1.5 }],
    ["has no step", { ...good, maxTurns: 0 }],
    ["never runs at all", { ...good, maxConcurrent: 0 }],
    ["rests backwards", { ...good, cooldownSecs: -1 }],
    ["is spread over a year", { ...good, jitterMs: 366 * 24 * HOUR }],
    ["makes up somehow", { ...good, missed: "twice" }],
    ["is light perhaps", { ...good, lightweight: "yes" }],
    ["has a nameless model", { ...good, model: "" }],
  ])("%s: it is refused, and nothing is kept", async (_, job) => {
    const { scheduler, store } = world()
    await expect(scheduler.create(ada, job as NewJob)).rejects.toMatchObject({ code: "job_invalid" })
    const kept = await scheduler.create(ada, good)
    const { name: __, ...patch } = Object.fromEntries(
      Object.entries(job as object).filter(
        ([key, value]) => value !== undefined && value !== good[key as keyof NewJob],
      ),
    )
    if (Object.keys(patch).length > 0)
      await expect(scheduler.update(ada, kept.id, patch as JobPatch)).rejects.toMatchObject({
        code: "job_invalid",
      })
    expect(await scheduler.get(ada, kept.id)).toEqual(kept)
    expect((await store.records("cron-jobs").list(household, { below: true })).items).toHaveLength(1)
  })

  test("belongs nowhere, or is one too many", async () => {
    const { scheduler } = world({ maxJobs: 2 })
    await expect(
      scheduler.create(household.child("x").parent?.parent ?? household, good),
    ).resolves.toBeDefined()
    await expect(scheduler.create(Namespace.of("other"), good)).rejects.toMatchObject({
      code: "invalid_input",
    })
    const firing = ada.child("~cron", "a", "1")
    await expect(scheduler.create(firing, good)).rejects.toMatchObject({ code: "invalid_input" })
    const deep = household.child(...Array.from({ length: 29 }, () => "x"))
    await expect(scheduler.create(deep, good)).rejects.toMatchObject({ code: "namespace_invalid" })
    await scheduler.create(ada, good)
    await scheduler.create(ada, good)
    await expect(scheduler.create(ada, good)).rejects.toMatchObject({ code: "job_limit" })
  })

  test("is over, or goes on already", async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const provider = scriptedProvider(["Done.", wait(promise)])
    const { scheduler, pass } = world({ provider })
    const datetime = "2026-01-01T00:01:00Z"
    const { id } = await scheduler.create(ada, { ...good, schedule: { type: "at", datetime } })
    await scheduler.pause(ada, id)
    await pass(2 * MINUTE)
    await expect(scheduler.resume(ada, id)).rejects.toMatchObject({ code: "job_state" })
    const next = await scheduler.update(ada, id, {
      schedule: { type: "at", datetime: "2026-01-01T00:05:00Z" },
    })
    expect(next.status).toBe("paused")
    await scheduler.resume(ada, id)
    await pass(10 * MINUTE)
    expect(await scheduler.get(ada, id)).toMatchObject({ status: "completed", runCount: 1 })
    await expect(scheduler.pause(ada, id)).rejects.toMatchObject({ code: "job_state" })
    await scheduler.runNow(ada, id)
    await expect(scheduler.runNow(ada, id)).rejects.toMatchObject({ code: "job_state" })
    resolve()
    await scheduler.idle()
    expect((await scheduler.runs(ada, id)).items).toHaveLength(2)
  })

  test("has a limit that is none", () => {
    expect(() => world({ minIntervalMs: 10 })).toThrow(expect.objectContaining({ code: "invalid_input" }))
    expect(() => world({ timezone: "Nowhere" })).toThrow(
      expect.objectContaining({ code: "timezone_unknown" }),
    )
  })
})

test("property: whatever is given for a job or a schedule, it is kept as it can be or refused with a code", async () => {
  const { scheduler, store } = world({ maxJobs: 1_000_000 })
  const junk = fc.oneof(
    { weight: 3, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "at",
      "every",
      "cron",
      "agent_turn",
      "@daily",
      "* * * * *",
      "2027-01-01T00:00:00Z",
      "UTC",
      60_000,
    ),
  )
  const schedule = fc.record(
    {
      type: fc.constantFrom("at", "every", "cron", "Cron"),
      datetime: junk,
      interval_ms: junk,
      expression: junk,
      timezone: junk,
    },
    { requiredKeys: ["type"] },
  )
  const payload = fc.record({
    type: fc.constantFrom("agent_turn", "system_event"),
    prompt: junk,
    message: junk,
  })
  const job = fc.record(
    {
      name: junk,
      schedule: fc.oneof(schedule, junk),
      payload: fc.oneof(payload, junk),
      maxTurns: junk,
      missed: junk,
    },
    { requiredKeys: [] },
  )
  let kept = 0
  await fc.assert(
    fc.asyncProperty(
      fc.oneof(job, fc.record({ name: fc.constant("n"), schedule, payload })),
      async (given) => {
        try {
          const made = await scheduler.create(ada, given as unknown as NewJob)
          expect(made.nextRun).toBeGreaterThan(made.createdAt)
          kept++
        } catch (error) {
          if (!(error instanceof OrraError)) throw error
          expect(error.code).toMatch(/^(schedule_|job_|timezone_)/)
        }
      },
    ),
    { numRuns: 50 },
  )
  const { items } = await store.records("cron-jobs").list(ada, { limit: 500 })
  expect(items).toHaveLength(kept)
})
