import type { AgentResolver } from "./agent.ts"
import type { Approvals } from "./approval.ts"
import type { Broadcast } from "./broadcast.ts"
import type { BudgetGate } from "./budget-gate.ts"

import type { Compactor } from "./compaction.ts"
import type { ContextBudget, Tokenizer } from "./context.ts"
import type { Driver } from "./driver.ts"
import type { Envelope } from "./envelope.ts"
import type { Hooks } from "./hooks.ts"
import type { LoopSettings, SystemPrompt } from "./loop-run.ts"
import type { OpenLogs } from "./open-logs.ts"
import type { Peers } from "./peers.ts"
import type { Policies } from "./policy.ts"
import type { Provider } from "./provider.ts"
import type { SessionStore } from "./store.ts"
import type { Tool, ToolRegistry } from "./tool.ts"

/** What a runtime is made of. Everything is optional but the provider. */
export interface RuntimeOptions {
  readonly provider: Provider
  /** Where sessions live. Default: memory, gone with the process. */
  readonly store?: SessionStore
  readonly tools?: Iterable<Tool> | ToolRegistry
  /** Default: every registered tool is allowed. */
  readonly policies?: Policies
  /**
   * The policies of a run that works on somebody's behalf: usually `policies.within(...)`, so that rights only narrow.
   * Default: the runtime's policies. Asked again whenever the run goes on after a wait or a restart.
   */
  readonly rights?: (envelope: Envelope, policies: Policies) => Policies
  /**
   * What a run by an agent has of its own; a `Team` is made of it. Asked when a run begins, and again when it goes on
   * after a wait or a restart. Default: all runs are alike.
   */
  readonly agent?: AgentResolver
  /** Lets people decide about the calls that policy asks about. Without it such calls are denied. */
  readonly approvals?: Approvals
  readonly hooks?: readonly Hooks[]
  readonly systemPrompt?: SystemPrompt
  readonly context?: Partial<ContextBudget>
  /** What may be spent: `new Budgets({ store, prices })`. Default: no limit, and no costs are recorded. */
  readonly budgets?: BudgetGate
  /** Default: `charEstimator`, about four letters a token. */
  readonly tokenizer?: Tokenizer
  /** `summarize()`: what is cut from a session that grows too long is summed up. Default: it is only cut. */
  readonly compaction?: Compactor
  /** Default: the provider's. */
  readonly model?: string
  readonly maxTokens?: number
  readonly temperature?: number
  /** Model calls in one run, default 10. */
  readonly maxTurns?: number
  /** Tool calls at the same time, default 8. */
  readonly parallelTools?: number
  /**
   * Streamed text is recorded, and shown, at most this often. Default 30 ms, which spares a disk; 0 shows each piece
   * as soon as the store has taken the ones before it, those that come within a millisecond sixteen at a time.
   */
  readonly deltaIntervalMs?: number
  /**
   * The name under which leases are taken, default random. A process that knows it is the only one can keep its
   * name across restarts: it then gets the lease of its dead predecessor at once.
   */
  readonly owner?: string
  /** How long a session stays locked when its process dies, default 30,000 ms. */
  readonly leaseTtlMs?: number
  /** The other processes on the same store: `await Peers.join(store)`. Default: there are none to work with. */
  readonly peers?: Peers
  /** Told of failures that have no caller: a hook after the fact, a log that cannot be written. */
  readonly onError?: (error: unknown) => void
}

/** What functions beside the class work with. */
export interface RuntimeInternals {
  readonly driver: Driver
  readonly settings: LoopSettings
  readonly broadcast: Broadcast
  readonly leaseTtlMs: number
  readonly logs: OpenLogs
}
