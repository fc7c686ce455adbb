import { expect, test } from "vitest"
import { readDuration, writeDuration } from "./go-duration.ts"

test.each([
  ["30s", 30_000, "30s"],
  ["30m", 1_800_000, "30m0s"],
  ["1h", 3_600_000, "1h0m0s"],
  ["1h2m3.5s", 3_723_500, "1h2m3.5s"],
  ["250ms", 250, "250ms"],
  ["0", 0, "0s"],
  ["500us", 0.5, "500µs"],
])("the duration %s is %d ms", (text, ms, written) => {
  expect(readDuration(text)).toBe(ms)
  expect(writeDuration(ms)).toBe(written)
})

test("a number is in nanoseconds, and what is no duration is none", () => {
  expect(readDuration(2_000_000_000)).toBe(2_000)
  for (const wrong of ["", "5", "s", "-5s", "5 s", "1d", "1h junk", -1, null, true])
    expect(readDuration(wrong), String(wrong)).toBeUndefined()
})
