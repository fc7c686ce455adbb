import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { DEFAULT_PRICES } from "./default-prices.ts"
import { boundOf, costOf, type PriceTable, priceOf } from "./price.ts"
import { NO_USAGE } from "./provider.ts"

const table: PriceTable = {
  date: "2026-01-01",
  models: {
    small: { input: 1, output: 2 },
    "small-x": { input: 3, output: 4, cacheRead: 9, cacheWrite: 5 },
    "local*": { input: 0, output: 0 },
    big: { input: 2, output: 1, above: { tokens: 1_000, input: 8, output: 7 } },
  },
}

describe("the price of a model", () => {
  test.each([
    ["small", 1],
    ["small-20260101", 1],
    ["small-2026-01-01", 1],
    ["small@20260101", 1],
    ["small-latest", 1],
    ["small[1m]", 1],
    ["small-x-latest", 3],
    ["local/llama", 0],
  ])("of %s is known", (model, input) => {
    expect(priceOf(table, model)).toMatchObject({ known: true, price: { input } })
  })

  test.each(["smaller", "small-y", "small-2", "x-small", "", "bi", "small-20260101-x"])(
    "of %j is the dearest of each rate, and says so",
    (model) => {
      expect(priceOf(table, model)).toEqual({
        known: false,
        price: { input: 8, output: 7, cacheRead: 9, cacheWrite: 8 },
      })
    },
  )

  test("an empty table prices nothing", () => {
    expect(() => priceOf({ date: "2026-01-01", models: {} }, "m")).toThrow(/at least one model/)
  })
})

describe("the cost of a call", () => {
  const usage = {
    inputTokens: 1_000_000,
    outputTokens: 100_000,
    cacheReadTokens: 200_000,
    cacheWriteTokens: 300_000,
  }

  test("counts what was cached at its own rate, and the rest of the input at the input's", () => {
    const price = { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 }
    expect(costOf(price, usage)).toBe(4_185_000_000)
    expect(costOf({ input: 3, output: 15 }, usage)).toBe(4.5 * 1e9)
    expect(costOf(price, NO_USAGE)).toBe(0)
  })

  test("is a whole number of nano-dollars, rounded up", () => {
    const one = { ...NO_USAGE, inputTokens: 1 }
    expect(costOf({ input: 0.1, output: 0 }, { ...one, inputTokens: 3 })).toBe(300)
    expect(costOf({ input: 0.0025, output: 0 }, one)).toBe(3)
    expect(costOf({ input: 0.005, output: 0 }, one)).toBe(5)
  })

  test("a long request pays the rates for long ones, output included", () => {
    const price = table.models["big"] ?? { input: 0, output: 0 }
    expect(costOf(price, { ...NO_USAGE, inputTokens: 1_000, outputTokens: 1 })).toBe(2_001_000)
    expect(costOf(price, { ...NO_USAGE, inputTokens: 1_001, outputTokens: 1 })).toBe(8_015_000)
  })

  test("property: never more than the bound for as many tokens, of any model", () => {
    const count = fc.integer({ min: 0, max: 1_000_000 })
    const model = fc.constantFrom(...Object.keys(DEFAULT_PRICES.models), "unknown")
    fc.assert(
      fc.property(
        model,
        count,
        count,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (name, input, output, share) => {
          const { price } = priceOf(DEFAULT_PRICES, name)
          const read = Math.floor(input * share)
          const spent = {
            inputTokens: input,
            outputTokens: output,
            cacheReadTokens: read,
            cacheWriteTokens: input - read,
          }
          expect(costOf(price, spent)).toBeLessThanOrEqual(boundOf(price, input, output))
          expect(Number.isSafeInteger(costOf(price, spent))).toBe(true)
        },
      ),
    )
  })
})

test("the default prices are dated, and know the models that the providers use by default", () => {
  expect(DEFAULT_PRICES.date).toMatch(/^\d{4}-\d\d-\d\d$/)
  for (const model of ["claude-sonnet-5-5", "claude-haiku-4-5-20251001", "gpt-5.4-mini", "gpt-5.1"]) {
    expect(priceOf(DEFAULT_PRICES, model).known).toBe(true)
  }
  for (const price of Object.values(DEFAULT_PRICES.models)) {
    for (const rates of price.above ? [price, price.above] : [price]) {
      expect(rates.output).toBeGreaterThan(rates.input)
      expect(rates.cacheRead ?? 0).toBeLessThan(rates.input)
    }
  }
})
