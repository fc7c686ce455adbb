import { unlessAborted } from "./abortable.ts"
import type { ContextBudget, Tokenizer } from "./context.ts"
import type { DeltaWriter } from "./delta-writer.ts"
import { errorMessage, OrraError } from "./errors.ts"
import type { HookContext, Hooks } from "./hooks.ts"
import type { PolicyRegistry } from "./policy.ts"
import type { Provider, ToolDefinition } from "./provider.ts"
import type { Notice } from "./run.ts"
import type { Entry, NewEntry } from "./session.ts"
import type { SessionLog } from "./session-log.ts"
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
export interface LoopSettings {
  readonly provider: Provider
  readonly tools: ToolRegistry
  readonly policies: PolicyRegistry
  readonly hooks: readonly Hooks[]
  readonly systemPrompt: SystemPrompt | undefined
  readonly budget: ContextBudget
  readonly tokenizer: Tokenizer
  /** What the tools cost in a request. */
  readonly countTools: (tools: readonly ToolDefinition[]) => number
  readonly model: string | undefined
  readonly maxTokens: number | undefined
  readonly temperature: number | undefined
  readonly deltaIntervalMs: number
  readonly parallelTools: number
  readonly onError: (error: unknown) => void
}

/** One run: what the loop works on. */
export interface LoopRun {
  readonly runId: string
  readonly log: SessionLog
  /** The log's `incarnation` when the run began: a session deleted meanwhile gets nothing of it. */
  readonly incarnation: number
  readonly lease: () => Lease
  readonly signal: AbortSignal
  readonly model: string | undefined
  readonly maxTurns: number
  readonly notify: (notice: Notice) => void
}

export const hookContext = (run: LoopRun): HookContext => ({
  namespace: run.log.namespace,
  runId: run.runId,
  metadata: run.log.info?.metadata ?? {},
  signal: run.signal,
})

/**
 * A hook that fails before an effect ends the run: going on without its check would be the unsafe choice. One that
 * does not end is left when the run is stopped, after which there are no effects.
 */
export async function guard<T>(
  run: LoopRun,
  hook: Hooks,
  call: () => Promise<T> | T,
): Promise<T | undefined> {
  try {
    return await unlessAborted(run.signal, call)
  } catch (error) {
    throw new OrraError(
      "hook_failed",
      `The hook "${hook.name ?? "unnamed"}" failed: ${errorMessage(error)}`,
      {},
      error,
    )
  }
}

export const record = (
  { log, lease, incarnation }: LoopRun,
  entries: readonly NewEntry[],
  dropDeltas?: DeltaWriter["range"],
): Promise<readonly Entry[]> => log.append(entries, { lease: lease(), incarnation, dropDeltas })
