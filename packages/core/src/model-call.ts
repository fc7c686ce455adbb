import { each } from "./abortable.ts"
import type { BudgetInstead } from "./budget-gate.ts"
import { Draft } from "./draft.ts"
import { failureOf, isLogFailure } from "./failure.ts"
import { chunkWatcher } from "./hook-calls.ts"
import { hookContext, type LoopRun, type LoopSettings } from "./loop-run.ts"
import type { AssistantMessage } from "./message.ts"
import { assertStream, checkedDone, isPiece } from "./model-event.ts"
import {
  type FinishReason,
  type ModelEvent,
  type ModelRequest,
  ProviderError,
  type Usage,
} from "./provider.ts"
import type { DeltaPiece } from "./session.ts"

/** What one model call came to. */
export type Answer =
  | {
      readonly type: "done"
      readonly message: AssistantMessage
      readonly usage: Usage
      readonly cost?: number | undefined
      readonly finishReason: FinishReason
    }
  | { readonly type: "stopped"; readonly draft: Draft; readonly cost?: number | undefined }
  | {
      readonly type: "failed"
      readonly draft: Draft
      readonly error: unknown
      readonly cost?: number | undefined
      /** What is to happen in place of a call that a budget has no room for. */
      readonly instead?: BudgetInstead | undefined
    }

/**
 * One model call, within what budgets allow: reserved before, settled after whatever comes of it. Never throws for what
 * the provider does.
 */
export function ask(
  settings: LoopSettings,
  run: LoopRun,
  asked: ModelRequest,
  push: (piece: DeltaPiece) => void,
  thinking: { ms: number },
): Promise<Answer> {
  const make = (request: ModelRequest, retried?: () => void): Promise<Answer> =>
    call(settings, run, request, push, thinking, retried)
  return settings.budgets?.ask(settings, run, asked, make) ?? make(asked)
}

function call(
  settings: LoopSettings,
  run: LoopRun,
  request: ModelRequest,
  push: (piece: DeltaPiece) => void,
  thinking: { ms: number },
  retried: (() => void) | undefined,
): Promise<Answer> {
  const { provider } = settings
  const watch = chunkWatcher(settings.hooks, settings.onError, () => hookContext(run))
  const draft = new Draft(provider.id, request.model ?? provider.model)
  let thinkingSince: number | undefined
  let done: Extract<ModelEvent, { type: "done" }> | undefined
  const open = (): AsyncIterable<ModelEvent> => {
    const stream = provider.stream(request, { signal: run.stop.signal })
    assertStream(stream, provider.id)
    return stream
  }
  const take = (event: ModelEvent): boolean => {
    if (event?.type === "done") {
      done = checkedDone(event, provider.id)
      return true
    }
    if (event?.type === "retry") {
      const { attempt, delayMs, error } = event
      retried?.()
      run.notify({ type: "retry", runId: run.runId, attempt, delayMs, failure: failureOf(error) })
      return false
    }
    if (!isPiece(event, provider.id)) return false
    if (event.type === "thinking") thinkingSince ??= Date.now()
    else if (thinkingSince !== undefined) {
      thinking.ms += Date.now() - thinkingSince
      thinkingSince = undefined
    }
    draft.add(event)
    push(event)
    watch(event)
    return false
  }
  const failed = (error: unknown): Answer => {
    if (isLogFailure(error)) throw error
    return run.stop.aborted ? { type: "stopped", draft } : { type: "failed", draft, error }
  }
  const ended = (): Answer =>
    done ??
    failed(
      new ProviderError("protocol", "The provider's answer broke off before its end. Try again.", {
        provider: provider.id,
      }),
    )
  return each(open, run.stop, take).then(ended, failed)
}
