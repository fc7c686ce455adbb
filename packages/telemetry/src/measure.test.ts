import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import {
  Approvals,
  MemoryStore,
  Namespace,
  PolicyRegistry,
  Runtime,
  type RuntimeOptions,
  tool,
} from "@orra/core"
import { call, fail, faulty, scriptedProvider } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { METRICS, measure } from "./measure.ts"
import { Metrics } from "./metrics.ts"
import { prometheusText } from "./prometheus.ts"

const ns = Namespace.of("household", "ada-canary")

const tools = [
  tool({
    name: "look",
    description: "",
    input: { type: "object" },
    risk: "read",
    execute: () => "canary of a tool",
  }),
  tool({
    name: "break",
    description: "",
    input: { type: "object" },
    risk: "read",
    execute: () => {
      throw new Error("canary of a failure")
    },
  }),
  tool({ name: "pay", description: "", input: { type: "object" }, risk: "write", execute: () => "paid" }),
]

function world(script: Parameters<typeof scriptedProvider>[0], more: Partial<RuntimeOptions> = {}) {
  const metrics = new Metrics()
  const errors: unknown[] = []
  const provider = scriptedProvider(script, { otherwise: "next" })
  const runtime = new Runtime({
    provider,
    tools,
    hooks: [measure(metrics, { onError: (error) => errors.push(error) })],
    ...more,
  })
  return { metrics, runtime, provider, errors, model: provider.model }
}

describe("what is measured", () => {
  test("of a run with tools is what happened, and nothing of what was said", async () => {
    const { metrics, runtime, model, errors } = world([
      call("look", { at: "canary of arguments" }),
      call("break"),
      call("invented by the model"),
      "canary of the answer",
    ])
    const { usage } = await runtime.run(ns, "canary of the question")
    expect(metrics.value(METRICS.requests, { agent: "", outcome: "completed" })).toBe(1)
    expect(metrics.value(METRICS.providerCalls, { model, outcome: "tool_calls" })).toBe(3)
    expect(metrics.value(METRICS.providerCalls, { model, outcome: "stop" })).toBe(1)
    expect(metrics.stats(METRICS.providerLatency, { model })?.count).toBe(4)
    expect(metrics.value(METRICS.inputTokens, { model })).toBe(usage.inputTokens)
    expect(metrics.value(METRICS.outputTokens, { model })).toBe(usage.outputTokens)
    expect(metrics.value(METRICS.toolCalls, { tool: "look", status: "ok" })).toBe(1)
    expect(metrics.value(METRICS.toolCalls, { tool: "break", status: "error" })).toBe(1)
    expect(metrics.value(METRICS.toolErrors, { tool: "break" })).toBe(1)
    expect(metrics.value(METRICS.toolCalls, { tool: "other", status: "denied" })).toBe(1)
    expect(metrics.stats(METRICS.toolLatency, { tool: "look" })?.count).toBe(1)
    expect(metrics.value(METRICS.activeSessions)).toBe(0)
    expect(prometheusText(metrics)).not.toMatch(/canary|invented/)
    expect(errors).toEqual([])
    await runtime.close()
  })

  test("of a run that fails is its code, and of the model call that it failed with", async () => {
    const { metrics, runtime, model } = world([fail("auth", "canary")])
    await runtime.run(ns, "Hello").catch(() => {})
    expect(metrics.value(METRICS.requests, { agent: "", outcome: "failed" })).toBe(1)
    expect(metrics.value(METRICS.requestErrors, { agent: "", code: "provider_auth" })).toBe(1)
    const calls = metrics.snapshot().filter(({ name }) => name === METRICS.providerCalls)
    expect(calls.map(({ labels }) => labels["outcome"])).toEqual(["provider_auth"])
    expect(model).not.toBe("")
    await runtime.close()
  })

  test("while a run goes on it is active; while it waits it is not", async () => {
    const policies = new PolicyRegistry({ default: "allow" })
    policies.set(ns, { ask: ["pay"] })
    const approvals = new Approvals()
    const metrics = new Metrics()
    const active: number[] = []
    const hooks = [
      measure(metrics),
      { afterModel: () => void active.push(metrics.value(METRICS.activeSessions)) },
    ]
    const { runtime } = world([call("pay"), "Done."], { policies, approvals, hooks })
    await runtime.submit(ns, "Pay.")
    for await (const { type } of runtime.subscribe(ns, { after: 0 })) if (type === "run_waiting") break
    await runtime.close()
    expect(active).toEqual([1])
    expect(metrics.value(METRICS.activeSessions)).toBe(0)
    expect(metrics.value(METRICS.toolCalls, { tool: "pay", status: "ok" })).toBe(0)
  })
})

test("labels of the application's own are on every metric, and nothing of a namespace without them", async () => {
  const metrics = new Metrics()
  const hooks = [measure(metrics, { labels: ({ namespace }) => ({ tenant: namespace.segments[0] ?? "" }) })]
  const runtime = new Runtime({ provider: scriptedProvider([call("look"), "Done."]), tools, hooks })
  await runtime.run(ns, "Hello")
  for (const { labels } of metrics.snapshot()) expect(labels["tenant"]).toBe("household")
  expect(prometheusText(metrics)).not.toContain("ada")
  await runtime.close()
})

test("what fails here is told and changes no run", async () => {
  const errors: unknown[] = []
  const metrics = new Metrics()
  metrics.gauge(METRICS.toolCalls, 1)
  const broken = measure(metrics, {
    labels: () => {
      throw new Error("no labels")
    },
    onError: (error) => errors.push(error),
  })
  const hooks = [broken, measure(metrics, { onError: (error) => errors.push(error) })]
  const runtime = new Runtime({ provider: scriptedProvider([call("look"), "Done."]), tools, hooks })
  expect((await runtime.run(ns, "Hello")).outcome).toBe("completed")
  expect(errors.length).toBeGreaterThan(3)
  await runtime.close()
})

test("a run whose end cannot be told, because its store failed, is active no longer than it is in memory", async () => {
  setFlagsFromString("--expose-gc")
  const gc = runInNewContext("gc") as () => void
  const metrics = new Metrics()
  const hooks = [measure(metrics)]
  let most = 0
  await (async () => {
    const store = faulty(new MemoryStore(), [{ method: "append", call: 2, fault: "fail" }])
    const provider = scriptedProvider(["Done."])
    const runtime = new Runtime({ provider, store, hooks, onError: () => {} })
    const run = runtime.run(ns, "Hello")
    await run.catch(() => {})
    most = metrics.value(METRICS.activeSessions)
    await runtime.close().catch(() => {})
  })()
  expect(most).toBe(1)
  while (metrics.value(METRICS.activeSessions) !== 0) {
    gc()
    await new Promise(setImmediate)
  }
  expect(hooks.length).toBe(1)
})
