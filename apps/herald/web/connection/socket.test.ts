import { expect, test } from "vitest"
import { backoff } from "./socket.ts"

test("attempts come quickly at first, then seldom, and never in step", () => {
  expect(backoff(0, () => 1)).toBe(500)
  expect(backoff(1, () => 1)).toBe(1_000)
  for (let attempt = 0; attempt < 40; attempt++) {
    expect(backoff(attempt, () => 1)).toBeLessThanOrEqual(30_000)
    expect(backoff(attempt, () => 0)).toBe(backoff(attempt, () => 1) / 2)
  }
})
