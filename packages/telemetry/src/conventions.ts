/**
 * Names of OpenTelemetry's conventions for generative AI, schema gen-ai-dev 1.42.0, which are still in development.
 * The constants that OpenTelemetry publishes are of an older version and deprecated.
 */
export const GEN_AI = {
  schemaUrl: "https://opentelemetry.io/schemas/gen-ai-dev/1.42.0-dev",
  operation: "gen_ai.operation.name",
  provider: "gen_ai.provider.name",
  agent: "gen_ai.agent.name",
  conversation: "gen_ai.conversation.id",
  requestModel: "gen_ai.request.model",
  requestStream: "gen_ai.request.stream",
  requestMaxTokens: "gen_ai.request.max_tokens",
  requestTemperature: "gen_ai.request.temperature",
  responseModel: "gen_ai.response.model",
  finishReasons: "gen_ai.response.finish_reasons",
  timeToFirstChunk: "gen_ai.response.time_to_first_chunk",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  cacheReadTokens: "gen_ai.usage.cache_read.input_tokens",
  cacheWriteTokens: "gen_ai.usage.cache_write.input_tokens",
  tool: "gen_ai.tool.name",
  toolType: "gen_ai.tool.type",
  toolCallId: "gen_ai.tool.call.id",
  error: "error.type",
} as const

const CALL_SECONDS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
const RUN_SECONDS = [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6]

/** Histograms in seconds or calls, with the bounds that the conventions name. */
export const HISTOGRAMS = {
  inference: { name: "gen_ai.client.inference.duration", unit: "s", bounds: CALL_SECONDS },
  firstChunk: { name: "gen_ai.client.inference.time_to_first_chunk", unit: "s", bounds: CALL_SECONDS },
  tool: { name: "gen_ai.execute_tool.duration", unit: "s", bounds: CALL_SECONDS },
  agent: { name: "gen_ai.invoke_agent.duration", unit: "s", bounds: RUN_SECONDS },
  inferenceCalls: {
    name: "gen_ai.invoke_agent.inference_calls",
    unit: "{call}",
    bounds: [1, 2, 4, 8, 16, 32, 64],
  },
  toolCalls: { name: "gen_ai.invoke_agent.tool_calls", unit: "{call}", bounds: [1, 2, 4, 8, 16, 32, 64] },
} as const

/** Counters of tokens. Input counts what was sent, the cached shares included. */
export const TOKENS = {
  input: "gen_ai.client.inference.usage.input_tokens",
  output: "gen_ai.client.inference.usage.output_tokens",
  cacheRead: "gen_ai.client.inference.usage.cache_read.input_tokens",
  cacheWrite: "gen_ai.client.inference.usage.cache_write.input_tokens",
} as const
