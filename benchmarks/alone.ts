// What the runtime costs around a model that is a function in the same process: for machines without the comparison.

import {
  type Hooks,
  MemoryStore,
  type ModelEvent,
  Namespace,
  NO_USAGE,
  PolicyRegistry,
  type Provider,
  Runtime,
  tool,
} from "@orra/core"

const TOKENS = 200
const STEPS = 5
const WINDOWS = 9
const WINDOW_MS = 300

const words = Array.from({ length: TOKENS }, (_, index) => ` word${index}`)
const text = words.join("")
const home = Namespace.of("tenant", "acme")

const weather = tool<{ city: string }>({
  name: "weather",
  description: "The weather in a city, now.",
  input: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  risk: "read",
  execute: async ({ city }) => ({ city, temperature: 21 }),
})

const look = (): undefined => {}
const hooks: readonly Hooks[] = [{ beforeModel: look, afterModel: look, beforeTool: look, afterTool: look }]

/** Asks for the tool five times when it is given one, then answers; in pieces when `streaming`. */
const model = (streaming: boolean): Provider => ({
  id: "bench",
  model: "bench",
  async *stream({ messages, tools }): AsyncGenerator<ModelEvent> {
    let results = 0
    for (let index = messages.length - 1; messages[index]?.role !== "user"; index--) {
      if (messages[index]?.role === "tool") results++
    }
    const call = tools.length > 0 && results < STEPS
    if (streaming) for (const word of words) yield { type: "text", text: word }
    yield {
      type: "done",
      message: {
        role: "assistant",
        parts: call
          ? [{ type: "tool_call", id: `call_${results}`, name: "weather", arguments: { city: "Oslo" } }]
          : [{ type: "text", text }],
      },
      finishReason: call ? "tool_calls" : "stop",
      usage: NO_USAGE,
    }
  },
})

/** Prints what a turn, a tool step and a streamed token cost, and what idle sessions take. */
export async function measureAlone(): Promise<void> {
  const policies = new PolicyRegistry({ default: "deny" })
  policies.set(home, { allow: ["weather"] })
  const shared = { store: new MemoryStore(), policies, hooks }
  const plain = new Runtime({ ...shared, provider: model(false) })
  const equipped = new Runtime({ ...shared, provider: model(false), tools: [weather] })
  const live = new Runtime({ ...shared, provider: model(true), deltaIntervalMs: 0 })
  let made = 0
  const next = (): Namespace => home.child(`conversation-${++made}`)
  const run = (runtime: Runtime) => async (): Promise<void> => {
    const namespace = next()
    await runtime.run(namespace, "Hello")
    await runtime.delete(namespace)
  }
  const single = await microseconds(run(plain))
  const steps = await microseconds(run(equipped))
  const streamed = await microseconds(async () => {
    const namespace = next()
    for await (const _ of live.stream(namespace, "Hello"));
    await live.delete(namespace)
  })
  console.log(`single turn      ${single.toFixed(1)} µs`)
  console.log(`tool step        ${((steps - single) / STEPS).toFixed(1)} µs`)
  console.log(`streamed token   ${(streamed / TOKENS).toFixed(2)} µs`)
}

/** The median over some windows, once the code is warm. */
async function microseconds(turn: () => Promise<void>): Promise<number> {
  const windows: number[] = []
  for (let window = -3; window < WINDOWS; window++) {
    const began = performance.now()
    let turns = 0
    for (; performance.now() - began < WINDOW_MS; turns++) await turn()
    if (window >= 0) windows.push(((performance.now() - began) * 1_000) / turns)
  }
  return windows.toSorted((a, b) => a - b)[Math.floor(WINDOWS / 2)] ?? Number.NaN
}
