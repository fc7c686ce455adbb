import { afterEach, beforeEach, expect, test, vi } from "vitest"
import { watchdog } from "./watchdog.ts"

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

test("fires when nothing came for the time allowed", () => {
  using watch = watchdog(1_000)
  vi.advanceTimersByTime(999)
  expect([watch.signal.aborted, watch.idle]).toEqual([false, false])
  vi.advanceTimersByTime(1)
  expect([watch.signal.aborted, watch.idle]).toEqual([true, true])
})

test("what arrives starts the time anew, without a timer of its own", () => {
  using watch = watchdog(1_000)
  for (let i = 0; i < 10; i++) {
    vi.advanceTimersByTime(900)
    watch.touch()
    expect(vi.getTimerCount()).toBe(1)
  }
  expect(watch.signal.aborted).toBe(false)
  vi.advanceTimersByTime(1_000)
  expect(watch.idle).toBe(true)
})

test("a shorter limit holds at once, and only until the next arrival", () => {
  using watch = watchdog(1_000)
  watch.touch(100)
  vi.advanceTimersByTime(99)
  watch.touch()
  vi.advanceTimersByTime(500)
  expect(watch.idle).toBe(false)
  watch.touch(100)
  vi.advanceTimersByTime(100)
  expect(watch.idle).toBe(true)
})

test("while the reader is busy, silence does not count", () => {
  using watch = watchdog(1_000)
  watch.touch()
  watch.hold()
  vi.advanceTimersByTime(10_000)
  watch.resume()
  vi.advanceTimersByTime(999)
  expect(watch.idle).toBe(false)
  vi.advanceTimersByTime(1_000)
  expect(watch.idle).toBe(true)
})

test("the caller's signal ends it, and is not idleness", () => {
  const caller = new AbortController()
  using watch = watchdog(1_000, caller.signal)
  caller.abort()
  expect([watch.signal.aborted, watch.idle]).toEqual([true, false])
})

test("a signal that fired before counts too", () => {
  using watch = watchdog(1_000, AbortSignal.abort())
  expect(watch.signal.aborted).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})

test("disposing ends the exchange and leaves nothing behind", () => {
  const caller = new AbortController()
  const removed = vi.spyOn(caller.signal, "removeEventListener")
  const watch = watchdog(1_000, caller.signal)
  watch[Symbol.dispose]()
  expect(watch.signal.aborted).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
  expect(removed).toHaveBeenCalledOnce()
})

test("after the end nothing is watched any more, and nothing is aborted", () => {
  const caller = new AbortController()
  const watch = watchdog(1_000, caller.signal)
  watch.end()
  expect(vi.getTimerCount()).toBe(0)
  caller.abort()
  watch[Symbol.dispose]()
  expect(watch.signal.aborted).toBe(false)
})
