import type { JsonObject } from "./json.ts"
import type { AssistantMessage, ToolCallPart, ToolResultPart } from "./message.ts"
import type { Namespace } from "./namespace.ts"
import type { FinishReason, ModelRequest, Usage } from "./provider.ts"
import type { RunResult } from "./run.ts"

/** Whose run a hook is looking at. */
export interface HookContext {
  readonly namespace: Namespace
  readonly runId: string
  readonly metadata: JsonObject
  /** Fires when the run is stopped. A hook before an effect is then no longer waited for; others should end soon. */
  readonly signal: AbortSignal
}

/** What `beforeTool` may answer: other arguments, or a refusal that the model is told. Nothing leaves the call as it is. */
export type ToolCallAnswer = { readonly arguments: JsonObject } | { readonly reject: string } | undefined

/**
 * Points at which an application can look into a run and change it. Hooks run in the order given, each seeing what
 * the one before left. Every point is optional.
 *
 * A hook that throws before an effect prevents it: `beforeTool` refuses the call; `runStart`, `beforeModel` and
 * `afterModel`, which comes before the calls that the answer asks for, fail the run with `hook_failed`. One that
 * throws afterwards (`afterTool`, `runEnd`) is reported to `onError` and changes nothing.
 */
export interface Hooks {
  /** For error messages. */
  readonly name?: string
  runStart?(context: HookContext): Promise<void> | void
  /** May return another request. */
  beforeModel?(
    request: ModelRequest,
    context: HookContext,
  ): Promise<ModelRequest | undefined> | ModelRequest | undefined
  afterModel?(
    answer: {
      readonly message: AssistantMessage
      readonly usage: Usage
      readonly finishReason: FinishReason
    },
    context: HookContext,
  ): Promise<void> | void
  /** Sees every call before policy does, which judges the arguments that the last hook left. */
  beforeTool?(call: ToolCallPart, context: HookContext): Promise<ToolCallAnswer> | ToolCallAnswer
  /** Sees every result, also of calls that were refused. May return another. */
  afterTool?(
    result: ToolResultPart,
    call: ToolCallPart,
    context: HookContext,
  ): Promise<ToolResultPart | undefined> | ToolResultPart | undefined
  runEnd?(result: RunResult, context: HookContext): Promise<void> | void
}
