// A process of the budget test: begins many runs at once on a budget that others spend as well, and tells what came of
// each.

import { Budgets, Namespace, OrraError, type PriceTable, type Provider, Runtime } from "@orra/core"
import { say } from "@orra/testing/process"
import { openAt } from "./open-at.ts"

/** A line of its output: how a run got on. `hangs` is the last of one whose model never answers. */
export type Spent = "answered" | "hangs" | "refused"

export const TENANT = Namespace.of("acme")
/** An answer costs 0.10 USD. */
export const PRICES: PriceTable = { date: "2026-01-01", models: { fake: { input: 0, output: 100 } } }
export const LIMIT = { per: "ever", usd: 1 } as const
export const RESERVATION_MS = 600_000

/** A model that answers for 0.10 USD, or tells of the call and never answers. */
export const provider = (hangs: () => boolean, onCall: () => void = () => {}): Provider => ({
  id: "fake",
  model: "fake",
  async *stream() {
    onCall()
    if (hangs()) {
      await say("hangs" satisfies Spent)
      // As a connection does, it keeps the process alive.
      await new Promise(() => setInterval(() => {}, 1_000))
    }
    yield {
      type: "done",
      message: { role: "assistant", parts: [{ type: "text", text: "Yes." }] },
      finishReason: "stop",
      usage: { inputTokens: 1, outputTokens: 1_000, cacheReadTokens: 0, cacheWriteTokens: 0 },
    }
  },
})

async function main(place: string, name: string, runs: number, every: number): Promise<void> {
  const store = await openAt(place)
  const budgets = new Budgets({ store, prices: PRICES, reservationMs: RESERVATION_MS })
  budgets.set(TENANT, LIMIT)
  let calls = 0
  const runtime = new Runtime({
    provider: provider(() => every > 0 && ++calls % every === 0),
    store,
    budgets,
    maxTokens: 1_000,
    onError: () => {},
  })
  const run = async (index: number): Promise<void> => {
    try {
      await runtime.run(TENANT.child(name, `${index}`), "Hello")
      await say("answered" satisfies Spent)
    } catch (error) {
      if (!(error instanceof OrraError) || error.code !== "budget_exceeded") throw error
      await say("refused" satisfies Spent)
    }
  }
  await Promise.all(Array.from({ length: runs }, (_, index) => run(index)))
  await runtime.close()
  await store.close()
}

const [, script, place, name, runs, every] = process.argv
if (script === import.meta.filename && place && name) await main(place, name, Number(runs), Number(every))
