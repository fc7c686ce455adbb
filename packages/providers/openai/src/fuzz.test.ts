import { claude } from "@orra/claude"
import type { Provider } from "@orra/core"
import { type FuzzedProvider, fuzzSessions } from "@orra/testing/fuzz"
import { expect, test } from "vitest"
import { openai } from "./index.ts"

/** The long run looks for what nobody has seen; the short one tells whether a change broke something: always the same. */
const isLong = Boolean(process.env["ORRA_TEST_FULL"])
const RUNS = isLong ? 100_000 : 1_000

/** What a failure names: `ORRA_FUZZ=seed,path pnpm vitest run packages/providers/openai/src/fuzz.test.ts` does it again. */
const [seed, path] = (process.env["ORRA_FUZZ"] ?? (isLong ? "" : "1")).split(",")
const again = { ...(seed && { seed: Number(seed) }), ...(path && { path }) }

const settings = { apiKey: "test", retry: { maxAttempts: 1 } }
const opus: FuzzedProvider = {
  family: "anthropic",
  make: (fetch) => claude({ ...settings, fetch, model: "claude-one" }),
}
const thinker: FuzzedProvider = {
  family: "anthropic",
  make: (fetch) => claude({ ...settings, fetch, model: "claude-two", thinking: { budgetTokens: 2_000 } }),
}
const gpt: FuzzedProvider = { family: "openai", make: (fetch) => openai({ ...settings, fetch }) }
/** Two models of one provider, which is also the one above: none may be sent what another thought. */
const responses = (model: string): FuzzedProvider => ({
  family: "responses",
  make: (fetch) => openai({ ...settings, fetch, api: "responses", model }),
})
const [sol, luna] = [responses("gpt-sol"), responses("gpt-luna")]

test(`whatever happens to a session that moves between services, each takes what it is sent (${RUNS} sequences)`, {
  timeout: 3_600_000,
}, async () => {
  const report = await fuzzSessions([opus, gpt, thinker, sol, luna], { runs: RUNS, ...again })
  if (path) return
  // What is to be survived did happen.
  for (const status of ["ok", "error", "denied", "cancelled", "unknown"])
    expect(report.seen[`tool_result ${status}`]).toBeGreaterThan(0)
  for (const outcome of ["completed", "stopped", "interrupted", "max_turns", "context_too_long"])
    expect(report.seen[`run_finished ${outcome}`]).toBeGreaterThan(0)
  for (const kind of [
    "rewind",
    "compaction",
    "approval_decision",
    "run_waiting",
    "run_resumed",
    "wake",
    "compaction summary",
    "pin",
    "input steer",
    "input queue",
    "assistant interrupted",
    // Tasks that were handed on, in sessions of their own.
    "child run_finished completed",
    "child run_finished stopped",
    "child run_waiting",
    "child run_resumed",
    "child tool_result ok",
    "child tool_result denied",
  ])
    expect(report.seen[kind]).toBeGreaterThan(0)
})

const without = (provider: Provider, role: string): Provider => ({
  ...provider,
  stream: (request, options) =>
    provider.stream(
      { ...request, messages: request.messages.filter((message) => message.role !== role) },
      options,
    ),
})

test.each([opus, gpt, sol])(
  "a mapping that loses results is found out: $family",
  async ({ family, make }) => {
    const broken: FuzzedProvider = { family, make: (fetch) => without(make(fetch), "tool") }
    const found = new RegExp(`Request \\d+, ${family}: [^]*Again: seed 1, path`)
    await expect(fuzzSessions([broken], { seed: 1 })).rejects.toThrow(found)
  },
)
