import { createHash, timingSafeEqual } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { exposedName, type Labels, type MetricPoint, type Metrics } from "./metrics.ts"

/** What Prometheus is told that the text is. */
export const PROMETHEUS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

/**
 * The metrics in Prometheus' text format 0.0.4, sorted by name. `agent.tool.calls` is `agent_tool_calls_total`.
 *
 * ```ts
 * app.get("/metrics", () => new Response(prometheusText(metrics), { headers: { "content-type": PROMETHEUS_TYPE } }))
 * ```
 */
export function prometheusText(metrics: Metrics): string {
  const families = Map.groupBy(metrics.snapshot(), ({ name, kind }) => exposedName(name, kind))
  const lines: string[] = []
  for (const [name, points] of [...families].sort(([a], [b]) => (a < b ? -1 : 1))) {
    lines.push(`# TYPE ${name} ${points[0]?.kind}`)
    for (const point of points) lines.push(...samples(name, point))
  }
  return lines.map((line) => `${line}\n`).join("")
}

export interface PrometheusOptions {
  /** Whoever asks must show it as a bearer token. Without one everybody who reaches the port may look. */
  readonly token?: string
}

/**
 * Answers GET and HEAD with the metrics.
 *
 * ```ts
 * createServer(prometheusHandler(metrics)).listen(9464, "127.0.0.1")
 * ```
 */
export function prometheusHandler(
  metrics: Metrics,
  { token }: PrometheusOptions = {},
): (request: IncomingMessage, response: ServerResponse) => void {
  return ({ method, headers }, response) => {
    if (method !== "GET" && method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" }).end()
      return
    }
    if (token !== undefined && !isSame(headers.authorization ?? "", `Bearer ${token}`)) {
      response.writeHead(401, { "www-authenticate": "Bearer" }).end()
      return
    }
    const body = Buffer.from(prometheusText(metrics))
    response.writeHead(200, {
      "content-type": PROMETHEUS_TYPE,
      "content-length": body.length,
      "cache-control": "no-store",
    })
    response.end(method === "GET" ? body : undefined)
  }
}

function samples(name: string, { labels, value, buckets }: MetricPoint): readonly string[] {
  if (!buckets) return [`${name}${written(labels)} ${number(value)}`]
  const counts = buckets.map(
    ({ atMost, count }) => `${name}_bucket${written({ ...labels, le: number(atMost) })} ${count}`,
  )
  return [
    ...counts,
    `${name}_sum${written(labels)} ${number(value)}`,
    `${name}_count${written(labels)} ${buckets.at(-1)?.count}`,
  ]
}

function written(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/[\\"\n]/g, escaped)}"`,
  )
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`
}

const escaped = (char: string): string => (char === "\n" ? "\\n" : `\\${char}`)

function number(value: number): string {
  if (Number.isFinite(value)) return String(value)
  return value > 0 ? "+Inf" : "-Inf"
}

/** Takes the same time whatever they have in common. */
function isSame(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash("sha256").update(text).digest())
  return left !== undefined && right !== undefined && timingSafeEqual(left, right)
}
