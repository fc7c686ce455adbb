import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { acceptedToolName, callIdMapper, toolCallPart, wellFormed } from "./wire.ts"

describe("toolCallPart", () => {
  test.each(["", " \n"])("no text is no arguments: %j", (text) => {
    expect(toolCallPart("1", "now", text)).toEqual({ type: "tool_call", id: "1", name: "now", arguments: {} })
  })

  test("any JSON object comes through", () => {
    const value = fc.oneof(fc.string(), fc.double(), fc.boolean(), fc.constant(null))
    const object = fc.dictionary(
      fc.string(),
      fc.oneof(value, fc.array(value), fc.dictionary(fc.string(), value)),
    )
    fc.assert(
      fc.property(object, (given) => {
        const text = JSON.stringify(given)
        fc.pre(!/"(__proto__|constructor|prototype)":/.test(text))
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
  const text = fc.string({ unit: fc.constantFrom("a", "🎉", "\ud83c", "\udf89") })
  fc.assert(
    fc.property(text, (part) => {
      expect(wellFormed([part])[0]?.isWellFormed()).toBe(true)
    }),
  )
})

describe("callIdMapper", () => {
  test("every call gets an accepted id of its own, its result the same", () => {
    const id = fc.oneof(fc.constantFrom("", "a", "a_2", "a b", "call"), fc.string({ maxLength: 60 }))
    fc.assert(
      fc.property(fc.array(id, { maxLength: 12 }), (ids) => {
        const mapper = callIdMapper(40)
        const sent = ids.map((given) => [mapper.call(given), mapper.result(given)])
        expect(sent.filter(([call, result]) => call !== result)).toEqual([])
        expect(sent.flat().filter((call) => !/^[a-zA-Z0-9_-]{1,40}$/.test(call ?? ""))).toEqual([])
        expect(new Set(sent.flat()).size).toBe(sent.length)
      }),
    )
  })

  test("the same id in every answer costs no more in a long conversation", () => {
    const mapper = callIdMapper(40)
    const sent = Array.from({ length: 50_000 }, () => mapper.call("functions.weather:0"))
    expect(new Set(sent).size).toBe(50_000)
    expect(sent.slice(0, 3)).toEqual([
      "functions_weather_0",
      "functions_weather_0_2",
      "functions_weather_0_3",
    ])
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
