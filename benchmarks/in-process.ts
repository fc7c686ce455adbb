// A model that is a function in this process, and what it costs to run turns around it: for the measurements that need
// no service.

import {
  Budgets,
  type Hooks,
  type ModelEvent,
  Namespace,
  NO_USAGE,
  PolicyRegistry,
  type Provider,
  Runtime,
  type SessionStore,
  tool,
} from "@orra/core"

/** Tokens of an answer, and tool calls before it. */
const TOKENS = 200
export const STEPS = 5

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
/** One that looks at every model call and every tool call. */
export const hooks: readonly Hooks[] = [
  { beforeModel: look, afterModel: look, beforeTool: look, afterTool: look },
]

/** Allows the tool. */
export const policies = new PolicyRegistry({ default: "deny" })
policies.set(home, { allow: ["weather"], deny: ["risk:exec"] })

/** Enough for whatever is measured: what counts is that each call is held against it. */
export function generousBudgets(store: SessionStore): Budgets {
  const budgets = new Budgets({
    store,
    prices: { date: "2026-11-01", models: { "*": { input: 1, output: 4 } } },
  })
  budgets.set(home, { per: "month", usd: 1e9, tokens: 1e15 })
  return budgets
}

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
      usage: { ...NO_USAGE, inputTokens: 1, outputTokens: 1 },
    }
  },
})

/** µs of wall time. */
export interface Cost {
  readonly turn: number
  readonly toolStep: number
  readonly token: number
}

/** One of each kind, at each call in a session of its own. */
export interface Works {
  /** An answer, whole. */
  readonly turn: () => Promise<void>
  /** The same after five tool calls, one after the other. */
  readonly tools: () => Promise<void>
  /** An answer in 200 pieces, each of which is shown. */
  readonly stream: () => Promise<void>
}

/** What runtimes with these options are to do. */
export function worksOf(options: Omit<ConstructorParameters<typeof Runtime>[0], "provider">): Works {
  const plain = new Runtime({ ...options, provider: model(false) })
  const equipped = new Runtime({ ...options, provider: model(false), tools: [weather] })
  const live = new Runtime({ ...options, provider: model(true), deltaIntervalMs: 0 })
  let made = 0
  const next = (): Namespace => home.child(`conversation-${++made}`)
  const run = (runtime: Runtime) => async (): Promise<void> => {
    const namespace = next()
    await runtime.run(namespace, "Hello")
    await runtime.delete(namespace)
  }
  const stream = async (): Promise<void> => {
    const namespace = next()
    for await (const _ of live.stream(namespace, "Hello"));
    await live.delete(namespace)
  }
  return { turn: run(plain), tools: run(equipped), stream }
}

/** Measures a runtime with these options: one reading at each call, each in sessions of its own. */
export function meter(options: Parameters<typeof worksOf>[0]): (ms: number) => Promise<Cost> {
  const works = worksOf(options)
  return async (ms) => {
    const turn = await microseconds(works.turn, ms)
    const steps = await microseconds(works.tools, ms)
    const streamed = await microseconds(works.stream, ms)
    return { turn, toolStep: (steps - turn) / STEPS, token: (streamed - turn) / TOKENS }
  }
}

async function microseconds(work: () => Promise<void>, ms: number): Promise<number> {
  const began = performance.now()
  let turns = 0
  for (; performance.now() - began < ms; turns++) await work()
  return ((performance.now() - began) * 1_000) / turns
}

/** The middle one of an odd number of readings. */
export function medianOf(costs: readonly Cost[]): Cost {
  const middle = (of: (cost: Cost) => number): number =>
    costs.map(of).toSorted((a, b) => a - b)[Math.floor(costs.length / 2)] ?? Number.NaN
  return {
    turn: middle(({ turn }) => turn),
    toolStep: middle(({ toolStep }) => toolStep),
    token: middle(({ token }) => token),
  }
}
