import { end, say, scriptedProvider } from "@orra/testing"
import { expect } from "vitest"
import {
  type BudgetOptions,
  Budgets,
  type Entry,
  type Limit,
  MemoryStore,
  Namespace,
  type PriceTable,
  Runtime,
  type RuntimeOptions,
  tool,
} from "./index.ts"

export const ns = Namespace.of("acme", "bob", "chat")
export const tenant = Namespace.of("acme")
export const user = Namespace.of("acme", "bob")

/** 0.10 USD for 1,000 tokens of output: what the tests' calls may write, and do. Input is free. */
export const PRICES: PriceTable = {
  date: "2026-01-01",
  models: { "scripted-1": { input: 0, output: 100 }, cheap: { input: 0, output: 10 } },
}
export const USAGE = { inputTokens: 10, outputTokens: 1_000, cacheReadTokens: 0, cacheWriteTokens: 0 }
export const TEN_CENTS = end({ usage: USAGE })

/** A runtime with these limits, and a model whose answers cost 0.10 USD. */
export function setup(
  limits: readonly (readonly [Namespace, Limit | readonly Limit[]])[],
  options: Partial<RuntimeOptions> & { readonly budget?: Partial<BudgetOptions> } = {},
) {
  const { budget, ...rest } = options
  const store = rest.store ?? new MemoryStore()
  const budgets = new Budgets({ store, prices: PRICES, ...budget })
  for (const [namespace, limit] of limits) budgets.set(namespace, limit)
  const provider = scriptedProvider([], { otherwise: [say("Well."), TEN_CENTS] })
  const executed: string[] = []
  const look = (name: string) =>
    tool({
      name,
      description: "",
      input: { type: "object" },
      risk: "read",
      execute: () => {
        executed.push(name)
        return "seen"
      },
    })
  const errors: unknown[] = []
  const runtime = new Runtime({
    provider,
    store,
    budgets,
    tools: [look("look"), look("listen")],
    maxTokens: 1_000,
    onError: (error) => errors.push(error),
    ...rest,
  })
  const entries = async <T extends Entry["type"]>(type: T, namespace = ns) =>
    (await store.read(namespace, { types: [type] })) as readonly Entry<T>[]
  const spent = async (namespace: Namespace, unit = "usd") =>
    (await budgets.state(namespace)).findLast(
      (state) => state.unit === unit && state.namespace.equals(namespace),
    )
  return { store, budgets, provider, runtime, executed, errors, entries, spent }
}

export const exceeded = expect.objectContaining({ code: "budget_exceeded" })
