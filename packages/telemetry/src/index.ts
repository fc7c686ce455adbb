export { METRICS, type MeasureOptions, measure } from "./measure.ts"
export {
  type HistogramStats,
  type Labels,
  type MetricKind,
  type MetricPoint,
  Metrics,
  type MetricsOptions,
} from "./metrics.ts"
export { type OpenTelemetryOptions, openTelemetry } from "./open-telemetry.ts"
export { PROMETHEUS_TYPE, type PrometheusOptions, prometheusHandler, prometheusText } from "./prometheus.ts"
