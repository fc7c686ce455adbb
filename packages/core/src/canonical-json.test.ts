import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { canonicalJson } from "./canonical-json.ts"

describe("RFC 8785", () => {
  test("section 3.2.2: literals, numbers and texts are written as ECMAScript writes them", () => {
    const value = {
      numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
      string: "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"/",
      literals: [null, true, false],
    }
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    )
  })

  test("section 3.2.3: members are sorted by the UTF-16 code units of their names", () => {
    const value = {
      "\u20ac": "Euro Sign",
      "\r": "Carriage Return",
      "\ufb33": "Hebrew Letter Dalet With Dagesh",
      "1": "One",
      "\ud83d\ude00": "Emoji: Grinning Face",
      "\u0080": "Control",
      "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    const parsed: unknown = JSON.parse(canonicalJson(value))
    expect(canonicalJson(value).match(/"[^"]*"(?=})/)?.[0]).toBe('"Hebrew Letter Dalet With Dagesh"')
    const texts = [...canonicalJson(value).matchAll(/:"([^"]*)"/g)].map(([, text]) => text)
    expect(texts).toEqual([
      "Carriage Return",
      "One",
      "Control",
      "Latin Small Letter O With Diaeresis",
      "Euro Sign",
      "Emoji: Grinning Face",
      "Hebrew Letter Dalet With Dagesh",
    ])
    expect(parsed).toEqual(value)
  })

  test.each([
    ["0000000000000000", "0"],
    ["8000000000000000", "0"],
    ["0000000000000001", "5e-324"],
    ["8000000000000001", "-5e-324"],
    ["7fefffffffffffff", "1.7976931348623157e+308"],
    ["ffefffffffffffff", "-1.7976931348623157e+308"],
    ["4340000000000000", "9007199254740992"],
    ["c340000000000000", "-9007199254740992"],
    ["4430000000000000", "295147905179352830000"],
    ["44b52d02c7e14af5", "9.999999999999997e+22"],
    ["44b52d02c7e14af6", "1e+23"],
    ["44b52d02c7e14af7", "1.0000000000000001e+23"],
    ["444b1ae4d6e2ef4e", "999999999999999700000"],
    ["444b1ae4d6e2ef4f", "999999999999999900000"],
    ["444b1ae4d6e2ef50", "1e+21"],
    ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
    ["3eb0c6f7a0b5ed8d", "0.000001"],
    ["41b3de4355555553", "333333333.3333332"],
    ["41b3de4355555554", "333333333.33333325"],
    ["41b3de4355555555", "333333333.3333333"],
    ["41b3de4355555556", "333333333.3333334"],
    ["41b3de4355555557", "333333333.33333343"],
    ["becbf647612f3696", "-0.0000033333333333333333"],
    ["43143ff3c1cb0959", "1424953923781206.2"],
  ])("appendix B: the number with the bits %s", (bits, text) => {
    const view = new DataView(new ArrayBuffer(8))
    view.setBigUint64(0, BigInt(`0x${bits}`))
    expect(canonicalJson(view.getFloat64(0))).toBe(text)
  })

  test("what is no JSON has no canonical form", () => {
    const invalid = [Number.NaN, Number.POSITIVE_INFINITY, undefined, { a: undefined }, [() => 1], "\ud800"]
    for (const value of invalid) {
      expect(() => canonicalJson(value)).toThrowError(expect.objectContaining({ code: "invalid_input" }))
    }
    expect(() => canonicalJson({ "\udead": 1 })).toThrow()
  })
})

const text = fc.string({ unit: "grapheme" })
const json = fc.jsonValue({ stringUnit: "grapheme" })

test("property: it says the same value, and does not depend on the order of members", () => {
  fc.assert(
    fc.property(fc.dictionary(text, json), (value) => {
      const turned = Object.fromEntries(Object.entries(value).reverse())
      expect(canonicalJson(turned)).toBe(canonicalJson(value))
      expect(canonicalJson(JSON.parse(canonicalJson(value)))).toBe(canonicalJson(value))
    }),
  )
})
