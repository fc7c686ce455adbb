import { watchedStore } from "@orra/testing"
import fc from "fast-check"
import { describe, expect, onTestFinished, test, vi } from "vitest"
import { placeOf } from "./budget-books.ts"
import { Ledger, type LedgerOptions, type Scope } from "./budget-ledger.ts"
import { rulesOf } from "./budget-limit.ts"
import { MemoryStore } from "./memory-store.ts"
import { Namespace } from "./namespace.ts"

const TTL = 300_000
const DAY = 86_400_000
const NOON = Date.UTC(2026, 2, 10, 12)
const asker = { runId: "r", chain: undefined, depth: 0, worked: 0 }

const tenant = Namespace.of("acme")
const scope = (namespace: Namespace, tokens: number): Scope => {
  const rules = rulesOf(namespace, [{ per: "day", tokens }])
  return {
    place: placeOf(namespace, "total"),
    rules,
    periods: ["day"],
    units: new Set(["tokens"]),
    of: "namespace",
  }
}

/** Processes with clocks of their own on one store. */
function processes(store = new MemoryStore()) {
  return (options: Partial<LedgerOptions> & { wall?: number } = {}) => {
    const clock = { wall: options.wall ?? NOON, steady: 0 }
    const ledger = new Ledger({
      records: store.records("budgets"),
      ttlMs: TTL,
      expired: "release",
      now: () => clock.wall,
      monotonic: () => clock.steady,
      ...options,
    })
    const advance = (ms: number): void => {
      clock.wall += ms
      clock.steady += ms
    }
    const state = async (of: Scope) => {
      const account = await ledger.read(of)
      const held = account.held.reduce((sum, { amounts }) => sum + (amounts["tokens"] ?? 0), 0)
      return { spent: account.windows.day?.spent["tokens"] ?? 0, held }
    }
    const reserve = async (scopes: readonly Scope[], id: string, tokens: number): Promise<boolean> =>
      (await ledger.reserve(asker, scopes, id, { tokens })).breaches.length === 0
    const settle = async (scopes: readonly Scope[], id: string, tokens: number): Promise<void> =>
      await ledger.settle(scopes, id, { tokens }, false)
    return { ledger, clock, advance, state, reserve, settle }
  }
}

describe("a reservation", () => {
  const all = [scope(tenant, 100)]
  const [one] = all as [Scope]

  test("of a process that died is given back when it expires, and not before", async () => {
    const start = processes()
    const dead = start()
    const alive = start()
    await dead.reserve(all, "a", 80)
    alive.advance(TTL - 1)
    expect(await alive.reserve(all, "b", 30)).toBe(false)
    alive.advance(1)
    expect(await alive.reserve(all, "b", 30)).toBe(true)
    expect(await alive.state(one)).toEqual({ spent: 0, held: 30 })
  })

  test("or charged, where that is asked for", async () => {
    const start = processes()
    await start().reserve(all, "a", 80)
    const alive = start({ expired: "charge" })
    alive.advance(TTL)
    expect(await alive.reserve(all, "b", 30)).toBe(false)
    expect(await alive.state(one)).toEqual({ spent: 80, held: 0 })
  })

  test("of a call that goes on for long is kept alive, and settled once", async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const start = processes()
    const slow = start()
    const other = start()
    await slow.reserve(all, "a", 80)
    for (let minute = 0; minute < 30; minute++) {
      slow.advance(60_000)
      other.advance(60_000)
      await vi.advanceTimersByTimeAsync(60_000)
      expect(await other.reserve(all, "b", 30)).toBe(false)
    }
    await slow.settle(all, "a", 50)
    expect(await other.reserve(all, "b", 30)).toBe(true)
    expect(await other.state(one)).toEqual({ spent: 50, held: 30 })
    await other.settle(all, "b", 10)
    await vi.advanceTimersByTimeAsync(TTL)
    expect(vi.getTimerCount()).toBe(0)
  })

  test("that was taken for dead is charged all the same when its process comes back", async () => {
    const start = processes()
    const paused = start()
    const other = start()
    await paused.reserve(all, "a", 80)
    other.advance(TTL)
    await other.reserve(all, "b", 90)
    await paused.settle(all, "a", 80)
    await other.settle(all, "b", 90)
    expect(await other.state(one)).toEqual({ spent: 170, held: 0 })
  })
})

