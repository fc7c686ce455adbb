import { each } from "./abortable.ts"
import type { DeltaWriter } from "./delta-writer.ts"
import { Draft } from "./draft.ts"
import { failureOf, isLogFailure } from "./failure.ts"
import { chunkWatcher } from "./hook-calls.ts"
import { hookContext, type LoopRun, type LoopSettings } from "./loop-run.ts"
import type { AssistantMessage } from "./message.ts"
import {
  type FinishReason,
  type ModelEvent,
  type ModelRequest,
  ProviderError,
  type Usage,
} from "./provider.ts"

/** What one model call came to. */
export type Answer =
  | {
      readonly type: "done"
      readonly message: AssistantMessage
      readonly usage: Usage
      readonly finishReason: FinishReason
    }
  | { readonly type: "stopped"; readonly draft: Draft }
  | { readonly type: "failed"; readonly draft: Draft; readonly error: unknown }

/** One model call. Never throws for what the provider does. */
export async function ask(
  settings: LoopSettings,
  run: LoopRun,
  request: ModelRequest,
  writer: Pick<DeltaWriter, "push">,
  thinking: { ms: number },
): Promise<Answer> {
  const { provider } = settings
  const watch = chunkWatcher(settings.hooks, settings.onError, () => hookContext(run))
  const draft = new Draft(provider.id, request.model ?? provider.model)
  let thinkingSince: number | undefined
  let done: Extract<ModelEvent, { type: "done" }> | undefined
  try {
    await each(provider.stream(request, { signal: run.signal }), run.signal, (event) => {
      if (event.type === "done") {
        done = event
        return true
      }
      if (event.type === "retry") {
        const { attempt, delayMs, error } = event
        run.notify({ type: "retry", runId: run.runId, attempt, delayMs, failure: failureOf(error) })
        return false
      }
      if (event.type === "thinking") thinkingSince ??= Date.now()
      else if (thinkingSince !== undefined) {
        thinking.ms += Date.now() - thinkingSince
        thinkingSince = undefined
      }
      draft.add(event)
      writer.push(event)
      if (watch) watch(event)
      return false
    })
  } catch (error) {
    if (isLogFailure(error)) throw error
    return run.signal.aborted ? { type: "stopped", draft } : { type: "failed", draft, error }
  }
  if (done) return done
  if (run.signal.aborted) return { type: "stopped", draft }
  const error = new ProviderError("protocol", "The provider's answer broke off before its end. Try again.", {
    provider: provider.id,
  })
  return { type: "failed", draft, error }
}
