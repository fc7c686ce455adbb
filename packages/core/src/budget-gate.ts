import type { OrraError } from "./errors.ts"
import type { HookContext, Hooks } from "./hooks.ts"
import type { ModelRequest, Usage } from "./provider.ts"
import type { NewEntry } from "./session.ts"

/** The run that wants to spend something. */
export interface Spender {
  readonly context: HookContext
  readonly hooks: readonly Hooks[]
  readonly report: (error: unknown) => void
  /** Stops the run, for this reason. */
  readonly end: (why: OrraError) => void
}

/** A model call that may be made. */
export interface ModelPermit {
  /** What may be sent: with a limit for the answer, and perhaps for another model. */
  readonly request: ModelRequest
  /** What is to be recorded before the call. */
  readonly entries: readonly NewEntry<"budget">[]
  /** The provider tries again by itself: that counts as another call. */
  retried(): void
  /**
   * The call is over. `usage` is what the provider counted; without it `text`, what came of an answer that broke off,
   * is estimated; without both the call came to nothing and its reservation is given back.
   *
   * @returns what it cost in USD, where prices are known.
   */
  settle(usage: Usage | undefined, text: string | undefined): Promise<number | undefined>
}

/** A tool call that may not be made. */
export interface BudgetRefusal {
  readonly reason: string
}

/** What the runtime asks before it spends anything: see `Budgets`. */
export interface BudgetGate {
  /** @throws OrraError (`budget_exceeded`) when the call may not be made; StoreError when nobody can tell. */
  model(spender: Spender, request: ModelRequest, model: string): Promise<ModelPermit>
  /** Undefined when the call may be made: it is counted. @throws StoreError. */
  tool(spender: Spender, name: string): Promise<BudgetRefusal | undefined> | undefined
  /** The run is over, or waits: its time stands still. */
  rest(context: HookContext, over: boolean): Promise<void> | undefined
}
