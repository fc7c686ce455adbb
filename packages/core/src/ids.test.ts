import { expect, test } from "vitest"
import { randomId } from "./ids.ts"

test("ids have 122 random bits, and none comes twice", () => {
  const ids = Array.from({ length: 2_000 }, randomId)
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/)
  expect(new Set(ids).size).toBe(ids.length)
  // Two digits say what kind of id it is.
  const different = Array.from({ length: 32 }, (_, place) => new Set(ids.map((id) => id[place])).size)
  expect(different.filter((digits) => digits === 16)).toHaveLength(30)
})
