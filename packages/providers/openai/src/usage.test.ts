import type { Usage } from "@orra/core"
import { expect, test } from "vitest"
import { usageOf } from "./usage.ts"

const VECTORS: readonly (readonly [string, Record<string, unknown>, Partial<Usage>])[] = [
  [
    "OpenAI Chat, thinking is part of the output",
    {
      prompt_tokens: 75,
      completion_tokens: 1_186,
      total_tokens: 1_261,
      prompt_tokens_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 1_024 },
    },
    { inputTokens: 75, outputTokens: 1_186 },
  ],
  [
    "OpenAI Chat, the cache is part of the input",
    {
      prompt_tokens: 2_006,
      completion_tokens: 300,
      total_tokens: 2_306,
      prompt_tokens_details: { cached_tokens: 1_920, cache_write_tokens: 64 },
    },
    { inputTokens: 2_006, outputTokens: 300, cacheReadTokens: 1_920, cacheWriteTokens: 64 },
  ],
  [
    "OpenAI Responses",
    {
      input_tokens: 2_000,
      input_tokens_details: { cached_tokens: 1_500, cache_write_tokens: 400 },
      output_tokens: 900,
      output_tokens_details: { reasoning_tokens: 800 },
      total_tokens: 2_900,
    },
    { inputTokens: 2_000, outputTokens: 900, cacheReadTokens: 1_500, cacheWriteTokens: 400 },
  ],
  [
    "xAI, thinking only in the total",
    {
      prompt_tokens: 10_120,
      completion_tokens: 1_499,
      total_tokens: 14_428,
      prompt_tokens_details: { cached_tokens: 128 },
      completion_tokens_details: { reasoning_tokens: 2_809 },
    },
    { inputTokens: 10_120, outputTokens: 1_499 + 2_809, cacheReadTokens: 128 },
  ],
  [
    "Gemini, thinking only in the total, named nowhere",
    { prompt_tokens: 20, completion_tokens: 198, total_tokens: 623 },
    { inputTokens: 20, outputTokens: 198 + 405 },
  ],
  [
    "DeepSeek's cache",
    { prompt_tokens: 100, completion_tokens: 5, total_tokens: 105, prompt_cache_hit_tokens: 64 },
    { inputTokens: 100, outputTokens: 5, cacheReadTokens: 64 },
  ],
  [
    "Moonshot's cache",
    { prompt_tokens: 100, completion_tokens: 5, total_tokens: 105, cached_tokens: 32 },
    { inputTokens: 100, outputTokens: 5, cacheReadTokens: 32 },
  ],
  [
    "the cache beside the input",
    { prompt_tokens: 10, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 90 } },
    { inputTokens: 90, outputTokens: 5, cacheReadTokens: 90 },
  ],
  ["a total alone says nothing of the output", { total_tokens: 50 }, {}],
  [
    "nonsense",
    { prompt_tokens: -1, completion_tokens: "3", total_tokens: null, prompt_tokens_details: 7 },
    {},
  ],
]

test.each(VECTORS)("%s", (_name, usage, expected) => {
  const none = { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 }
  expect(usageOf(usage)).toEqual({ ...none, ...expected })
})
