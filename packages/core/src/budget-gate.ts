import type { OrraError } from "./errors.ts"
import type { HookContext } from "./hooks.ts"
import type { LoopRun, LoopSettings } from "./loop-run.ts"
import type { ToolCallPart } from "./message.ts"
import type { Answer } from "./model-call.ts"
import type { Verdict } from "./policy.ts"
import type { ModelRequest } from "./provider.ts"
import type { NewEntry } from "./session.ts"

/** The run that wants to call a tool. */
export interface Spender {
  readonly context: HookContext
  readonly hooks: LoopSettings["hooks"]
  readonly report: (error: unknown) => void
  /** Stops the run, for this reason. */
  readonly end: (why: OrraError) => void
}

/** A tool call that policy has decided about. */
export interface DecidedCall {
  readonly call: ToolCallPart
  readonly tool: unknown
  readonly verdict: Verdict
}

/** What happens in place of a call that a limit has no room for, where the run goes on: `entry` says so in the log. */
export interface BudgetInstead {
  readonly action: "compact" | "ask"
  readonly entry: NewEntry<"budget">
  /** When the limit's next window begins, in ms since 1970. */
  readonly renewsAt?: number
}

/** What the runtime asks before it spends anything: `Budgets` is the one there is. */
export interface BudgetGate {
  /** Makes a model call, if it may be made. `make` sends it and tells of each attempt that the provider makes again. */
  ask(
    settings: LoopSettings,
    run: LoopRun,
    request: ModelRequest,
    make: (request: ModelRequest, retried: () => void) => Promise<Answer>,
  ): Promise<Answer>
  /** From now on the time is this, in ms since 1970: the one that all processes agree on. */
  clock?(now: () => number): void
  /** The decision about a tool call with what may be spent: a denial in place of what policy allows. */
  admit<T extends DecidedCall>(spender: Spender, decided: T): Promise<T> | T
  /** The run is over, also one of a process that died, or it waits: its time stands still. Never rejects. */
  rest(
    run: Pick<HookContext, "namespace" | "runId">,
    over: boolean,
    report: (error: unknown) => void,
  ): Promise<void> | undefined
}
