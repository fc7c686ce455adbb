/// <reference path="./parse-prometheus-text-format.d.ts" />
import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { array, assert, constantFrom, double, property, tuple } from "fast-check"
import parse from "parse-prometheus-text-format"
import { describe, expect, test } from "vitest"
import { Metrics } from "./metrics.ts"
import { PROMETHEUS_TYPE, prometheusHandler, prometheusText } from "./prometheus.ts"

const refused = expect.objectContaining({ code: "invalid_input" })

describe("metrics", () => {
  test("count, show and put into buckets, by labels in any order", () => {
    const metrics = new Metrics()
    metrics.increment("calls", { tool: "exec", status: "ok" })
    metrics.increment("calls", { status: "ok", tool: "exec" }, 2)
    metrics.gauge("active", 5)
    metrics.adjust("active", -2)
    expect(metrics.value("calls", { tool: "exec", status: "ok" })).toBe(3)
    expect(metrics.value("calls", { tool: "web", status: "ok" })).toBe(0)
    expect(metrics.value("never")).toBe(0)
    expect(metrics.value("active")).toBe(3)
    for (let value = 1; value <= 10; value++) metrics.observe("latency", value)
    expect(metrics.stats("latency")).toEqual({
      count: 10,
      sum: 55,
      mean: 5.5,
      min: 1,
      max: 10,
      p50: 6,
      p95: 10,
      p99: 10,
    })
    expect(metrics.stats("active")).toBeUndefined()
    metrics.reset()
    expect(metrics.snapshot()).toEqual([])
  })

  test("a timer puts its time into the histogram", () => {
    let now = 100
    const metrics = new Metrics({ clock: () => now })
    const timer = metrics.timer("latency")
    now = 107.5
    expect(timer.elapsed()).toBe(7.5)
    expect(timer.stop()).toBe(7.5)
    expect(metrics.stats("latency")).toMatchObject({ count: 1, sum: 7.5 })
  })

  test("do not grow with what comes from outside: later values of a label are counted together", () => {
    const metrics = new Metrics({ maxValues: 10 })
    for (let user = 0; user < 10_000; user++) metrics.increment("calls", { user: `user ${user}` })
    const points = metrics.snapshot()
    expect(points.length).toBe(11)
    expect(metrics.value("calls", { user: "other" })).toBe(9_990)
    expect(metrics.value("calls", { user: "user 3" })).toBe(1)
    metrics.increment("calls", { user: "x".repeat(100_000) })
    expect(prometheusText(metrics).length).toBeLessThan(2_000)
  })

  test("looking takes no place", () => {
    const metrics = new Metrics({ maxValues: 1 })
    metrics.increment("calls", { user: "a" })
    expect(metrics.value("calls", { user: "b" })).toBe(0)
    metrics.increment("calls", { user: "b" })
    expect(metrics.value("calls", { user: "other" })).toBe(1)
  })

  test.each<readonly [string, (metrics: Metrics) => unknown]>([
    ["a name with a space", (metrics) => metrics.increment("a b")],
    ["an empty name", (metrics) => metrics.increment("")],
    ["a label that is a bucket's", (metrics) => metrics.observe("a", 1, { le: "5" })],
    ["a label with a dot", (metrics) => metrics.increment("a", { "x.y": "5" })],
    ["a counter that goes back", (metrics) => metrics.increment("a", {}, -1)],
    ["a counter by nothing that is a number", (metrics) => metrics.increment("a", {}, Number.NaN)],
    ["a gauge that is no number", (metrics) => metrics.gauge("a", Number.NaN)],
    ["a value without end", (metrics) => metrics.observe("a", Number.POSITIVE_INFINITY)],
    ["two kinds", (metrics) => [metrics.increment("a"), metrics.gauge("a", 1)]],
    ["other labels", (metrics) => [metrics.increment("a", { b: "1" }), metrics.increment("a", { c: "1" })]],
    ["one name in Prometheus for two", (metrics) => [metrics.increment("a.b"), metrics.increment("a_b")]],
    ["the name of another's count", (metrics) => [metrics.observe("a", 1), metrics.gauge("a_count", 1)]],
  ])("refuse %s", (_, use) => {
    expect(() => use(new Metrics())).toThrow(refused)
  })

  test("refuse buckets that do not grow", () => {
    for (const bounds of [[], [2, 1], [1, 1], [1, Number.POSITIVE_INFINITY], [Number.NaN]]) {
      expect(() => new Metrics({ buckets: { a: bounds } })).toThrow(refused)
    }
  })
})

