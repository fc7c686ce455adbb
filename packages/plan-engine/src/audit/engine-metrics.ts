import { Metrics, prometheusText } from "@orra/telemetry"
import type { Answered } from "../api/api.ts"

/** The numbers of an engine's process. */
export function engineMetrics() {
  const metrics = new Metrics()
  return {
    answered({ method, path, status, ms }: Answered): void {
      metrics.increment("plan.api.requests", { method, path, status: String(status) })
      if (ms !== undefined) metrics.observe("plan.api.latency_ms", ms, { method, path })
    },
    text: (): string => prometheusText(metrics),
  }
}
