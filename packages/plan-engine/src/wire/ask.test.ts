import type { Json } from "@orra/core"
import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { Ask } from "./ask.ts"
import type { Connection } from "./connection.ts"

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A task of a service whose connection is there, and sends into a list. */
function asked() {
  const sent: object[] = []
  const connection = { load: 0, send: (message: object) => void sent.push(message) } as unknown as Connection
  const told: Json[] = []
  const stop = new AbortController()
  const ask = new Ask(
    {
      service: "s_a",
      key: "k1",
      message: () => ({ at: Date.now() }),
      timeoutMs: 1_000,
      graceMs: 10_000,
      onProgress: ({ data }) => void told.push(data),
      signal: stop.signal,
    },
    { redeliverMs: [150, 400], handoverMs: 50 },
    () => connection,
  )
  const reply = ask.reply()
  reply.catch(() => {})
  return { ask, connection, sent, told, stop, reply }
}

test("a task has its whole time again with everything its service tells", async () => {
  const { ask, told, reply } = asked()
  for (let step = 1; step <= 8; step++) {
    await vi.advanceTimersByTimeAsync(900)
    ask.heard({ type: "progress", key: "k1", data: step })
  }
  expect(told).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
  ask.heard({ type: "working", key: "k1" })
  await vi.advanceTimersByTimeAsync(1_000)
  expect(await reply).toEqual({ type: "late" })
})

test("a task is sent again soon, then less often", async () => {
  const { sent } = asked()
  await vi.advanceTimersByTimeAsync(999)
  expect(sent).toHaveLength(1 + 1 + 2)
})

test("the time of a task stands still while its service is away", async () => {
  const { ask, connection, reply } = asked()
  ask.closed({ load: 1 } as Connection)
  expect(connection.load).toBe(1)
  await vi.advanceTimersByTimeAsync(900)
  ask.closed(connection)
  expect(connection.load).toBe(0)
  await vi.advanceTimersByTimeAsync(40)
  ask.opened(connection)
  await vi.advanceTimersByTimeAsync(999)
  ask.heard({ type: "result", key: "k1", execution: "e", result: null })
  expect(await reply).toMatchObject({ type: "result" })
  expect(connection.load).toBe(0)
})

test("a process that stops waits no more", async () => {
  const { stop, reply } = asked()
  stop.abort(new Error("It stops."))
  await expect(reply).rejects.toThrow("It stops.")
  expect(vi.getTimerCount()).toBe(0)
})
