import { Metrics, measurePlans, prometheusText } from "@orra/telemetry"
import type { Answered } from "../api/api.ts"

/** The numbers of an engine's process. */
export function engineMetrics() {
  const metrics = new Metrics()
  return {
    observer: measurePlans(metrics),
    answered({ method, path, status, ms }: Answered): void {
      metrics.increment("plan.api.requests", { method, path, status: String(status) })
      if (ms !== undefined) metrics.observe("plan.api.latency_ms", ms, { method, path })
    },
    /** `sockets` is how many services are connected to this process. */
    text(sockets: number): string {
      metrics.gauge("plan.sockets.open", sockets)
      return prometheusText(metrics)
    },
  }
}
