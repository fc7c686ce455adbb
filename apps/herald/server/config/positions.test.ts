import { expect, test } from "vitest"
import { positions } from "./positions.ts"

test("finds the line of every key, however it is written", () => {
  const line = positions(
    [
      "top = 1 # a = 2",
      "'quoted key' = '''",
      "[not.a.table]",
      "x = 1''''",
      '"esc\\u0061pe" = "a \\" b # c" # d',
      'list = [ 1, [2, "]"], # ]',
      "  { deep = [",
      "    true ] },",
      "]",
      "a.b.c = { d = 1, 'e.f' = { g = 2 } }",
      '[table."sub.table"]  # comment',
      "k = 2026-01-01T00:00:00Z",
      "[[items]]",
      "n = 1",
      "[items.inner]",
      "m = 1",
      "[[items]]",
      "n = 2",
      "[[items.sub]]",
      "q = 1",
      "[[items.sub]]",
      "q = 2",
    ].join("\n"),
  )
  expect(line(["top"])).toBe(1)
  expect(line(["quoted key"])).toBe(2)
  expect(line(["escape"])).toBe(5)
  expect(line(["list", 1])).toBe(6)
  expect(line(["list", 2, "deep"])).toBe(7)
  expect(line(["list", 2, "deep", 0])).toBe(8)
  expect(line(["a", "b", "c", "e.f", "g"])).toBe(10)
  expect(line(["table", "sub.table", "k"])).toBe(12)
  expect(line(["items", 0, "n"])).toBe(14)
  expect(line(["items", 0, "inner", "m"])).toBe(16)
  expect(line(["items", 1])).toBe(17)
  expect(line(["items", 1, "sub", 1, "q"])).toBe(22)
  expect(line(["items", 1, "missing"])).toBe(17)
  expect(line(["nowhere"])).toBe(1)
})