describe("in Prometheus' format", () => {
  test("a parser reads what was recorded", () => {
    const metrics = new Metrics({ buckets: { "agent.latency": [1, 10] } })
    metrics.increment("agent.requests.total", { outcome: "completed" }, 3)
    metrics.increment("agent.tool.calls", { tool: "exec" })
    metrics.gauge("agent.sessions.active", 2)
    for (const value of [0.5, 1, 5, 50]) metrics.observe("agent.latency", value)
    const parsed = new Map(parse(prometheusText(metrics)).map((family) => [family.name, family]))
    expect(parsed.get("agent_requests_total")).toMatchObject({
      type: "COUNTER",
      metrics: [{ value: "3", labels: { outcome: "completed" } }],
    })
    expect(parsed.get("agent_tool_calls_total")).toMatchObject({
      metrics: [{ value: "1", labels: { tool: "exec" } }],
    })
    expect(parsed.get("agent_sessions_active")).toMatchObject({ type: "GAUGE", metrics: [{ value: "2" }] })
    expect(parsed.get("agent_latency")).toMatchObject({
      type: "HISTOGRAM",
      metrics: [{ buckets: { "1": "2", "10": "3", "+Inf": "4" }, sum: "56.5", count: "4" }],
    })
  })

  test("the samples of a histogram have its labels", () => {
    const metrics = new Metrics({ buckets: { latency: [1] } })
    metrics.observe("latency", 5, { model: "m" })
    // Without their type they are samples like all others: this parser keeps no labels of histograms.
    const samples = parse(prometheusText(metrics).replace(/^#.*$/gm, ""))
    expect(samples.map(({ name, metrics: [first] }) => [name, first?.value, first?.labels])).toEqual([
      ["latency_bucket", "0", { model: "m", le: "1" }],
      ["latency_sum", "5", { model: "m" }],
      ["latency_count", "1", { model: "m" }],
    ])
  })

  test("whatever a label's value is, a parser reads the same", () => {
    const value = array(constantFrom('"', "\\", "\n", "}", ",", "=", " ", "n", "é", "\u{1f31e}", "\ud800"), {
      maxLength: 8,
    })
    assert(
      property(
        array(tuple(value, double({ noNaN: true, noDefaultInfinity: true })), { maxLength: 5 }),
        (pairs) => {
          const metrics = new Metrics()
          const all = pairs.map(([chars, number]) => [chars.join(""), number] as const)
          for (const [label, number] of all) metrics.gauge("g", number, { label })
          const [family] = parse(prometheusText(metrics))
          const read = new Map(family?.metrics.map((each) => [each.labels?.["label"], Number(each.value)]))
          for (const [label] of all) {
            const text = label.toWellFormed()
            expect(read.get(text)).toBe(metrics.value("g", { label: text }) + 0)
          }
        },
      ),
      { numRuns: 20 },
    )
  })

  test("is answered over HTTP, to whoever has the token", async () => {
    const metrics = new Metrics()
    metrics.increment("calls")
    const server = createServer(prometheusHandler(metrics, { token: "of the scraper" }))
    server.listen(0, "127.0.0.1")
    await once(server, "listening")
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`
    const ask = (method: string, authorization = "Bearer of the scraper") =>
      fetch(url, { method, headers: { authorization } })
    try {
      const good = await ask("GET")
      expect(good.headers.get("content-type")).toBe(PROMETHEUS_TYPE)
      expect(parse(await good.text())).toMatchObject([{ name: "calls_total" }])
      const head = await ask("HEAD")
      expect([head.status, await head.text()]).toEqual([200, ""])
      expect((await ask("POST")).status).toBe(405)
      for (const wrong of ["", "Bearer ", "Bearer of the scrape", "of the scraper"])
        expect((await ask("GET", wrong)).status).toBe(401)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})