describe("a clock that jumps", () => {
  const all = [scope(tenant, 100)]
  const [one] = all as [Scope]

  test("ahead takes no call under way for dead, neither one's own nor another's that is alive", async () => {
    const start = processes()
    const busy = start()
    const jumping = start()
    await busy.reserve(all, "a", 60)
    await jumping.reserve(all, "b", 30)
    jumping.clock.wall += 3 * 3_600_000
    expect(await jumping.reserve(all, "c", 20)).toBe(false)
    expect(await jumping.state(one)).toEqual({ spent: 0, held: 90 })
    // One that is dead is still found out, as long after the jump as a reservation lasts.
    jumping.advance(TTL)
    expect(await jumping.reserve(all, "c", 20)).toBe(true)
    expect(await jumping.state(one)).toEqual({ spent: 0, held: 50 })
  })

  test("back keeps nothing of the dead for longer than a reservation lasts", async () => {
    const start = processes()
    await start({ wall: NOON + 40 * DAY }).reserve(all, "a", 80)
    const right = start()
    expect(await right.reserve(all, "b", 30)).toBe(false)
    // What was written by a clock that ran ahead is brought down with the next change.
    expect(await right.reserve(all, "c", 10)).toBe(true)
    right.advance(TTL)
    expect(await right.reserve(all, "b", 30)).toBe(true)
  })

  test("there and back spends no day twice", async () => {
    const start = processes()
    const one = start()
    const day = [scope(tenant, 100)]
    await one.reserve(day, "a", 90)
    await one.settle(day, "a", 90)
    one.clock.wall -= 10 * DAY
    expect(await one.reserve(day, "b", 20)).toBe(false)
    expect(await one.reserve(day, "c", 10)).toBe(true)
    await one.settle(day, "c", 10)
    one.clock.wall += 10 * DAY
    expect(await one.reserve(day, "d", 1)).toBe(false)
    one.advance(DAY)
    expect(await one.reserve(day, "d", 100)).toBe(true)
  })
})

describe("accounts", () => {
  test("of a call are changed together or not at all", async () => {
    const user = tenant.child("bob")
    const both = [scope(tenant, 100), scope(user, 10)]
    const start = processes()
    const { reserve, state } = start()
    expect(await reserve(both, "a", 11)).toBe(false)
    for (const one of both) expect(await state(one)).toEqual({ spent: 0, held: 0 })
  })

  test("a change whose answer is lost is not made twice", async () => {
    let lose = false
    const store = watchedStore(new MemoryStore(), {
      after: (method) => {
        if (lose && method === "records.write") throw new Error("connection lost")
      },
    })
    const all = [scope(tenant, 100)]
    const { reserve, settle, state } = processes(store as unknown as MemoryStore)()
    await reserve(all, "a", 40)
    lose = true
    await expect(settle(all, "a", 30)).rejects.toMatchObject({ code: "budget_unavailable" })
    lose = false
    expect(await state(all[0] as Scope)).toEqual({ spent: 30, held: 0 })
  })

  const step = fc.record({
    process: fc.integer({ min: 0, max: 2 }),
    user: fc.integer({ min: 0, max: 2 }),
    tokens: fc.integer({ min: 1, max: 40 }),
    actual: fc.integer({ min: 0, max: 40 }),
    act: fc.constantFrom("reserve", "reserve", "reserve", "settle", "settle", "give back", "die", "wait"),
    ms: fc.integer({ min: 0, max: TTL }),
  })

  test("property: whoever reserves, settles, gives back, dies or waits: no more than the limit is given out, and parts make the whole", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const start = processes()
        const limit = 100
        const whole = scope(tenant, limit)
        const parts = ["a", "b", "c"].map((name) => scope(tenant.child(name), 60))
        let alive = [start(), start(), start()]
        const watcher = start()
        const open: { at: number; scopes: Scope[]; id: string; tokens: number }[] = []
        const reserving: Promise<unknown>[] = []
        let ids = 0
        for (const { process, user, tokens, actual, act, ms } of steps) {
          const at = process
          const here = alive[at]
          const part = parts[user]
          if (!here || !part) continue
          if (act === "reserve") {
            const scopes = [whole, part]
            const id = `${++ids}`
            reserving.push(
              here.reserve(scopes, id, tokens).then((ok) => ok && open.push({ at, scopes, id, tokens })),
            )
            continue
          }
          await Promise.all(reserving.splice(0))
          if (act === "settle" || act === "give back") {
            const index = open.findIndex((one) => one.at === at)
            const [one] = index < 0 ? [] : open.splice(index, 1)
            if (one)
              await here.settle(one.scopes, one.id, act === "settle" ? Math.min(actual, one.tokens) : 0)
          } else if (act === "die") {
            const wall = here.clock.wall
            alive = alive.with(at, start({ wall }))
            for (const one of open.splice(0)) if (one.at !== at) open.push(one)
          } else {
            // No longer than those that are alive keep theirs by saying so.
            for (const one of [...alive, watcher]) one.advance(ms % (TTL / 3))
            for (const one of alive) await one.ledger.renew()
          }
          const { spent, held } = await watcher.state(whole)
          expect(spent + held).toBeLessThanOrEqual(limit)
          const sums = await Promise.all(parts.map((one) => watcher.state(one)))
          expect(sums.reduce((sum, one) => sum + one.spent, 0)).toBe(spent)
          expect(sums.reduce((sum, one) => sum + one.held, 0)).toBe(held)
        }
        await Promise.all(reserving)
        for (const one of open) await alive[one.at]?.settle(one.scopes, one.id, one.tokens)
        watcher.advance(2 * TTL)
        const end = await watcher.state(whole)
        expect(end.held).toBe(0)
        expect(end.spent).toBeLessThanOrEqual(limit)
      }),
      { numRuns: 150 },
    )
  })
})
