import { expect, test } from "vitest"
import { virtualClock } from "./virtual-clock.ts"

test("moves only when told, and never back", () => {
  const clock = virtualClock(1_000)
  expect(clock.now()).toBe(1_000)
  expect(clock.advance(500)).toBe(1_500)
  expect(clock.now()).toBe(1_500)
  expect(() => clock.advance(-1)).toThrow(RangeError)
  expect(() => clock.advance(Number.NaN)).toThrow(RangeError)
})
