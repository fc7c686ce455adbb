import { expect, onTestFinished, test, vi } from "vitest"
import { backoff, Connection } from "./socket.ts"

test("attempts come quickly at first, then seldom, and never in step", () => {
  expect(backoff(0, () => 1)).toBe(500)
  expect(backoff(1, () => 1)).toBe(1_000)
  for (let attempt = 0; attempt < 40; attempt++) {
    expect(backoff(attempt, () => 1)).toBeLessThanOrEqual(30_000)
    expect(backoff(attempt, () => 0)).toBe(backoff(attempt, () => 1) / 2)
  }
})

test("a page that nobody looks at gives up after half a minute, and tries again when it is looked at", async () => {
  vi.useFakeTimers()
  onTestFinished(() => {
    vi.useRealTimers()
    vi.unstubAllGlobals()
  })
  let attempts = 0
  class Refused {
    onclose = (): void => {}
    constructor() {
      attempts++
      queueMicrotask(() => this.onclose())
    }
    close(): void {}
  }
  const page = Object.assign(new EventTarget(), { visibilityState: "hidden" })
  vi.stubGlobal("WebSocket", Refused)
  vi.stubGlobal("document", page)
  vi.stubGlobal("window", new EventTarget())
  const connection = new Connection("ws://127.0.0.1/", () => {})
  connection.start()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(attempts).toBeGreaterThan(4)
  expect(connection.status()).toEqual({ state: "offline" })

  const before = attempts
  await vi.advanceTimersByTimeAsync(3_600_000)
  expect(attempts).toBe(before)
  page.visibilityState = "visible"
  page.dispatchEvent(new Event("visibilitychange"))
  expect(attempts).toBe(before + 1)
  await vi.advanceTimersByTimeAsync(3_600_000)
  expect(attempts).toBeGreaterThan(before + 100)
  connection.stop()
})
