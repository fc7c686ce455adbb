import type { Envelope } from "./envelope.ts"
import type { RecordFilter } from "./hooks/redact.ts"
import type { JsonObject } from "./json.ts"
import type { AssistantMessage, ToolCallPart, ToolResultPart } from "./message.ts"
import type { Namespace } from "./namespace.ts"
import type { Verdict } from "./policy.ts"
import type { FinishReason, ModelRequest, Usage } from "./provider.ts"
import type { RunResult } from "./run.ts"
import type { DeltaPiece } from "./session.ts"
import type { ToolRisk } from "./tool.ts"

/** Whose run a hook is looking at. The namespace is the session: its log, its metadata, its policy. */
export interface HookContext {
  readonly namespace: Namespace
  readonly runId: string
  /** The agent that answers, where there are several. */
  readonly agent?: string | undefined
  /** Who asked, as `RunOptions.principal` said. */
  readonly principal?: string | undefined
  /** On whose behalf the run works; undefined for a person's. */
  readonly envelope?: Envelope | undefined
  readonly metadata: JsonObject
  /** Fires when the run is stopped. A hook before an effect is then no longer waited for; others should end soon. */
  readonly signal: AbortSignal
}

/** Ends the run: it finishes as `stopped` with the code `ended_by_hook` and this reason, which people are shown. */
export interface EndRun {
  readonly end: string
}

// biome-ignore lint/suspicious/noConfusingVoidType: a hook that only looks has nothing to return
export type MayEnd = EndRun | undefined | void

/**
 * What `beforeTool` may answer: other arguments, a refusal that the model is told, or the end of the run, in which
 * nothing of this step is carried out. Nothing leaves the call as it is. A call cannot become one of another tool.
 */
export type ToolCallAnswer =
  | { readonly arguments: JsonObject }
  | { readonly reject: string }
  | EndRun
  | undefined

/** A call that policy allows only with somebody's approval, exactly as it would be carried out. */
export interface ApprovalQuestion {
  readonly call: ToolCallPart
  readonly risk: ToolRisk
  /** The layer and rule that ask. */
  readonly verdict: Verdict
  /** The session has read what strangers wrote. */
  readonly tainted: boolean
}

/** A decision in place of a person's. `by` names who made it, for the record; default the hook's name. */
export type ApprovalAnswer =
  | { readonly decision: "approve"; readonly by?: string }
  | { readonly decision: "deny"; readonly reason: string; readonly by?: string }
  | undefined

/** A limit that is nearly or fully used up. */
export interface BudgetEvent {
  readonly type: "near" | "hit"
  /** Where the limit is set. */
  readonly namespace: Namespace
  /** What is limited, such as "usd" or "tokens". */
  readonly unit: string
  /** For how long it counts, such as "run" or "day". */
  readonly window: string
  readonly limit: number
  /** Spent and reserved. */
  readonly used: number
}

/**
 * Points at which an application can look into a run and change it. Hooks run in the order given, each seeing what
 * the one before left. Every point is optional.
 *
 * A hook that throws, gives no answer in time or answers something else than it may prevents what would come next:
 * `beforeTool` refuses the call, `approval` denies it; `runStart`, `beforeModel` and `afterModel`, which comes before
 * the calls that the answer asks for, fail the run with `hook_failed`. One that looks at what has happened (`afterTool`,
 * `streamChunk`, `budget`, `runWait`, `runEnd`) is reported to `onError` and changes nothing.
 */
export interface Hooks {
  /** For error messages. */
  readonly name?: string
  /** How long this hook may take each time, default 60,000 ms. */
  readonly timeoutMs?: number
  /** The session is loaded, with the message that began the run. May end the run. Once: not again after it waited. */
  runStart?(context: HookContext): Promise<MayEnd> | MayEnd
  /** May return another request, or end the run. Nothing of the request is stored. */
  beforeModel?(
    request: ModelRequest,
    context: HookContext,
  ): Promise<ModelRequest | EndRun | undefined> | ModelRequest | EndRun | undefined
  /** Each piece of an answer as the provider sends it. It cannot change it and is not waited for. */
  streamChunk?(piece: DeltaPiece, context: HookContext): void
  /** May end the run: what the answer asks for is then not carried out. */
  afterModel?(
    answer: {
      readonly message: AssistantMessage
      readonly usage: Usage
      readonly finishReason: FinishReason
    },
    context: HookContext,
  ): Promise<MayEnd> | MayEnd
  /** Sees every call before policy does, which judges the arguments that the last hook left. */
  beforeTool?(call: ToolCallPart, context: HookContext): Promise<ToolCallAnswer> | ToolCallAnswer
  /**
   * A call needs approval. One hook that denies is enough; without a denial one that approves is enough; when none
   * decides, a person is asked. What policy denies never comes here.
   */
  approval?(question: ApprovalQuestion, context: HookContext): Promise<ApprovalAnswer> | ApprovalAnswer
  /** Sees every result, also of calls that were refused. May return another. */
  afterTool?(
    result: ToolResultPart,
    call: ToolCallPart,
    context: HookContext,
  ): Promise<ToolResultPart | undefined> | ToolResultPart | undefined
  /** Changes text before it is recorded: see `redact`, which makes it. */
  readonly beforeRecord?: RecordFilter
  budget?(event: BudgetEvent, context: HookContext): Promise<void> | void
  /** Nothing of the run is in memory until somebody has decided or something has happened: perhaps not here any more. */
  runWait?(context: HookContext): Promise<void> | void
  runEnd?(result: RunResult, context: HookContext): Promise<void> | void
}
