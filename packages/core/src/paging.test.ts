import fc from "fast-check"
import { expect, test } from "vitest"
import { decodeCursor, encodeCursor, foldCase, pageLimit } from "./paging.ts"

test("property: a cursor gives back its place, in characters that a URL takes", () => {
  const key = fc.string({
    unit: fc.constantFrom("a", ":", "%", "~", "é", "漢", "😀", "\0", "/", " "),
  })
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), key, (updatedAt, key) => {
      const cursor = encodeCursor({ updatedAt, key })
      expect(decodeCursor(cursor)).toEqual({ updatedAt: updatedAt === 0 ? 0 : updatedAt, key })
      expect(cursor).toMatch(/^[\x21-\x7e]+$/)
    }),
  )
})

test("property: any other text is refused", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom("1", "~", "%", "2", "e", " ") })),
      (text) => {
        try {
          expect(encodeCursor(decodeCursor(text))).toBe(text)
        } catch (error) {
          expect(error).toMatchObject({ code: "invalid_input" })
        }
      },
    ),
  )
})

test("folding makes letters of either case equal, in every script", () => {
  for (const [a, b] of [
    ["Straße", "STRASSE"],
    ["ΟΔΥΣΣΕΎΣ", "οδυσσεύς"],
    ["Привет", "ПРИВЕТ"],
    ["k", "\u212a"],
    ["é", "E\u0301"],
  ] as const) {
    expect(foldCase(a)).toBe(foldCase(b))
  }
  expect(foldCase("a")).not.toBe(foldCase("ä"))
})

test("a page has 1 to 500 items, 50 by default", () => {
  expect(pageLimit(undefined)).toBe(50)
  expect([1, 500].map(pageLimit)).toEqual([1, 500])
  for (const limit of [0, 501, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => pageLimit(limit)).toThrow(expect.objectContaining({ code: "invalid_input" }))
  }
})
