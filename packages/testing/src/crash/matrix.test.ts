import { MemoryStore, type SessionStore } from "@orra/core"
import { expect, test } from "vitest"
import { crashMatrix, type Durable, lives } from "./matrix.ts"
import { matrixTable } from "./table.ts"

const FULL = process.env["ORRA_TEST_FULL"] !== undefined

/** Every death, made once for all that is said about them. */
let everyDeath: ReturnType<typeof crashMatrix> | undefined

const inMemory = async (): Promise<Durable> => {
  const store = new MemoryStore()
  return { open: async () => store, done: () => store.close() }
}

test("killed at every asynchronous call of a run, another process finishes the work", {
  timeout: 600_000,
}, async () => {
  everyDeath ??= crashMatrix(inMemory)
  const rows = await everyDeath
  expect(rows.filter(({ problem }) => problem !== undefined)).toEqual([])
  expect(rows.map(({ point }) => point.number)).toEqual(rows.map((_, index) => index + 1))
  // Each kind of call that a run makes is among them, and each way a call can end.
  const calls = new Set(rows.map(({ point }) => point.call))
  for (const call of [
    "model next",
    "append delta",
    "append assistant",
    "policy check",
    "append tool_intent",
    "effect of charge",
    "append tool_intent+approval_request",
    "append run_waiting",
    "append approval_decision",
    "append run_resumed",
    "effect of give_back",
  ])
    expect(calls).toContain(call)
  for (const hook of [
    "runStart",
    "beforeModel",
    "afterModel",
    "beforeTool",
    "approval",
    "afterTool",
    "runEnd",
  ])
    expect(calls).toContain(`hook ${hook}`)
  const statuses = new Set(rows.flatMap((row) => row.calls.map(({ status }) => status)))
  expect([...statuses].sort()).toEqual(["cancelled", "denied", "ok", "unknown"])
})

test("the effect that may have happened is stated as unknown, whether it did or not", {
  timeout: 600_000,
}, async () => {
  everyDeath ??= crashMatrix(inMemory)
  const rows = await everyDeath
  const flight = rows.flatMap((row) =>
    row.point.call === "effect of charge" ? row.calls.filter(({ call }) => call === "charge flight") : [],
  )
  expect(flight[0]).toMatchObject({ status: "unknown" })
})

test("another process goes on with the run that was killed, wherever that was", {
  timeout: 600_000,
}, async () => {
  const rows = await crashMatrix(inMemory, { resume: true })
  expect(rows.filter(({ problem }) => problem !== undefined)).toEqual([])
  // Nothing is given up that need not be: only what may have happened is not known.
  const statuses = new Set(rows.flatMap((row) => row.calls.map(({ status }) => status)))
  expect([...statuses].sort()).toEqual(["denied", "ok", "unknown"])
  expect(new Set(rows.map(({ outcome }) => outcome))).toEqual(new Set(["no session", "completed", "waiting"]))
})

test("the process that recovers may die as well, wherever it is", { timeout: 1_800_000 }, async () => {
  // None, but for a call that one run makes and another does not: who watches reads as often as there is something new.
  const last = await crashMatrix(inMemory, { only: (number) => number > 1_000_000 })
  expect(last.filter(({ problem }) => problem !== undefined)).toEqual([])
  const problems: unknown[] = []
  // One crash in the middle of the first step, one in the second; with all of them it is the square of the matrix.
  for (let first = 1; ; first += FULL ? 1 : 23) {
    let died = 0
    for (let second = FULL ? 1 : 1 + (first % 5); ; second += FULL ? 1 : 5) {
      const { deaths, problem } = await lives(inMemory, [first, second])
      died = deaths.length
      if (problem) problems.push({ deaths, problem })
      if (died < 2) break
    }
    if (died === 0) break
  }
  expect(problems).toEqual([])
})

test("a store that loses an entry it confirmed is found out", { timeout: 600_000 }, async () => {
  const forgetful = async (): Promise<Durable> => {
    const inner = new MemoryStore()
    const store: SessionStore = Object.assign(Object.create(inner), {
      info: inner.info.bind(inner),
      list: inner.list.bind(inner),
      acquire: inner.acquire.bind(inner),
      renew: inner.renew.bind(inner),
      release: inner.release.bind(inner),
      append: inner.append.bind(inner),
      read: async (...args: Parameters<SessionStore["read"]>) =>
        (await inner.read(...args)).filter(({ type }) => type !== "tool_result"),
    })
    return { open: async () => store, done: () => inner.close() }
  }
  await expect(crashMatrix(forgetful)).rejects.toThrow("is gone: only drafts may be dropped")
})

test("the table has one line for points that come to the same", () => {
  const point = (number: number, when: "before" | "after") => ({ number, when, call: "model next" })
  const calls = [{ call: "charge flight", status: "unknown" as const, executions: 1 }]
  expect(
    matrixTable([
      { point: point(1, "before"), outcome: "interrupted", calls, problem: undefined },
      { point: point(2, "after"), outcome: "interrupted", calls, problem: undefined },
      { point: point(3, "before"), outcome: "completed", calls: [], problem: "Paid twice." },
    ]),
  ).toBe(
    [
      "| killed at | which is | found by the next process |",
      "| --- | --- | --- |",
      "| 1 to 2 | before model next … after model next | interrupted; charge flight: unknown, ran 1x |",
      "| 3 | before model next | completed; PROBLEM: Paid twice. |",
    ].join("\n"),
  )
})
