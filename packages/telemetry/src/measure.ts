import type { HookContext, Hooks } from "@orra/core"
import { liveRuns } from "./live-runs.ts"
import type { Labels, Metrics } from "./metrics.ts"

/** What is recorded. Durations are in ms; what a metric is counted by stands behind it. */
export const METRICS = {
  /** Runs that ended: `agent`, `outcome`. */
  requests: "agent.requests.total",
  /** Those that failed: `agent`, `code`. */
  requestErrors: "agent.requests.errors",
  /** Model calls: `model`, `outcome` (the finish reason, or the failure's code). */
  providerCalls: "agent.provider.calls",
  /** How long they took, with what was tried again: `model`. */
  providerLatency: "agent.provider.latency_ms",
  /** Tool calls: `tool`, `status`. */
  toolCalls: "agent.tool.calls",
  /** Those whose tool said that it failed: `tool`. */
  toolErrors: "agent.tool.errors",
  /** How long calls took that were carried out, with the wait for an approval that came at once: `tool`. */
  toolLatency: "agent.tool.latency_ms",
  /** Tokens sent and written: `model`. */
  inputTokens: "agent.tokens.input",
  outputTokens: "agent.tokens.output",
  /** What runs cost in USD, where prices are known: `agent`. */
  cost: "agent.cost.usd",
  /** Limits that were reached: `unit`, `window`. */
  budgetHits: "agent.budget.hits",
  /** Runs that go on in this process now. */
  activeSessions: "agent.sessions.active",
  /** For whoever keeps memories to set: nothing here knows of them. */
  memoryEntries: "agent.memory.entries",
} as const

export interface MeasureOptions {
  /**
   * More labels for every metric, such as a tenant. Names of users would make a series each: nothing of a namespace is
   * a label unless it is given here. The same names every time.
   */
  readonly labels?: (context: HookContext) => Labels
  /** The time in ms. Default `performance.now`. */
  readonly clock?: () => number
  /** Told of what fails here, which changes no run. */
  readonly onError?: (error: unknown) => void
}

/**
 * Records what runs, model calls and tool calls do, under the names of {@link METRICS}. Nothing of what is said.
 *
 * ```ts
 * const metrics = new Metrics()
 * const runtime = new Runtime({ provider, hooks: [measure(metrics)] })
 * ```
 */
export function measure(
  metrics: Metrics,
  { labels = () => ({}), clock, onError }: MeasureOptions = {},
): Hooks {
  // A run whose end cannot be told, because its store failed, is no longer counted once nothing of it is left.
  const lost = new FinalizationRegistry((own: Labels) => metrics.adjust(METRICS.activeSessions, -1, own))
  const leave = (own: Labels | undefined): void => {
    if (!own) return
    lost.unregister(own)
    metrics.adjust(METRICS.activeSessions, -1, own)
  }
  return liveRuns<Labels>("metrics", {
    ...(clock && { clock }),
    ...(onError && { onError }),
    began(context) {
      const own = { ...labels(context) }
      metrics.adjust(METRICS.activeSessions, 1, own)
      lost.register(context.signal, { ...own }, own)
      return own
    },
    modelBegan: (_, own) => own,
    modelEnded({ model = "unknown", outcome, usage, ms }, own) {
      metrics.increment(METRICS.providerCalls, { ...own, model, outcome })
      metrics.observe(METRICS.providerLatency, ms, { ...own, model })
      if (!usage) return
      metrics.increment(METRICS.inputTokens, { ...own, model }, usage.inputTokens)
      metrics.increment(METRICS.outputTokens, { ...own, model }, usage.outputTokens)
    },
    toolBegan: (_call, _name, own, context) => own ?? labels(context),
    toolEnded({ name, status, ms }, known, context) {
      if (status === "waiting") return
      const own = { ...(known ?? labels(context)), tool: name }
      metrics.increment(METRICS.toolCalls, { ...own, status })
      if (status === "error") metrics.increment(METRICS.toolErrors, own)
      if (ms !== undefined && (status === "ok" || status === "error"))
        metrics.observe(METRICS.toolLatency, ms, own)
    },
    waits: (_, own) => leave(own),
    ended({ outcome, cost, error }, _, known, context) {
      leave(known)
      const own = { ...(known ?? labels(context)), agent: context.agent ?? "" }
      metrics.increment(METRICS.requests, { ...own, outcome })
      if (outcome === "failed")
        metrics.increment(METRICS.requestErrors, { ...own, code: error?.code ?? "unknown" })
      if (cost !== undefined) metrics.increment(METRICS.cost, own, cost)
    },
    budget({ type, unit, window }, context) {
      if (type === "hit") metrics.increment(METRICS.budgetHits, { ...labels(context), unit, window })
    },
  })
}
