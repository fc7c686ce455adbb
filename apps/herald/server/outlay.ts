import { type Budgets, type Namespace, randomId } from "@orra/core"

/** Sets money aside for what somebody does beside any run, and settles it with what it was, whatever happened. */
export type Spend = <T extends { readonly costUsd?: number }>(
  namespace: Namespace,
  limits: {
    /** The most it can cost, in USD. */
    readonly atMost: number
    /** What is charged where nobody knows the cost, in USD. */
    readonly unknown: number
  },
  work: () => Promise<T>,
) => Promise<T>

/** @throws OrraError (`budget_exceeded`) when there is no room for it. */
export function spender(budgets: Budgets, onError: (error: unknown) => void): Spend {
  return async (namespace, { atMost, unknown }, work) => {
    const run = { namespace, runId: randomId() }
    const outlay = await budgets.setAside(run, atMost)
    let spent = unknown
    try {
      const done = await work()
      spent = done.costUsd ?? unknown
      return done
    } finally {
      await outlay.settle(spent)
      await budgets.rest(run, true, onError)
    }
  }
}
