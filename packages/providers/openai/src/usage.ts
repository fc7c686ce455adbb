import { isObject, type Usage } from "@orra/core"

type Fields = Readonly<Record<string, unknown>>

/**
 * What a call cost in tokens, as Chat Completions and Responses name it. OpenAI counts cached input within the input
 * and thinking within the output, as we do. Others count it apart, so that what is paid for would be missing: xAI and
 * Gemini leave their thinking out of the output and only count it in the total.
 */
export function usageOf(usage: Fields): Usage {
  const details = fieldsOf(usage["prompt_tokens_details"] ?? usage["input_tokens_details"])
  const input = count(usage["prompt_tokens"]) || count(usage["input_tokens"])
  const output = count(usage["completion_tokens"]) || count(usage["output_tokens"])
  // DeepSeek and Moonshot have names of their own for it.
  const cacheReadTokens =
    count(details["cached_tokens"]) ||
    count(usage["prompt_cache_hit_tokens"]) ||
    count(usage["cached_tokens"])
  const cacheWriteTokens = count(details["cache_write_tokens"])
  return {
    inputTokens: Math.max(input, cacheReadTokens + cacheWriteTokens),
    outputTokens: input > 0 ? Math.max(output, count(usage["total_tokens"]) - input) : output,
    cacheReadTokens,
    cacheWriteTokens,
  }
}

const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {})
const count = (value: unknown): number => (typeof value === "number" && value > 0 ? value : 0)
