import { expect, test } from "vitest"
import { type Branch, takenBy } from "./delegations.ts"

const branch = (namespace: string, tokens: number, cost: number | null): Branch => ({
  namespace,
  parent: null,
  call_id: null,
  agent: "Nova",
  helper: false,
  status: "completed",
  started_at: 0,
  ended_at: 1,
  input_tokens: tokens,
  output_tokens: 1,
  cost,
  can: [],
})

test("a branch has taken what those below it have, and the cost is known when all of it is", () => {
  const one = branch("web:c:~agents:r:1", 10, 0.25)
  const below = branch("web:c:~agents:r:1:~agents:s:1", 20, 0.5)
  const beside = branch("web:c:~agents:r:10", 40, null)
  expect(takenBy(one, [one, below, beside])).toEqual({ tokens: 32, usd: 0.75, below: 1 })
  expect(takenBy(below, [one, below, beside])).toEqual({ tokens: 21, usd: 0.5, below: 0 })
  expect(takenBy(beside, [one, below, beside])).toEqual({ tokens: 41, usd: undefined, below: 0 })
  const unpriced = branch("web:c:~agents:r:1:~agents:s:2", 1, null)
  expect(takenBy(one, [one, below, unpriced]).usd).toBeUndefined()
})
