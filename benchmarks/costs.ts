// What each thing that is on costs: `node --conditions=@orra/source benchmarks/costs.ts [--dry]`. They are switched on
// one after the other, around a model in the same process, and the table goes into benchmarks/README.md.

import {
  type AppendOptions,
  type Entry,
  MemoryStore,
  type Namespace,
  type NewEntry,
  type SessionInfo,
} from "@orra/core"
import { type Cost, generousBudgets, hooks, medianOf, meter, policies } from "./in-process.ts"
import { replaceIn } from "./table.ts"

const WARM_UP = 8
const ROUNDS = 15
const WINDOW_MS = 150

/** Numbers the entries and keeps none: what is left of a log when nothing is written. */
class NoLog extends MemoryStore {
  readonly #infos = new Map<string, SessionInfo>()

  override async info(namespace: Namespace): Promise<SessionInfo | undefined> {
    return this.#infos.get(namespace.key)
  }

  override async append(
    namespace: Namespace,
    entries: readonly NewEntry[],
    { expected }: AppendOptions,
  ): Promise<readonly Entry[]> {
    const written = entries.map((entry, index): Entry => ({ ...entry, seq: expected + index + 1 }))
    const version = expected + entries.length
    const times = { createdAt: 0, updatedAt: 0 }
    this.#infos.set(namespace.key, { namespace, version, messages: 0, metadata: {}, ...times })
    return written
  }

  override async delete(namespace: Namespace): Promise<boolean> {
    return this.#infos.delete(namespace.key)
  }
}

const store = new MemoryStore()
const kinds = [
  { name: "the loop alone", measure: meter({ store: new NoLog() }) },
  { name: "and a log in memory", measure: meter({ store: new MemoryStore() }) },
  { name: "and policy", measure: meter({ store: new MemoryStore(), policies }) },
  { name: "and hooks", measure: meter({ store: new MemoryStore(), policies, hooks }) },
  { name: "and a budget", measure: meter({ store, policies, hooks, budgets: generousBudgets(store) }) },
].map((kind) => ({ ...kind, costs: [] as Cost[] }))
// They take turns, so that a machine that slows down slows all of them.
for (let round = -WARM_UP; round < ROUNDS; round++) {
  for (const { measure, costs } of kinds) {
    const cost = await measure(WINDOW_MS)
    if (round >= 0) costs.push(cost)
  }
}
const rows = kinds.map(({ name, costs }) => {
  const { turn, toolStep, token } = medianOf(costs)
  return `| ${name} | ${turn.toFixed(1)} | ${toolStep.toFixed(1)} | ${token.toFixed(2)} |`
})
const text = [
  `${new Date().toISOString().slice(0, 10)}, Node ${process.versions.node}, µs of wall time:`,
  "",
  "| | single turn | a tool step | a streamed token |",
  "|---|---:|---:|---:|",
  ...rows,
].join("\n")
console.log(text)
if (!process.argv.includes("--dry")) replaceIn("costs", text)
