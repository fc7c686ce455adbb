import { call, mortal, say } from "@orra/testing"
import { expect, test } from "vitest"
import { ns, setup, TEN_CENTS, tenant } from "./budget-fixture.ts"
import { MemoryStore } from "./index.ts"

const RESERVATION_MS = 60_000
const LIMITS = [
  [
    tenant,
    [
      { per: "day", usd: 0.5, toolCalls: 10 },
      { per: "run", modelCalls: 5 },
    ],
  ],
] as const

test("killed at every asynchronous call of a run: nothing is held for longer than a reservation lasts, and nothing is spent twice", {
  timeout: 600_000,
}, async () => {
  let completed = false
  let held = 0
  for (let dieAt = 1; !completed; dieAt++) {
    let time = Date.UTC(2026, 0, 1, 12)
    const budget = { now: () => time, reservationMs: RESERVATION_MS }
    const store = new MemoryStore()
    const life = mortal({ dieAt })
    const first = setup(LIMITS, { store: life.store(store), budget })
    first.provider.push([say("Look."), call("look"), TEN_CENTS])
    const run = first.runtime.run(ns, "Hello").catch(() => undefined)
    completed = (await Promise.race([run, life.death.then(() => "died")])) !== "died"
    life.bury()

    const next = setup(LIMITS, { store, budget })
    const calls = first.provider.requests.length
    const [atDeath] = await next.budgets.state(tenant)
    if (atDeath && atDeath.reserved > 0) held++
    expect(atDeath?.reserved).toBeLessThanOrEqual(0.1)
    expect(atDeath?.spent).toBeLessThanOrEqual(calls * 0.1 + 1e-9)

    time += RESERVATION_MS
    await next.runtime.run(ns.child("beside"), "Hello")
    const [after] = await next.budgets.state(tenant)
    expect(after).toMatchObject({ reserved: 0 })
    expect(after?.spent).toBeCloseTo((atDeath?.spent ?? 0) + 0.1, 9)
    await next.runtime.close()
  }
  expect(held).toBeGreaterThan(2)
})

test("a run that is closed for a process that died leaves no account behind", async () => {
  let leaseAge = 0
  const store = new MemoryStore({ now: () => Date.now() + leaseAge })
  const life = mortal()
  const first = setup(LIMITS, { store: life.store(store) })
  first.provider.push([{ type: "wait", until: new Promise(() => {}) }])
  const run = first.runtime.run(ns, "Hello")
  run.catch(() => {})
  await first.provider.request(1)
  const runs = async () =>
    (await store.records("budgets").list(ns)).items.filter(({ key }) => key.startsWith("run "))
  expect(await runs()).toHaveLength(1)
  life.die()
  life.bury()
  leaseAge = 3_600_000
  const next = setup(LIMITS, { store })
  expect(await next.runtime.recover(tenant)).toHaveLength(1)
  expect(await runs()).toEqual([])
})
