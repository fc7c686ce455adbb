// What the runtime costs around a model that is a function in the same process: for machines without the comparison.

import { MemoryStore } from "@orra/core"
import { type Cost, generousBudgets, hooks, medianOf, meter, policies } from "./in-process.ts"

const WINDOWS = 9
const WINDOW_MS = 300

/** Prints what a turn, a tool step and a streamed token cost, with everything on. */
export async function measureAlone(): Promise<void> {
  const store = new MemoryStore()
  const measure = meter({ store, policies, hooks, budgets: generousBudgets(store) })
  // Until the code is warm.
  for (let window = 0; window < 3; window++) await measure(WINDOW_MS)
  const windows: Cost[] = []
  for (let window = 0; window < WINDOWS; window++) windows.push(await measure(WINDOW_MS))
  const { turn, toolStep, token } = medianOf(windows)
  console.log(`single turn      ${turn.toFixed(1)} µs`)
  console.log(`tool step        ${toolStep.toFixed(1)} µs`)
  console.log(`streamed token   ${token.toFixed(2)} µs`)
}
