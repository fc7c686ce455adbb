import type { Metrics } from "./metrics.ts"
import type { PlanObserver } from "./plan-observer.ts"

/** What is recorded of plans. Durations are in ms; what a metric is counted by stands behind it. */
export const PLAN_METRICS = {
  /** Plans that ended: `status`. */
  ended: "plan.orchestrations.ended",
  /** From when they were asked for to their end: `status`. */
  duration: "plan.orchestration.duration_ms",
  /** Attempts at making plans, tasks and undoing: `type`, `outcome`. */
  steps: "plan.steps",
  /** How long they took: `type`. */
  stepDuration: "plan.step.duration_ms",
  /** Attempts to tell webhooks: `outcome`. */
  webhooks: "plan.webhooks",
  webhookDuration: "plan.webhook.duration_ms",
} as const

/**
 * Records what plans of @orra/plan-engine took, under the names of {@link PLAN_METRICS}.
 *
 * ```ts
 * createPlanEngine({ store, provider, observers: [measurePlans(metrics)] })
 * ```
 */
export const measurePlans = (metrics: Metrics): PlanObserver => ({
  ended({ status, from, to, steps }) {
    metrics.increment(PLAN_METRICS.ended, { status })
    metrics.observe(PLAN_METRICS.duration, Math.max(0, to - from), { status })
    for (const { type, outcome, from: began, to: ended } of steps) {
      metrics.increment(PLAN_METRICS.steps, { type, outcome })
      metrics.observe(PLAN_METRICS.stepDuration, Math.max(0, ended - began), { type })
    }
  },
  told({ outcome, from, to }) {
    metrics.increment(PLAN_METRICS.webhooks, { outcome })
    metrics.observe(PLAN_METRICS.webhookDuration, Math.max(0, to - from))
  },
})
