import {
  type Attributes,
  type Context,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api"
import { GEN_AI } from "./conventions.ts"
import type { ObservedStep, PlanObserver } from "./plan-observer.ts"

export interface TracePlansOptions {
  /** Default that of the SDK that the application has registered. Where there is none nothing is recorded. */
  readonly tracer?: Tracer
}

/** So many plans are remembered to which webhooks belong. */
const MAX_PLANS = 1_000
const FAILURES: ReadonlySet<string> = new Set(["failed", "aborted", "expired", "dead", "not_actionable"])

/**
 * A trace of each plan of @orra/plan-engine when it has ended: a span `orchestration`, in it `plan`, `task` and `undo` for each
 * attempt, as its log has them, so that a trace is whole however often the engine was ended in between; and `webhook` for each
 * attempt to tell of it. Ids of plans and tasks, names of services, outcomes: nothing of what they were given or gave.
 *
 * ```ts
 * createPlanEngine({ store, provider, observers: [tracePlans()] })
 * ```
 */
export function tracePlans({
  tracer = trace.getTracerProvider().getTracer("@orra/telemetry"),
}: TracePlansOptions = {}): PlanObserver {
  const plans = new Map<string, SpanContext>()
  const write = (
    name: string,
    { from, to, outcome }: Pick<ObservedStep, "from" | "to" | "outcome">,
    attributes: Attributes,
    { kind = SpanKind.INTERNAL, parent = ROOT_CONTEXT }: { kind?: SpanKind; parent?: Context } = {},
  ) => {
    // Dates, since a number from before this process began would be taken for one of its clock.
    const span = tracer.startSpan(name, { kind, attributes, startTime: new Date(from) }, parent)
    if (FAILURES.has(outcome)) {
      span.setAttribute(GEN_AI.error, outcome)
      span.setStatus({ code: SpanStatusCode.ERROR })
    }
    span.end(new Date(Math.max(from, to)))
    return span.spanContext()
  }
  return {
    ended({ id, status, from, to, steps }) {
      const common = { "orra.orchestration.id": id }
      const root = write(
        "orchestration",
        { from, to, outcome: status },
        { ...common, "orra.orchestration.status": status },
      )
      plans.set(id, root)
      const [oldest] = plans.keys()
      if (plans.size > MAX_PLANS && oldest !== undefined) plans.delete(oldest)
      const parent = trace.setSpanContext(ROOT_CONTEXT, root)
      for (const step of steps) {
        const { type, task, service, attempt, outcome } = step
        const attributes = {
          ...common,
          "orra.task.id": task,
          "orra.task.attempt": attempt,
          "orra.task.outcome": outcome,
          ...(service !== undefined && { "orra.service.name": service }),
        }
        const kind = type === "plan" ? SpanKind.INTERNAL : SpanKind.CLIENT
        write(service === undefined ? type : `${type} ${service}`, step, attributes, { kind, parent })
      }
    },
    told({ plan, event, attempt, from, to, answered, outcome }) {
      const above = plans.get(plan)
      const attributes = {
        "orra.orchestration.id": plan,
        "orra.webhook.event": event,
        "orra.webhook.attempt": attempt,
        "orra.webhook.outcome": outcome,
        ...(answered !== undefined && { "http.response.status_code": answered }),
      }
      write(
        `webhook ${event}`,
        { from, to, outcome: outcome === "delivered" ? outcome : "failed" },
        attributes,
        { kind: SpanKind.CLIENT, ...(above && { parent: trace.setSpanContext(ROOT_CONTEXT, above) }) },
      )
    },
  }
}
