import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { copyJson } from "./frozen.ts"
import { parseJson } from "./json.ts"

describe("parseJson", () => {
  test("reads what JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const text = JSON.stringify(value)
        fc.pre(!/proto|constructor/.test(text))
        expect(parseJson(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  test.each(["__proto__", "constructor", "prototype", "\\u005f_proto__"])(
    "refuses the key %s, however deep",
    (key) => {
      for (const text of [`{"${key}":1}`, `{"a":[[{"b":{"${key}":{}}}]]}`])
        expect(() => parseJson(text)).toThrow(SyntaxError)
    },
  )

  test("takes the same words as values", () => {
    expect(parseJson('["__proto__",{"a":"constructor"}]')).toEqual(["__proto__", { a: "constructor" }])
  })

  test("refuses what is nested too deeply, and nothing because it is long", () => {
    const nested = (open: string, depth: number, close: string) => open.repeat(depth) + close.repeat(depth)
    expect(() => parseJson(nested("[", 100_000, "]"))).toThrow("nested deeper than 500 levels")
    expect(() => parseJson(`${nested('{"a":', 600, "}").replace("}", "1}")}`)).toThrow("nested deeper")
    expect(() => parseJson(nested("[", 500, "]"))).not.toThrow()
    expect(parseJson(`[${"[],".repeat(100_000)}1]`)).toHaveLength(100_001)
  })

  test.each(["", "{", "nope", "[1,]"])("refuses %j, which is no JSON", (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError)
  })
})

describe("copyJson", () => {
  const objects = (value: unknown): readonly object[] =>
    typeof value === "object" && value !== null ? [value, ...Object.values(value).flatMap(objects)] : []

  test("is the same value, with no object in common", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const copy = copyJson(value)
        expect(copy).toStrictEqual(value)
        const theirs = new Set(objects(value))
        expect(objects(copy).filter((object) => theirs.has(object))).toEqual([])
      }),
    )
  })

  test("keeps a key that names a prototype as what it is, a key", () => {
    const copy: object = copyJson(JSON.parse('{"__proto__":{"a":{}}}'))
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
    expect(JSON.stringify(copy)).toBe('{"__proto__":{"a":{}}}')
  })
})
