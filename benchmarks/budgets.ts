// What a budget costs a model call, with the model and the store in this process:
// `node --conditions=@orra/source benchmarks/budgets.ts`.

import {
  Budgets,
  DEFAULT_PRICES,
  type Limit,
  MemoryStore,
  type ModelEvent,
  Namespace,
  type Provider,
  Runtime,
} from "@orra/core"

const WINDOWS = 9
const WINDOW_MS = 300

const provider: Provider = {
  id: "bench",
  model: "claude-haiku-4-5",
  async *stream(): AsyncGenerator<ModelEvent> {
    yield {
      type: "done",
      message: { role: "assistant", parts: [{ type: "text", text: "Yes." }] },
      usage: { inputTokens: 10, outputTokens: 2, cacheReadTokens: 0, cacheWriteTokens: 0 },
      finishReason: "stop",
    }
  },
}

const levels = ["household", "ada", "phone"].map((_, depth, names) =>
  Namespace.of(...names.slice(0, depth + 1)),
)
const session = levels.at(-1) ?? Namespace.of("household")
const limit: Limit = { per: "day", usd: 1e6, tokens: 1e15 }

/** A runtime whose first so many levels have a limit; without any number it has no budgets. */
function runtimeWith(limited: number | undefined): Runtime {
  const store = new MemoryStore()
  const budgets = new Budgets({ store, prices: DEFAULT_PRICES })
  for (const level of levels.slice(0, limited ?? 0)) budgets.set(level, limit)
  return new Runtime({ provider, store, ...(limited !== undefined && { budgets }) })
}

const kinds = [
  { name: "no budgets", runtime: runtimeWith(undefined), times: [] as number[] },
  { name: "no limit above it", runtime: runtimeWith(0), times: [] as number[] },
  { name: "a limit above it", runtime: runtimeWith(1), times: [] as number[] },
  { name: "limits on three levels", runtime: runtimeWith(3), times: [] as number[] },
]

// The windows take turns, so that a machine that slows down slows all.
for (let window = -3; window < WINDOWS; window++) {
  for (const { runtime, times } of kinds) {
    const began = performance.now()
    let turns = 0
    for (; performance.now() - began < WINDOW_MS; turns++) {
      const namespace = session.child(`${turns}`)
      await runtime.run(namespace, "Hello")
      await runtime.delete(namespace)
    }
    if (window >= 0) times.push(((performance.now() - began) * 1_000) / turns)
  }
}

const median = (times: readonly number[]): number =>
  times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN
const base = median(kinds[0]?.times ?? [])
for (const { name, times } of kinds) {
  const time = median(times)
  console.log(
    `${name.padEnd(24)} ${time.toFixed(1)} µs a turn, ${(time - base).toFixed(1)} µs of it the budget`,
  )
}
