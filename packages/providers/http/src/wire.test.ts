import type { Json } from "@orra/core"
import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { acceptedToolName, callIdMapper, toolCallPart, wellFormed } from "./wire.ts"

describe("toolCallPart", () => {
  test.each(["", " \n"])("no text is no arguments: %j", (text) => {
    expect(toolCallPart("1", "now", text)).toEqual({ type: "tool_call", id: "1", name: "now", arguments: {} })
  })

  test("any JSON object comes through", () => {
    const keys = fc.string().filter((key) => !["__proto__", "constructor", "prototype"].includes(key))
    fc.assert(
      fc.property(fc.dictionary(keys, fc.jsonValue({ noUnicodeString: false, maxDepth: 2 })), (value) => {
        const text = JSON.stringify(value)
        fc.pre(!/__proto__|constructor|prototype/.test(text))
        expect(JSON.stringify(toolCallPart("1", "x", text).arguments)).toBe(text)
      }),
    )
  })

  test.each(["[]", "1", "null", '"x"', "{", '{"a": {"constructor": 1}}'])("%s is invalid", (text) => {
    expect(toolCallPart("1", "x", text)).toMatchObject({ arguments: {}, invalid: text })
  })
})

test("wellFormed leaves no lone surrogate, and nothing else changed", () => {
  const value = { "a\ud800": ["\udc00", { b: "🎉" }, 1, null, true] }
  expect(wellFormed(value)).toEqual({ "a\ufffd": ["\ufffd", { b: "🎉" }, 1, null, true] })
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false }), (json) => {
      expect(JSON.stringify(wellFormed(json as Json)).isWellFormed()).toBe(true)
    }),
  )
})

describe("callIdMapper", () => {
  test("every call gets an accepted id of its own, its result the same", () => {
    const ids = fc.array(fc.string({ unit: "binary", maxLength: 60 }), { maxLength: 30 })
    fc.assert(
      fc.property(ids, (list) => {
        const mapper = callIdMapper(40)
        const sent = list.map((id) => {
          const call = mapper.call(id)
          expect(mapper.result(id)).toBe(call)
          expect(call).toMatch(/^[a-zA-Z0-9_-]{1,40}$/)
          return call
        })
        expect(new Set(sent).size).toBe(sent.length)
      }),
    )
  })

  test("an id that is accepted stays as it is", () => {
    expect(callIdMapper(64).call("toolu_01AbC-9")).toBe("toolu_01AbC-9")
  })
})

test("acceptedToolName", () => {
  expect(["weather", "a.b c", "", "n".repeat(80)].map(acceptedToolName)).toEqual([
    "weather",
    "a_b_c",
    "unknown",
    "n".repeat(64),
  ])
})
