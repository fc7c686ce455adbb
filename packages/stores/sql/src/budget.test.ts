import { join } from "node:path"
import { Budgets, Runtime } from "@orra/core"
import { startChild } from "@orra/testing/process"
import { describe, expect, onTestFinished, test } from "vitest"
import { testFolder, testServer } from "./fixture.ts"
import { openAt } from "./open-at.ts"
import { LIMIT, PRICES, provider, RESERVATION_MS, type Spent, TENANT } from "./spender.child.ts"

const CHILD = new URL("./spender.child.ts", import.meta.url)
const PROCESSES = 5

const folder = testFolder()
const server = testServer()

/** Processes that begin `runs` runs each at once, of which every `every`th call never ends. Told of each run once. */
function start(place: string, processes: number, runs: number, every: number) {
  const lines: Spent[] = []
  const all = Promise.withResolvers<void>()
  const children = Array.from({ length: processes }, (_, index) => {
    const child = startChild<Spent>(CHILD, [place, `p${index}`, `${runs}`, `${every}`], (line) => {
      lines.push(line)
      if (lines.length === processes * runs) all.resolve()
    })
    onTestFinished(() => child.kill("SIGKILL"))
    child.ended.then(({ code, complaint }) => code && all.reject(new Error(complaint)))
    return child
  })
  const ended = Promise.all(children.map((child) => child.ended))
  const count = (what: Spent): number => lines.filter((line) => line === what).length
  return { children, ended, all: all.promise, count }
}

async function spend(place: string, now: () => number) {
  const store = await openAt(place)
  onTestFinished(() => store.close())
  const budgets = new Budgets({ store, prices: PRICES, reservationMs: RESERVATION_MS, now })
  budgets.set(TENANT, LIMIT)
  let calls = 0
  const model = provider(
    () => false,
    () => calls++,
  )
  const runtime = new Runtime({ provider: model, store, budgets, maxTokens: 1_000, onError: () => {} })
  const runs = async (name: string, count: number): Promise<number> => {
    calls = 0
    const sessions = Array.from({ length: count }, (_, index) => TENANT.child(name, `${index}`))
    await Promise.allSettled(sessions.map((session) => runtime.run(session, "Hello")))
    return calls
  }
  return { budgets, runs }
}

/** Each test has a file of its own, or a schema. */
const places: Readonly<Record<string, (name: string) => string>> = {
  SQLite: (name) => join(folder, `${name}.db`),
  PostgreSQL: (name) => `${server().url}#${name}`,
}

describe.each(Object.entries(places))("budgets in %s", (_, placeOf) => {
  test(`50 runs at once in ${PROCESSES} processes, on 1.00 USD at 0.10 each: ten calls are made, and no more`, {
    timeout: 120_000,
  }, async () => {
    const place = placeOf("all")
    const { ended, all, count } = start(place, PROCESSES, 50 / PROCESSES, 0)
    await all
    await ended
    expect([count("answered"), count("refused")]).toEqual([10, 40])
    const { budgets } = await spend(place, Date.now)
    expect(await budgets.state(TENANT)).toMatchObject([{ spent: 1, reserved: 0, left: 0 }])
  })

  test("killed between reserving and settling: what they held is free when it expires, and not before", {
    timeout: 120_000,
  }, async () => {
    const place = placeOf("kill")
    const { children, ended, all, count } = start(place, 2, 10, 2)
    await all
    for (const child of children) child.kill("SIGKILL")
    // One whose runs were all refused may have ended by itself.
    expect((await ended).map(({ signal }) => signal)).toContain("SIGKILL")
    const answered = count("answered")
    expect(answered + count("hangs")).toBe(10)
    expect(count("hangs")).toBeGreaterThan(0)

    const before = await spend(place, Date.now)
    expect(await before.runs("before", 3)).toBe(0)
    const [state] = await before.budgets.state(TENANT)
    expect([state?.spent.toFixed(2), state?.reserved.toFixed(2)]).toEqual([
      (answered / 10).toFixed(2),
      (count("hangs") / 10).toFixed(2),
    ])
    const after = await spend(place, () => Date.now() + RESERVATION_MS)
    expect(await after.runs("after", 20)).toBe(10 - answered)
    expect(await after.budgets.state(TENANT)).toMatchObject([{ spent: 1, reserved: 0, left: 0 }])
  })
})
