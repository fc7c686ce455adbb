import type { PriceTable } from "./price.ts"

/**
 * Prices of Claude and OpenAI models without discounts for batches or surcharges for speed and region, as price lists
 * that follow the vendors' own pages had them in October and early November 2026. Prices change: compare with the
 * vendor's page before money depends on it. A model that is missing here counts as the dearest.
 *
 * Cache writes are those that live for five minutes.
 */
export const DEFAULT_PRICES: PriceTable = {
  date: "2026-10-24",
  models: {
    "claude-fable-5-1": { input: 10, output: 50, cacheRead: 0.25, cacheWrite: 12.5 },
    "claude-fable-5": { input: 10, output: 50, cacheRead: 1, cacheWrite: 12.5 },
    "claude-opus-5-5": { input: 4, output: 20, cacheRead: 0.2, cacheWrite: 5 },
    "claude-opus-5": { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25 },
    "claude-opus-4-8": { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25 },
    "claude-opus-4-7": { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25 },
    "claude-opus-4-6": { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25 },
    "claude-opus-4-5": { input: 5, output: 25, cacheRead: 0.5, cacheWrite: 6.25 },
    "claude-opus-4-1": { input: 15, output: 75, cacheRead: 1.5, cacheWrite: 18.75 },
    "claude-opus-4": { input: 15, output: 75, cacheRead: 1.5, cacheWrite: 18.75 },
    "claude-sonnet-5-5": { input: 2, output: 10, cacheRead: 0.1, cacheWrite: 2.5 },
    "claude-sonnet-5": { input: 2, output: 10, cacheRead: 0.2, cacheWrite: 2.5 },
    "claude-sonnet-4-6": { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
    "claude-sonnet-4-5": { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
    "claude-sonnet-4": { input: 3, output: 15, cacheRead: 0.3, cacheWrite: 3.75 },
    "claude-haiku-5-5": {
      input: 0.1,
      output: 0.5,
      cacheRead: 0.01,
      cacheWrite: 0.125,
      above: { tokens: 100_000, input: 0.5, output: 2.5, cacheRead: 0.05, cacheWrite: 0.625 },
    },
    "claude-haiku-4-5": { input: 1, output: 5, cacheRead: 0.1, cacheWrite: 1.25 },
    "claude-3-5-haiku": { input: 0.8, output: 4, cacheRead: 0.08, cacheWrite: 1 },
    "gpt-5.6-sol": {
      input: 5,
      output: 30,
      cacheRead: 0.5,
      cacheWrite: 6.25,
      above: { tokens: 272_000, input: 10, output: 45, cacheRead: 1, cacheWrite: 12.5 },
    },
    "gpt-5.6-terra": {
      input: 2,
      output: 12,
      cacheRead: 0.2,
      cacheWrite: 2.5,
      above: { tokens: 272_000, input: 4, output: 18, cacheRead: 0.4, cacheWrite: 5 },
    },
    "gpt-5.6-luna": {
      input: 0.2,
      output: 1.2,
      cacheRead: 0.02,
      cacheWrite: 0.25,
      above: { tokens: 200_000, input: 0.4, output: 1.8, cacheRead: 0.04, cacheWrite: 0.5 },
    },
    "gpt-5.5-pro": { input: 30, output: 180 },
    "gpt-5.5": {
      input: 5,
      output: 30,
      cacheRead: 0.5,
      above: { tokens: 272_000, input: 10, output: 45, cacheRead: 1 },
    },
    "gpt-5.4-pro": { input: 30, output: 180 },
    "gpt-5.4": {
      input: 2.5,
      output: 15,
      cacheRead: 0.25,
      above: { tokens: 272_000, input: 5, output: 22.5, cacheRead: 0.5 },
    },
    "gpt-5.4-mini": { input: 0.75, output: 4.5, cacheRead: 0.075 },
    "gpt-5.4-nano": { input: 0.2, output: 1.25, cacheRead: 0.02 },
    "gpt-5.3-codex": { input: 1.75, output: 14, cacheRead: 0.175 },
    "gpt-5.2": { input: 1.75, output: 14, cacheRead: 0.175 },
    "gpt-5.1": { input: 1.25, output: 10, cacheRead: 0.125 },
    "gpt-5-pro": { input: 15, output: 120 },
    "gpt-5": { input: 1.25, output: 10, cacheRead: 0.125 },
    "gpt-5-mini": { input: 0.25, output: 2, cacheRead: 0.025 },
    "gpt-5-nano": { input: 0.05, output: 0.4, cacheRead: 0.005 },
    "gpt-4.1": { input: 2, output: 8, cacheRead: 0.5 },
    "gpt-4.1-mini": { input: 0.4, output: 1.6, cacheRead: 0.1 },
    "gpt-4.1-nano": { input: 0.1, output: 0.4, cacheRead: 0.025 },
    "gpt-4o": { input: 2.5, output: 10, cacheRead: 1.25 },
    "gpt-4o-mini": { input: 0.15, output: 0.6, cacheRead: 0.075 },
    o3: { input: 2, output: 8, cacheRead: 0.5 },
    "o4-mini": { input: 1.1, output: 4.4, cacheRead: 0.275 },
  },
}
