export { METRICS, type MeasureOptions, measure } from "./measure.ts"
export { measurePlans, PLAN_METRICS } from "./measure-plans.ts"
export {
  type HistogramStats,
  type Labels,
  type MetricKind,
  type MetricPoint,
  Metrics,
  type MetricsOptions,
} from "./metrics.ts"
export { type OpenTelemetryOptions, openTelemetry } from "./open-telemetry.ts"
export type { ObservedDelivery, ObservedPlan, ObservedStep, PlanObserver } from "./plan-observer.ts"
export { PROMETHEUS_TYPE, type PrometheusOptions, prometheusHandler, prometheusText } from "./prometheus.ts"
export { type TracePlansOptions, tracePlans } from "./trace-plans.ts"
