import { expect, test } from "vitest"
import { Schemas } from "./schema.ts"

const atLeast = (minimum: number) => ({ type: "integer", minimum })

test("what is said of a value is by its own schema, however many there were and whichever object it is", () => {
  const schemas = new Schemas(3)
  for (let round = 0; round < 2; round++)
    for (let minimum = 0; minimum < 5; minimum++) {
      expect(schemas.faults(atLeast(minimum), minimum)).toEqual([])
      expect(schemas.faults(atLeast(minimum), minimum - 1)).toEqual([`it must be >= ${minimum}`])
    }
  const named = (minimum: number) => ({ $id: "https://example.com/n", ...atLeast(minimum) })
  expect(schemas.faults(named(1), 1)).toEqual([])
  expect(schemas.faults(named(1), 0)).toEqual(["it must be >= 1"])
})
