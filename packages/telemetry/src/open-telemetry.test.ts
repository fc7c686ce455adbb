import { once } from "node:events"
import { createServer, type Server } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"
import { gunzipSync } from "node:zlib"
import { context, metrics, trace } from "@opentelemetry/api"
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-http"
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http"
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics"
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node"
import { Approvals, type Hooks, Namespace, PolicyRegistry, Runtime, Team, tool } from "@orra/core"
import { call, fail, scriptedProvider } from "@orra/testing"
import { afterEach, beforeEach, describe, expect, test } from "vitest"
import { openTelemetry } from "./open-telemetry.ts"

interface Value {
  readonly stringValue?: string
  readonly intValue?: number
  readonly doubleValue?: number
  readonly boolValue?: boolean
  readonly arrayValue?: { readonly values: readonly Value[] }
}
type Pairs = readonly { readonly key: string; readonly value: Value }[]
interface OtlpSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly kind: number
  readonly attributes: Pairs
  readonly status: { readonly code?: number; readonly message?: string }
}
interface OtlpPoint {
  readonly attributes: Pairs
  readonly count?: number
  readonly sum?: number
  readonly asInt?: number
  readonly asDouble?: number
  readonly explicitBounds?: readonly number[]
}
interface OtlpMetric {
  readonly name: string
  readonly unit: string
  readonly histogram?: { readonly dataPoints: readonly OtlpPoint[] }
  readonly sum?: { readonly dataPoints: readonly OtlpPoint[] }
}

const plain = (pairs: Pairs): Readonly<Record<string, unknown>> =>
  Object.fromEntries(pairs.map(({ key, value }) => [key, plainValue(value)]))
const plainValue = ({ arrayValue, ...value }: Value): unknown =>
  arrayValue?.values.map(plainValue) ?? Object.values(value)[0]

/** What a collector has received: OTLP over HTTP. */
class Collector {
  readonly bodies: string[] = []
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    server.on("request", async (request, response) => {
      const body = await buffer(request)
      this.bodies.push((request.headers["content-encoding"] === "gzip" ? gunzipSync(body) : body).toString())
      response.writeHead(200, { "content-type": "application/json" }).end("{}")
    })
  }

  static async start(): Promise<Collector> {
    const server = createServer()
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    return new Collector(server)
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get spans(): readonly OtlpSpan[] {
    return this.#scopes("resourceSpans", "scopeSpans", "spans") as OtlpSpan[]
  }

  get metrics(): readonly OtlpMetric[] {
    return this.#scopes("resourceMetrics", "scopeMetrics", "metrics") as OtlpMetric[]
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  #scopes(resources: string, scopes: string, items: string): unknown[] {
    return this.bodies.flatMap((body) => {
      const all = JSON.parse(body) as Record<string, Record<string, Record<string, unknown[]>[]>[]>
      return (all[resources] ?? []).flatMap((resource) =>
        (resource[scopes] ?? []).flatMap((scope) => scope[items] ?? []),
      )
    })
  }
}

let collector: Collector
let flush: () => Promise<void>

beforeEach(async () => {
  collector = await Collector.start()
  const tracers = new NodeTracerProvider({
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: `${collector.url}/v1/traces` }))],
  })
  const exporter = new OTLPMetricExporter({ url: `${collector.url}/v1/metrics` })
  const meters = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter })] })
  tracers.register()
  metrics.setGlobalMeterProvider(meters)
  flush = async () => {
    await Promise.all([tracers.shutdown(), meters.shutdown()])
  }
})
afterEach(() => {
  trace.disable()
  metrics.disable()
  context.disable()
  collector.close()
})

const ns = Namespace.of("household", "ada-canary")
const look = tool({
  name: "look",
  description: "",
  input: { type: "object" },
  risk: "read",
  execute: () => "canary of a tool",
})

