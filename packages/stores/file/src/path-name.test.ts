import fc from "fast-check"
import { expect, test } from "vitest"
import { fromNames, toNames } from "./path-name.ts"

test.each([
  ["bob", ["bob"]],
  ["bob@Acme", ["bob%40%41cme"]],
  ["..", ["%2e%2e"]],
  ["/etc/passwd", ["%2fetc%2fpasswd"]],
  ["v1.0", ["v1%2e0"]],
  ["a%b=c+d", ["a%25b%3dc%2bd"]],
  ["con", ["%63on"]],
  ["nul.txt", ["nul%2etxt"]],
  ["\0", ["%00"]],
])("%j is %j", (text, names) => {
  expect(toNames(text)).toEqual(names)
  expect(fromNames(names)).toBe(text)
})

const odd = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom("a", "A", "é", "e\u0301", "ß", "/", ".", ":", "%", "=", "+", " ", "İ", "ı"),
  }),
  fc.constantFrom("con", "CON", "aux", "com1", "lpt9", "."),
)

test("S10: any text comes back, in names that every file system takes", () => {
  fc.assert(
    fc.property(odd, (text) => {
      const names = toNames(text)
      for (const name of names) {
        expect(name).toMatch(/^[a-z0-9_%=+-]{1,201}$/)
        expect(name).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)$/)
      }
      if (text !== "") expect(fromNames(names)).toBe(text)
    }),
    { numRuns: 2_000 },
  )
})

test("different texts have different names where case and accents do not count", () => {
  fc.assert(
    fc.property(odd, odd, (a, b) => {
      fc.pre(a !== b)
      const fold = (text: string) => toNames(text).join("/").toLowerCase().normalize("NFC")
      expect(fold(a)).not.toBe(fold(b))
    }),
    { numRuns: 2_000 },
  )
})

test("the longest key of a namespace fits a path", () => {
  for (const char of ["a", "A", "日", "\ud83e"]) {
    const path = toNames(char.repeat(1_024)).join("/")
    expect(path.length).toBeLessThan(3_400)
    expect(fromNames(path.split("/"))).toBe(char.repeat(1_024))
  }
})

test("names that are not made here name nothing", () => {
  for (const names of [
    ["A"],
    ["%61"],
    ["%2E"],
    ["con"],
    ["a+"],
    ["a", "b"],
    ["=0="],
    ["=ww="],
    ["é"],
    [".."],
    [""],
  ]) {
    expect(fromNames(names)).toBeUndefined()
  }
})
