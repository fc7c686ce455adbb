// What measuring costs a turn with one tool call: `node --conditions=@orra/source benchmarks/telemetry.ts`.
//
// The model is a function in this process and the store is in memory, so that what hooks take is as large a part of it as
// it can be. The kinds take turns, round by round; of each it is the smallest CPU time, which other programs do not add to.

import { metrics, trace } from "@opentelemetry/api"
import { MeterProvider } from "@opentelemetry/sdk-metrics"
import { BatchSpanProcessor, InMemorySpanExporter, NodeTracerProvider } from "@opentelemetry/sdk-trace-node"
import { type Hooks, type ModelEvent, Namespace, NO_USAGE, type Provider, Runtime, tool } from "@orra/core"
import { Metrics, measure, openTelemetry } from "@orra/telemetry"

const ROUNDS = 40
const TURNS = 250

const say = (part: object, finishReason: string): ModelEvent =>
  ({
    type: "done",
    message: { role: "assistant", parts: [part] },
    usage: NO_USAGE,
    finishReason,
  }) as ModelEvent

const provider: Provider = {
  id: "bench",
  model: "bench",
  async *stream({ messages }): AsyncGenerator<ModelEvent> {
    const called = messages.at(-1)?.role === "tool"
    yield called
      ? say({ type: "text", text: "Done." }, "stop")
      : say({ type: "tool_call", id: `call_${messages.length}`, name: "look", arguments: {} }, "tool_calls")
  },
}
const look = tool({
  name: "look",
  description: "",
  input: { type: "object" },
  risk: "read",
  execute: () => "seen",
})

const empty: Hooks = {
  runStart: () => {},
  beforeModel: () => undefined,
  afterModel: () => {},
  beforeTool: () => undefined,
  afterTool: () => undefined,
  runEnd: () => {},
}
const kinds: readonly {
  name: string
  hooks: () => readonly Hooks[]
  cpu: number
  begin?: () => void
  end?: () => void
}[] = [
  { name: "no hooks", hooks: () => [], cpu: Number.POSITIVE_INFINITY },
  { name: "hooks that do nothing", hooks: () => [empty], cpu: Number.POSITIVE_INFINITY },
  { name: "measure", hooks: () => [measure(new Metrics())], cpu: Number.POSITIVE_INFINITY },
  { name: "openTelemetry without an SDK", hooks: () => [openTelemetry()], cpu: Number.POSITIVE_INFINITY },
  {
    name: "openTelemetry with an SDK",
    hooks: () => [openTelemetry()],
    cpu: Number.POSITIVE_INFINITY,
    begin: () => {
      const exporter = new InMemorySpanExporter()
      trace.setGlobalTracerProvider(
        new NodeTracerProvider({ spanProcessors: [new BatchSpanProcessor(exporter)] }),
      )
      metrics.setGlobalMeterProvider(new MeterProvider())
    },
    end: () => {
      trace.disable()
      metrics.disable()
    },
  },
]

for (let round = 0; round < ROUNDS; round++) {
  for (const kind of kinds) {
    kind.begin?.()
    const runtime = new Runtime({ provider, tools: [look], hooks: kind.hooks() })
    const began = process.cpuUsage()
    for (let turn = 0; turn < TURNS; turn++) await runtime.run(Namespace.of("bench", `${turn}`), "Look.")
    const { user, system } = process.cpuUsage(began)
    kind.cpu = Math.min(kind.cpu, (user + system) / TURNS)
    await runtime.close()
    kind.end?.()
  }
}
const [none] = kinds
for (const { name, cpu } of kinds) {
  console.log(
    `${name.padEnd(30)} ${cpu.toFixed(1).padStart(7)} µs  +${(cpu - (none?.cpu ?? 0)).toFixed(1)} µs`,
  )
}
process.exit()
