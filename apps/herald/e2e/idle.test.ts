import { setImmediate } from "node:timers/promises"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { sqliteStore } from "@orra/store-sql"
import { expect, onTestFinished, test, vi } from "vitest"
import { OWNER } from "../server/config/load.ts"
import { heraldSite } from "../server/fixture.ts"

// Here, since it needs a process of its own: the clock and the memory are looked at.
const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

setFlagsFromString("--expose-gc")
const collect = runInNewContext("gc") as () => void

test("a day in which nobody asks anything: no call of a model, nothing written, no growth in memory", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] })
  onTestFinished(() => void vi.useRealTimers())
  const site = await heraldSite({
    now: () => Date.now(),
    config:
      '[scheduler]\nenabled = true\n[[scheduler.jobs]]\nname = "j"\nschedule = "0 8 29 2 +MON"\nchannel = "own"\nmessage = "It is a leap day."',
  })
  const pass = async (ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 5 * MINUTE) {
      await vi.advanceTimersByTimeAsync(5 * MINUTE)
      await setImmediate()
    }
  }
  const used = async (): Promise<number> => {
    for (let round = 0; round < 3; round++) {
      await setImmediate()
      collect()
    }
    return process.memoryUsage().heapUsed
  }
  const written = async (): Promise<string> => {
    const store = await sqliteStore({ path: site.database })
    const sessions = await store.list(OWNER)
    const jobs = await store.records("cron-jobs").list(OWNER, { below: true })
    const notices = await store.records("cron-outbox").list(OWNER, { below: true })
    await store.close()
    return JSON.stringify([sessions, jobs.items.map(({ version }) => version), notices])
  }
  // What is made once is made.
  await pass(2 * HOUR)
  const [before, timers, files] = [await used(), vi.getTimerCount(), await written()]
  await pass(DAY)
  expect(site.model.requests).toEqual([])
  expect(await written()).toBe(files)
  expect(vi.getTimerCount()).toBeLessThanOrEqual(timers + 2)
  expect((await used()) - before).toBeLessThan(1_000_000)
  // The day has been one: what has its time comes.
  const reminder = { name: "up", when: "in 20 minutes", payload: { type: "system_event", message: "Up!" } }
  const [, { id }] = (await site.ask("POST", "/api/schedules", reminder)) as [number, { readonly id: string }]
  await pass(30 * MINUTE)
  await vi.waitFor(async () => {
    const answer = await site.ask("GET", `/api/schedules/${id}/runs`)
    expect(answer).toMatchObject([
      200,
      { runs: [{ outcome: "completed", delivery: { state: "delivered" } }] },
    ])
  })
  vi.useRealTimers()
  await site.close()
})
