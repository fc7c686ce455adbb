import { InvalidInput } from "./errors.ts"
import type { Usage } from "./provider.ts"

/** USD for a million tokens. */
export interface Rates {
  readonly input: number
  readonly output: number
  /** Input that the provider had cached. Default: `input`. */
  readonly cacheRead?: number
  /** Input that the provider caches. Default: `input`. */
  readonly cacheWrite?: number
}

/** What a model costs. `above` holds for the whole call once it sends more than that many tokens. */
export interface Price extends Rates {
  readonly above?: Rates & { readonly tokens: number }
}

/**
 * What models cost, as of a date. A name that ends in "*" stands for all that begin like it.
 *
 * ```ts
 * const prices: PriceTable = {
 *   date: "2026-11-01",
 *   models: { ...DEFAULT_PRICES.models, "llama*": { input: 0, output: 0 } },
 * }
 * ```
 */
export interface PriceTable {
  /** When the prices were looked up, as "2026-11-01". */
  readonly date: string
  readonly models: Readonly<Record<string, Price>>
}

/** A price, and whether the table knows the model. */
export interface FoundPrice {
  readonly price: Price
  /** False: it is the dearest of the table, rate by rate. */
  readonly known: boolean
}

/** What may follow a model's name without making it another model: a date, "latest", a window such as "[1m]". */
const SAME_MODEL = /^(?:[-@](?:\d{8}|\d{4}-\d{2}-\d{2}|latest))?(?:\[\w+\])?$/

/** Nano-dollars (USD 1e-9) are whole numbers, so that sums are exact: 9 million USD still fit. */
export const NANO = 1_000_000_000

/**
 * The price of a model: of its own name, of the longest name in the table that only a date is missing from, or of the
 * longest "*" that covers it. A model that the table does not know counts as the dearest: nobody spends more than
 * allowed for want of a price.
 */
export function priceOf(table: PriceTable, model: string): FoundPrice {
  let best: Price | undefined
  let length = -1
  for (const [name, price] of Object.entries(table.models)) {
    const isPattern = name.endsWith("*")
    const stem = isPattern ? name.slice(0, -1) : name
    if (stem.length <= length || !model.startsWith(stem)) continue
    if (!isPattern && !SAME_MODEL.test(model.slice(stem.length))) continue
    best = price
    length = stem.length
  }
  return best ? { price: best, known: true } : { price: dearest(table), known: false }
}

/** What a call costs, in whole nano-dollars, rounded up. */
export function costOf(price: Price, usage: Usage): number {
  const { input, output, cacheRead = input, cacheWrite = input } = ratesFor(price, usage.inputTokens)
  const cached = usage.cacheReadTokens + usage.cacheWriteTokens
  const micro =
    Math.max(0, usage.inputTokens - cached) * input +
    usage.cacheReadTokens * cacheRead +
    usage.cacheWriteTokens * cacheWrite +
    usage.outputTokens * output
  // Rates have at most a few decimals: what floating point adds beyond them is no part of the price.
  return Math.ceil(Math.round(micro * 1e6) / 1e3)
}

/** The most that a call can cost which sends and gets at most so many tokens, in whole nano-dollars. */
export function boundOf(price: Price, inputTokens: number, outputTokens: number): number {
  const base = ratesFor(price, inputTokens)
  const worst = (rates: Rates): number => Math.max(rates.input, rates.cacheRead ?? 0, rates.cacheWrite ?? 0)
  return Math.ceil(Math.round((inputTokens * worst(base) + outputTokens * base.output) * 1e6) / 1e3)
}

const ratesFor = (price: Price, inputTokens: number): Rates =>
  price.above && inputTokens > price.above.tokens ? price.above : price

function dearest({ models }: PriceTable): Price {
  const all = Object.values(models).flatMap((price) => (price.above ? [price, price.above] : [price]))
  if (all.length === 0) throw new InvalidInput("A price table needs at least one model.")
  const most = (rate: (rates: Rates) => number): number => Math.max(...all.map(rate))
  return {
    input: most(({ input }) => input),
    output: most(({ output }) => output),
    cacheRead: most(({ input, cacheRead = input }) => cacheRead),
    cacheWrite: most(({ input, cacheWrite = input }) => cacheWrite),
  }
}
