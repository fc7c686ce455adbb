import type { Hooks } from "@orra/core"
import type { Route } from "@orra/gateway"
import { Metrics, measure, PROMETHEUS_TYPE, prometheusText } from "@orra/telemetry"
import type { Logger } from "./log/log.ts"

/** Numbers of what the runtime does, as they are asked for. */
export interface HeraldMetrics {
  readonly hooks: Hooks
  readonly routes: readonly Route[]
  close(): void
}

/** How often the log has them, in ms. */
const LOG_EVERY = 15 * 60_000

export function heraldMetrics(logger: Logger, { isLogged }: { readonly isLogged: boolean }): HeraldMetrics {
  const metrics = new Metrics()
  let last = prometheusText(metrics)
  const write = (): void => {
    const now = prometheusText(metrics)
    if (now === last) return
    last = now
    const facts = metrics.snapshot().map(({ name, labels, value }) => ({ name, ...labels, value }))
    logger.info({ metrics: facts }, "metrics")
  }
  const timer = isLogged ? setInterval(write, LOG_EVERY).unref() : undefined
  return {
    hooks: measure(metrics, { onError: (err) => logger.warn({ err }, "metrics") }),
    routes: [
      {
        method: "GET",
        path: "/metrics",
        permission: "metrics",
        handle: () => new Response(prometheusText(metrics), { headers: { "content-type": PROMETHEUS_TYPE } }),
      },
    ],
    close() {
      clearInterval(timer)
      if (isLogged) write()
    },
  }
}
