import { each } from "./abortable.ts"
import type { ModelPermit } from "./budget-gate.ts"
import type { DeltaWriter } from "./delta-writer.ts"
import { Draft } from "./draft.ts"
import { failureOf, isLogFailure } from "./failure.ts"
import { chunkWatcher } from "./hook-calls.ts"
import { hookContext, type LoopRun, type LoopSettings, record } from "./loop-run.ts"
import type { AssistantMessage } from "./message.ts"
import { assertStream, checkedDone, isPiece } from "./model-event.ts"
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
      readonly cost?: number | undefined
      readonly finishReason: FinishReason
    }
  | { readonly type: "stopped"; readonly draft: Draft; readonly cost?: number | undefined }
  | {
      readonly type: "failed"
      readonly draft: Draft
      readonly error: unknown
      readonly cost?: number | undefined
    }

/**
 * One model call, within what budgets allow: reserved before, settled after whatever comes of it. Never throws for what
 * the provider does.
 */
export async function ask(
  settings: LoopSettings,
  run: LoopRun,
  asked: ModelRequest,
  writer: Pick<DeltaWriter, "push">,
  thinking: { ms: number },
): Promise<Answer> {
  const { provider, budgets } = settings
  if (!budgets) return await call(settings, run, asked, writer, thinking)
  const model = asked.model ?? provider.model
  let answer: Answer = { type: "stopped", draft: new Draft(provider.id, model) }
  try {
    const spender = {
      context: hookContext(run),
      hooks: settings.hooks,
      report: settings.onError,
      end: run.end,
    }
    const permit = await budgets.model(spender, asked, model)
    const { request, entries } = permit
    let usage: Usage | undefined
    let text: string | undefined
    let cost: number | undefined
    try {
      if (entries.length > 0) await record(run, entries)
      if (!run.signal.aborted) {
        // Unless it is known better, it has cost what was sent.
        text = ""
        answer = await call(settings, run, request, writer, thinking, permit)
        // A service that does not say what it used has not given its answer away.
        if (answer.type === "done" && answer.usage.inputTokens > 0) usage = answer.usage
        else if (answer.type === "done") text = draftOf(answer, provider.id, model).text
        else text = answer.type === "failed" && answer.draft.isEmpty ? undefined : answer.draft.text
      }
    } finally {
      cost = await permit.settle(usage, text)
    }
    if (cost === undefined) return answer
    run.cost.usd = (run.cost.usd ?? 0) + cost
    return { ...answer, cost }
  } catch (error) {
    if (isLogFailure(error)) throw error
    return { type: "failed", draft: draftOf(answer, provider.id, model), error }
  }
}

/** What is kept of an answer that could not be settled: its calls are not carried out. */
function draftOf(answer: Answer, provider: string, model: string): Draft {
  if (answer.type !== "done") return answer.draft
  const draft = new Draft(provider, model)
  for (const part of answer.message.parts) if (part.type !== "tool_call") draft.add(part)
  return draft
}

async function call(
  settings: LoopSettings,
  run: LoopRun,
  request: ModelRequest,
  writer: Pick<DeltaWriter, "push">,
  thinking: { ms: number },
  permit?: ModelPermit,
): Promise<Answer> {
  const { provider } = settings
  const watch = chunkWatcher(settings.hooks, settings.onError, () => hookContext(run))
  const draft = new Draft(provider.id, request.model ?? provider.model)
  let thinkingSince: number | undefined
  let done: Extract<ModelEvent, { type: "done" }> | undefined
  try {
    const stream = provider.stream(request, { signal: run.signal })
    assertStream(stream, provider.id)
    await each(stream, run.signal, (event) => {
      if (event?.type === "done") {
        done = checkedDone(event, provider.id)
        return true
      }
      if (event?.type === "retry") {
        const { attempt, delayMs, error } = event
        permit?.retried()
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
