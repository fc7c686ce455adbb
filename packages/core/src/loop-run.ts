import type { ApprovalGate } from "./approval-gate.ts"
import type { ContextBudget, Tokenizer } from "./context.ts"
import type { DeltaWriter } from "./delta-writer.ts"
import { callHook, endedBy } from "./hook-calls.ts"
import type { EndRun, HookContext, Hooks, MayEnd } from "./hooks.ts"
import type { Policies } from "./policy.ts"
import type { ModelRequest, ToolDefinition } from "./provider.ts"
import type { Notice } from "./run.ts"
import type { RuntimeOptions } from "./runtime-options.ts"
import type { Entry, NewEntry } from "./session.ts"
import type { SessionLog } from "./session-log.ts"
import type { Stop } from "./stop.ts"
import type { Lease } from "./store.ts"
import type { ToolRegistry } from "./tool.ts"

/** Makes the system text of a request. */
export type SystemPrompt =
  | string
  | ((context: {
      readonly namespace: HookContext["namespace"]
      readonly metadata: HookContext["metadata"]
      readonly now: Date
    }) => string | Promise<string>)

/** What the loop needs of its runtime: the same for all runs. */
export interface LoopSettings
  extends Pick<
    RuntimeOptions,
    | "agent"
    | "budgets"
    | "compaction"
    | "maxTokens"
    | "model"
    | "provider"
    | "rights"
    | "systemPrompt"
    | "temperature"
  > {
  readonly tools: ToolRegistry
  readonly policies: Policies
  readonly hooks: readonly Hooks[]
  /** Where calls that policy asks about can be approved. */
  readonly gate: ApprovalGate | undefined
  readonly budget: ContextBudget
  readonly tokenizer: Tokenizer
  /** What the tools cost in a request. */
  readonly countTools: (tools: readonly ToolDefinition[]) => number
  readonly deltaIntervalMs: number
  readonly parallelTools: number
  readonly onError: (error: unknown) => void
  /** The time by which it is decided what is too late, in ms since 1970: the same in all processes. */
  readonly now: () => number
}

/** One run: what the loop works on. */
export interface LoopRun {
  readonly runId: string
  readonly log: SessionLog
  /** What hooks are told, by `hookContext`. */
  context: HookContext
  /** The log's `incarnation` when the run began: a session deleted meanwhile gets nothing of it. */
  readonly incarnation: number
  readonly lease: () => Lease
  /** Ends it. With an OrraError the end is recorded with that. */
  readonly stop: Stop
  readonly model: string | undefined
  readonly maxTurns: number
  /** What this run may do: what it is shown and what it may call are both judged by these. */
  readonly policies: Policies
  /** What the model has answered in this run, when the run goes on after a wait or a crash. */
  readonly answers: readonly Entry<"assistant">[] | undefined
  /** For how long it ran before. */
  readonly earlierMs: number
  readonly notify: (notice: Notice) => void
  /** What its model calls have cost so far in USD; undefined where no price is known. */
  readonly cost: { usd: number | undefined }
}

/** What hooks are told of a run: the same object until the session's metadata change. */
export function hookContext(run: LoopRun): HookContext {
  const metadata = run.log.info?.metadata ?? run.context.metadata
  if (run.context.metadata !== metadata) run.context = { ...run.context, metadata }
  return run.context
}

/**
 * What a hook before an effect answers; undefined also once the run is stopped, by the hook itself or by anyone. One
 * that fails ends the run: going on without its check would be the unsafe choice.
 */
export function guard(
  run: LoopRun,
  hook: Hooks,
  call: () => Promise<ModelRequest | MayEnd> | ModelRequest | MayEnd,
): Promise<ModelRequest | undefined> | ModelRequest | undefined {
  const answer = callHook(hook, call, run.stop, isAnswer)
  return answer instanceof Promise ? answer.then((made) => obeyed(run, made)) : obeyed(run, answer)
}

function obeyed(run: LoopRun, answer: ModelRequest | MayEnd): ModelRequest | undefined {
  if (!answer || !("end" in answer)) return answer || undefined
  run.stop.abort(endedBy(answer))
  return undefined
}

/** Whether a hook made something that it may answer. */
const isAnswer = (made: ModelRequest | EndRun): boolean =>
  "end" in made || (Array.isArray(made.messages) && Array.isArray(made.tools))

export const record = (
  { log, lease, incarnation }: LoopRun,
  entries: readonly NewEntry[] | (() => readonly NewEntry[]),
  dropDeltas?: DeltaWriter["range"],
): Promise<readonly Entry[]> => log.append(entries, { lease: lease(), incarnation, dropDeltas })
