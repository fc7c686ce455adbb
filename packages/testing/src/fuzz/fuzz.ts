import type { Provider } from "@orra/core"
import fc from "fast-check"
import type { Family } from "../wire-families.ts"
import { FuzzSession } from "./session.ts"
import { type Sequence, sequences } from "./steps.ts"
import { type Service, wireFetch } from "./wire-fetch.ts"

/** A provider to be fuzzed: how it is made with a `fetch` of ours, and what it speaks. */
export interface FuzzedProvider {
  readonly family: Family
  make(fetch: typeof globalThis.fetch): Provider
}

export interface FuzzOptions {
  /** Sequences to try, default 1,000. */
  readonly runs?: number
  /** Steps in one of them at most, default 14. */
  readonly maxSteps?: number
  /** To do the same again: what an earlier failure named. Default random. */
  readonly seed?: number
  readonly path?: string
}

export interface FuzzReport {
  readonly seed: number
  readonly runs: number
  /** Requests sent and checked. */
  readonly requests: number
  /**
   * How often each kind of entry was in a log at the end: "tool_result unknown", "run_finished stopped", and
   * "child run_finished stopped" in that of a task that an agent handed on.
   */
  readonly seen: Readonly<Record<string, number>>
}

/**
 * Random sequences of everything that can happen to a session (messages while it runs, stops, failures, tools that
 * hang, crashes, edits, branches, cuts, other providers, agents who hand on tasks), each checked after every request
 * and at its end: what is sent is what the service takes and is the current branch, the log is whole, every call has one
 * result, nothing ran undecided or twice, history is what the log says, and the session goes on with every provider.
 *
 * ```ts
 * await fuzzSessions([
 *   { family: "anthropic", make: (fetch) => claude({ apiKey: "test", fetch, retry: { maxAttempts: 1 } }) },
 *   { family: "openai", make: (fetch) => openai({ apiKey: "test", fetch, retry: { maxAttempts: 1 } }) },
 *   { family: "responses", make: (fetch) => openai({ api: "responses", apiKey: "test", fetch }) },
 * ])
 * ```
 *
 * @throws Error with the shortest sequence found that fails, and the seed and path that lead to it.
 */
export async function fuzzSessions(
  providers: readonly FuzzedProvider[],
  options: FuzzOptions = {},
): Promise<FuzzReport> {
  const { runs = 1_000, maxSteps = 14, seed, path } = options
  let current: Service | undefined
  const service = (): Service => {
    if (!current) throw new Error("No sequence is being run.")
    return current
  }
  const made = providers.map(({ family, make }) => make(wireFetch(family, service)))
  let requests = 0
  const seen: Record<string, number> = {}
  const property = fc.asyncProperty(sequences(maxSteps), async (sequence) => {
    const session = new FuzzSession(sequence, made)
    current = session
    const problem = await session.run()
    requests += session.requests
    for (const kind of session.seen) seen[kind] = (seen[kind] ?? 0) + 1
    if (problem !== undefined) throw new Error(problem)
  })
  const details = await fc.check(property, {
    numRuns: runs,
    ...(seed !== undefined && { seed }),
    ...(path !== undefined && { path }),
  })
  if (!details.failed) return { seed: details.seed, runs: details.numRuns, requests, seen }
  const [sequence] = details.counterexample ?? []
  const cause = details.errorInstance instanceof Error ? details.errorInstance.message : "It failed."
  throw new Error(
    [
      cause,
      ...(sequence ? printed(sequence) : []),
      `Run ${details.numRuns} of ${runs}, shortened ${details.numShrinks} times.`,
      `Again: seed ${details.seed}, path "${details.counterexamplePath}".`,
    ].join("\n"),
  )
}

/** The sequence, one step a line. */
const printed = ({ steps, ...setup }: Sequence): readonly string[] => [
  `With ${JSON.stringify(setup)}:`,
  ...steps.map((step, index) => `  ${index + 1}. ${JSON.stringify(step)}`),
]
