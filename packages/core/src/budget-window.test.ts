import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { endOf, PERIODS, startOf, type Window, windowAt } from "./budget-window.ts"

const at = (text: string): number => Date.parse(text)
const DAY = 86_400_000

describe("windows", () => {
  test("begin with the hour, the day and the month in UTC", () => {
    const now = at("2024-02-29T23:59:59.999Z")
    expect(startOf("hour", now)).toBe(at("2024-02-29T23:00:00Z"))
    expect(startOf("day", now)).toBe(at("2024-02-29T00:00:00Z"))
    expect(startOf("month", now)).toBe(at("2024-02-01T00:00:00Z"))
    expect(endOf("month", startOf("month", now))).toBe(at("2024-03-01T00:00:00Z"))
    expect(endOf("month", at("2024-12-01T00:00:00Z"))).toBe(at("2025-01-01T00:00:00Z"))
    for (const per of ["run", "ever"] as const)
      expect([startOf(per, now), endOf(per, 0)]).toEqual([0, undefined])
  })

  test("property: each moment is in exactly one window, and windows have no gaps", () => {
    fc.assert(
      fc.property(fc.constantFrom(...PERIODS), fc.integer({ min: 0, max: 4e12 }), (per, now) => {
        const start = startOf(per, now)
        const end = endOf(per, start)
        expect(start).toBeLessThanOrEqual(now)
        expect(startOf(per, start)).toBe(start)
        if (end === undefined) return
        expect(end).toBeGreaterThan(now)
        expect(startOf(per, end)).toBe(end)
        expect(startOf(per, end - 1)).toBe(start)
      }),
    )
  })
})

describe("a clock", () => {
  const today = at("2026-03-10T12:00:00Z")
  const spent = (start: number): Window => ({ start, spent: { usd: 7 } })
  const day = (now: number, last?: Window): Window => windowAt("day", now, last)

  test("that goes on opens a new window at its end, and not before", () => {
    const window = spent(startOf("day", today))
    expect(day(at("2026-03-10T23:59:59.999Z"), window)).toBe(window)
    expect(day(at("2026-03-11T00:00:00Z"), window)).toEqual({ start: at("2026-03-11T00:00:00Z"), spent: {} })
  })

  test("of another process that is behind around midnight gets nothing back", () => {
    const window = spent(at("2026-03-10T00:00:00Z"))
    expect(day(at("2026-03-09T23:59:59Z"), window)).toBe(window)
  })

  test("that jumps back by days frees nothing, not when it returns either", () => {
    const window = spent(startOf("day", today))
    const back = day(today - 5 * DAY, window)
    expect(back.spent).toEqual({ usd: 7 })
    expect(day(today, back)).toEqual({ ...window, ahead: undefined })
    expect(day(today, back).spent).toEqual({ usd: 7 })
  })

  test("that had jumped ahead locks nothing for longer than the present window", () => {
    const ahead = day(today + 4_000 * DAY, spent(startOf("day", today)))
    expect(ahead.spent).toEqual({})
    const early = { ...ahead, spent: { usd: 3 } }
    const present = day(today, early)
    expect(present).toMatchObject({ start: startOf("day", today), spent: { usd: 3 } })
    expect(day(today + DAY, present).spent).toEqual({})
  })

  test("property: whatever it does, a window is only empty when a later one than before begins", () => {
    const times = fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(times, (days) => {
        let last: Window | undefined
        let opened = 0
        let highest = -1
        for (const one of days) {
          const before: Window | undefined = last
          const now = one * DAY + 1
          last = windowAt("day", now, last)
          if (!before || last.spent["n"] === undefined) {
            expect(startOf("day", now)).toBeGreaterThan(before?.start ?? -1)
            opened++
          } else expect(last.spent).toEqual(before.spent)
          highest = Math.max(highest, one)
          last = { ...last, spent: { n: 1 } }
        }
        expect(opened).toBeLessThanOrEqual(days.length)
      }),
    )
  })
})
