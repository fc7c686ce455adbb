import { SpanKind, SpanStatusCode } from "@opentelemetry/api"
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node"
import { expect, test } from "vitest"
import { measurePlans, PLAN_METRICS } from "./measure-plans.ts"
import { Metrics } from "./metrics.ts"
import type { ObservedPlan } from "./plan-observer.ts"
import { tracePlans } from "./trace-plans.ts"

const PLAN: ObservedPlan = {
  id: "o_1",
  status: "failed",
  from: 1_000,
  to: 9_000,
  steps: [
    { type: "plan", task: "plan", attempt: 1, from: 1_000, to: 2_000, outcome: "done" },
    { type: "task", task: "task1", service: "stock", attempt: 1, from: 2_000, to: 3_000, outcome: "failed" },
    { type: "task", task: "task1", service: "stock", attempt: 2, from: 4_000, to: 5_000, outcome: "done" },
    {
      type: "undo",
      task: "task1",
      service: "stock",
      attempt: 1,
      from: 8_000,
      to: 9_000,
      outcome: "completed",
    },
  ],
}
const TOLD = { plan: "o_1", event: "orchestration.failed", attempt: 1, from: 9_000, to: 9_100 }

const ms = ([seconds, nanos]: [number, number]): number => seconds * 1_000 + nanos / 1e6

test("a plan is one trace with its steps in it, and so are the webhooks that are told of it", () => {
  const exporter = new InMemorySpanExporter()
  const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
  const observer = tracePlans({ tracer: provider.getTracer("test") })
  observer.ended(PLAN)
  observer.told({ ...TOLD, answered: 503, outcome: "pending" })
  observer.told({ ...TOLD, plan: "o_2", outcome: "delivered" })
  const spans = exporter.getFinishedSpans()
  const [root, ...inside] = spans
  expect(spans.map(({ name, kind }) => [name, kind])).toEqual([
    ["orchestration", SpanKind.INTERNAL],
    ["plan", SpanKind.INTERNAL],
    ["task stock", SpanKind.CLIENT],
    ["task stock", SpanKind.CLIENT],
    ["undo stock", SpanKind.CLIENT],
    ["webhook orchestration.failed", SpanKind.CLIENT],
    ["webhook orchestration.failed", SpanKind.CLIENT],
  ])
  const id = root?.spanContext().spanId
  expect(inside.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([
    id,
    id,
    id,
    id,
    id,
    undefined,
  ])
  expect(inside.map(({ startTime, endTime }) => [ms(startTime), ms(endTime)]).slice(0, 4)).toEqual(
    PLAN.steps.map(({ from, to }) => [from, to]),
  )
  const failed = spans.filter(({ status }) => status.code === SpanStatusCode.ERROR)
  expect(failed.map(({ name }) => name)).toEqual([
    "orchestration",
    "task stock",
    "webhook orchestration.failed",
  ])
  expect(inside[1]?.attributes).toEqual({
    "orra.orchestration.id": "o_1",
    "orra.task.id": "task1",
    "orra.task.attempt": 1,
    "orra.task.outcome": "failed",
    "orra.service.name": "stock",
    "error.type": "failed",
  })
})

test("plans are counted and timed", () => {
  const metrics = new Metrics()
  const observer = measurePlans(metrics)
  observer.ended(PLAN)
  observer.told({ ...TOLD, outcome: "dead" })
  expect(metrics.value(PLAN_METRICS.ended, { status: "failed" })).toBe(1)
  expect(metrics.stats(PLAN_METRICS.duration, { status: "failed" })).toMatchObject({ count: 1, sum: 8_000 })
  expect(metrics.value(PLAN_METRICS.steps, { type: "task", outcome: "failed" })).toBe(1)
  expect(metrics.stats(PLAN_METRICS.stepDuration, { type: "task" })).toMatchObject({ count: 2, sum: 2_000 })
  expect(metrics.value(PLAN_METRICS.webhooks, { outcome: "dead" })).toBe(1)
})