describe("a run", () => {
  const ask = async (hooks: readonly Hooks[], script: Parameters<typeof scriptedProvider>[0]) => {
    const provider = scriptedProvider(script, { otherwise: "next" })
    const runtime = new Runtime({
      provider,
      tools: [look],
      hooks,
      maxTokens: 500,
      systemPrompt: "canary of the prompt",
    })
    const result = await runtime.run(ns, "canary of the question").catch((error: unknown) => error)
    await runtime.close()
    await flush()
    return { result, model: provider.model }
  }

  test("is a trace of spans and metrics by the conventions, at a collector, without anything that was said", async () => {
    const { model } = await ask(
      [openTelemetry({ timeToFirstChunk: true })],
      [call("look", { at: "canary of arguments" }), "canary of the answer"],
    )
    const [run] = collector.spans.filter(({ parentSpanId }) => !parentSpanId)
    expect(run?.name).toBe("invoke_agent")
    const below = collector.spans.filter(({ parentSpanId }) => parentSpanId === run?.spanId)
    expect(below.map(({ name }) => name)).toEqual([`chat ${model}`, "execute_tool look", `chat ${model}`])
    expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(1)
    // INTERNAL is 1, CLIENT is 3.
    expect(below.map(({ kind }) => kind)).toEqual([3, 1, 3])
    expect(plain(below[0]?.attributes ?? [])).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": model,
      "gen_ai.response.model": model,
      "gen_ai.request.max_tokens": 500,
      "gen_ai.request.stream": true,
      "gen_ai.response.finish_reasons": ["tool_call"],
      "gen_ai.usage.input_tokens": expect.any(Number),
      "gen_ai.usage.output_tokens": expect.any(Number),
      "gen_ai.response.time_to_first_chunk": expect.any(Number),
    })
    expect(plain(below[1]?.attributes ?? [])).toMatchObject({
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": "look",
      "gen_ai.tool.type": "function",
      "gen_ai.tool.call.id": expect.any(String),
      "orra.tool.status": "ok",
    })
    const named = new Map(collector.metrics.map((metric) => [metric.name, metric]))
    expect([...named.keys()].sort()).toEqual([
      "gen_ai.client.inference.duration",
      "gen_ai.client.inference.time_to_first_chunk",
      "gen_ai.client.inference.usage.cache_read.input_tokens",
      "gen_ai.client.inference.usage.cache_write.input_tokens",
      "gen_ai.client.inference.usage.input_tokens",
      "gen_ai.client.inference.usage.output_tokens",
      "gen_ai.execute_tool.duration",
      "gen_ai.invoke_agent.duration",
      "gen_ai.invoke_agent.inference_calls",
      "gen_ai.invoke_agent.tool_calls",
    ])
    const inference = named.get("gen_ai.client.inference.duration")
    expect(inference?.unit).toBe("s")
    expect(inference?.histogram?.dataPoints).toMatchObject([
      { count: 2, explicitBounds: expect.arrayContaining([0.01, 81.92]) },
    ])
    expect(named.get("gen_ai.invoke_agent.inference_calls")?.histogram?.dataPoints).toMatchObject([
      { count: 1, sum: 2 },
    ])
    expect(collector.bodies.join("")).not.toContain("canary")
  })

  test("that fails says so by codes", async () => {
    await ask([openTelemetry({ provider: "acme" })], [fail("auth", "canary of a key")])
    for (const { attributes, status } of collector.spans) {
      expect(plain(attributes)["error.type"]).toBe("provider_auth")
      expect(status).toEqual({ code: 2 })
    }
    expect(collector.spans.length).toBe(2)
    const [inference] = collector.metrics.filter(({ name }) => name === "gen_ai.client.inference.duration")
    expect(plain(inference?.histogram?.dataPoints[0]?.attributes ?? [])).toMatchObject({
      "gen_ai.provider.name": "acme",
      "error.type": "provider_auth",
    })
    expect(collector.bodies.join("")).not.toContain("canary")
  })

  test("is within what the application does when it begins", async () => {
    const provider = scriptedProvider(["Hello."])
    const runtime = new Runtime({ provider, hooks: [openTelemetry()] })
    await trace.getTracer("app").startActiveSpan("request", async (span) => {
      await runtime.run(ns, "Hello")
      span.end()
    })
    await runtime.close()
    await flush()
    const request = collector.spans.find(({ name }) => name === "request")
    expect(collector.spans.find(({ name }) => name === "invoke_agent")?.parentSpanId).toBe(request?.spanId)
  })

  test("that waits has ended its spans, and has others when it goes on", async () => {
    const policies = new PolicyRegistry({ default: "allow" })
    policies.set(ns, { ask: ["look"] })
    const approvals = new Approvals()
    const provider = scriptedProvider([call("look"), "Done."], { otherwise: "next" })
    const runtime = new Runtime({ provider, tools: [look], policies, approvals, hooks: [openTelemetry()] })
    let asked = ""
    await runtime.submit(ns, "Look.")
    for await (const event of runtime.subscribe(ns, { after: 0 })) {
      // Only when it waits, with nothing left in memory.
      if (event.type === "approval_request") asked = event.approvalId
      if (event.type === "run_waiting") await approvals.decide(ns, asked, { decision: "approve", by: "ada" })
      if (event.type === "run_finished") break
    }
    await runtime.close()
    await flush()
    const outcomes = collector.spans.map(({ name, attributes }) => {
      const { "orra.run.outcome": run, "orra.tool.status": tool } = plain(attributes)
      return `${name.split(" ")[0]} ${run ?? tool ?? ""}`.trim()
    })
    expect(outcomes.sort()).toEqual([
      "chat",
      "chat",
      "execute_tool ok",
      "execute_tool waiting",
      "invoke_agent completed",
      "invoke_agent waiting",
    ])
  })

  test("has what the application adds, and whose conversation it is where it says so", async () => {
    const hook = openTelemetry({
      conversationId: ({ segments }) => `session of ${segments[0]}`,
      attributes: () => ({ "app.tier": "gold" }),
    })
    await ask([hook], ["Hello."])
    for (const { attributes } of collector.spans) {
      expect(plain(attributes)).toMatchObject({
        "gen_ai.conversation.id": "session of household",
        "app.tier": "gold",
        "orra.run.id": expect.any(String),
      })
    }
    // Nothing of a person is on a metric.
    expect(JSON.stringify(collector.metrics)).not.toContain("household")
  })

  test("goes on when what the application adds fails", async () => {
    const errors: unknown[] = []
    const attributes = () => {
      throw new Error("none")
    }
    const { result } = await ask(
      [openTelemetry({ attributes, onError: (error) => errors.push(error) })],
      [call("look"), "Hello."],
    )
    expect(result).toMatchObject({ outcome: "completed" })
    expect(errors.length).toBeGreaterThan(0)
  })
})

test("the run of an agent that was delegated to is in the call that waits for it", async () => {
  const provider = scriptedProvider(
    [call("delegate_to_agent", { agent: "Bea", task: "Look." }), "Seen.", "Done."],
    { otherwise: "next" },
  )
  const team = new Team({ provider, hooks: [openTelemetry()], agents: [{ name: "Ada" }, { name: "Bea" }] })
  await team.runtime.run(ns, "Ask Bea.")
  await team.runtime.close()
  await flush()
  const byName = new Map(collector.spans.map((span) => [span.name, span]))
  const tool = byName.get("execute_tool delegate_to_agent")
  expect(tool).toBeDefined()
  expect(byName.get("invoke_agent Bea")?.parentSpanId).toBe(tool?.spanId)
  expect(new Set(collector.spans.map(({ traceId }) => traceId)).size).toBe(1)
})
