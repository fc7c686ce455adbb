import { expect, test } from "vitest"
import { randomId } from "./ids.ts"

test("ids have 128 bits, all of them random, and none comes twice", () => {
  const ids = Array.from({ length: 2_000 }, randomId)
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/)
  expect(new Set(ids).size).toBe(ids.length)
  for (let place = 0; place < 32; place++) expect(new Set(ids.map((id) => id[place])).size).toBe(16)
})
