import { availableForInput } from "./context.ts"
import type { Writable } from "./defined.ts"
import { DeltaWriter } from "./delta-writer.ts"
import { carryOut, type Effects } from "./effect.ts"
import { OrraError } from "./errors.ts"
import { failureOf, isLogFailure } from "./failure.ts"
import { tellHooks } from "./hook-calls.ts"
import { randomId } from "./ids.ts"
import { guard, hookContext, type LoopRun, type LoopSettings, record } from "./loop-run.ts"
import { type AssistantMessage, messageText, toolCalls } from "./message.ts"
import { type Answer, ask } from "./model-call.ts"
import { addUsage, NO_USAGE, type Usage } from "./provider.ts"
import { prepare } from "./request.ts"
import type { RunResult } from "./run.ts"
import type { DeltaPiece, Entry, NewEntry, RunFailure, RunOutcome } from "./session.ts"

/** How often a request that the model finds too long is shortened, and to what share of its length. */
const MAX_OVERFLOWS = 4
const AFTER_OVERFLOW = 0.6

/**
 * The loop, from `run_started` (already in the log) to `run_finished`: ask the model, carry out what it asks for,
 * ask again. Each step is in the log before the next begins. It returns how the run ended; it throws only when the
 * end itself could not be recorded.
 */
export async function runLoop(settings: LoopSettings, run: LoopRun): Promise<RunResult> {
  const began = Date.now() - run.earlierMs
  let usage = NO_USAGE
  let text = ""
  /** Pieces of an answer that came to nothing worth keeping: they go with the end of the run. */
  let unfinished: DeltaWriter | undefined
  /** Why less is shown, when that is for a budget. */
  let overBudget: RunFailure | undefined
  const rest = (over: boolean) => settings.budgets?.rest(hookContext(run), over, settings.onError)
  const finish = async (outcome: RunOutcome, failed?: RunFailure): Promise<RunResult> => {
    await rest(true)
    const cost = run.cost.usd
    const why: unknown = run.stop.reason
    const failure = outcome === "stopped" && why instanceof OrraError ? failureOf(why) : failed
    const { runId } = run
    const at = Date.now()
    const end: Writable<NewEntry<"run_finished">> = { type: "run_finished", at, runId, outcome, usage }
    const result: RunResult = { runId, outcome, text, usage, cost, error: failure }
    end.durationMs = at - began
    if (cost !== undefined) end.cost = cost
    if (failure) end.error = failure
    await record(run, [end], unfinished?.range)
    await tellHooks(settings.hooks, settings.onError, (hook) => hook.runEnd?.(result, hookContext(run)))
    return result
  }
  /** The run stands still until somebody decides or something happens. */
  const wait = async (until?: number): Promise<RunResult> => {
    await rest(false)
    await record(run, () => [waiting(run, usage, Date.now() - began, until)])
    await tellHooks(settings.hooks, settings.onError, (hook) => hook.runWait?.(hookContext(run)))
    return { runId: run.runId, outcome: "waiting", text, usage }
  }
  /** The last word was spoken, and what waits to be answered after it may still be withdrawn. */
  let answered = false
  /** Does what an answer asks for. Undefined when the model is to be asked again. */
  const act = async (
    { message, usage = NO_USAGE, finishReason = "stop" }: Answered,
    step: number,
  ): Promise<RunResult | undefined> => {
    const calls = toolCalls(message)
    const open = run.log.openRun?.unanswered
    // Of an answer from before the run stood still: anything decided means that it has been looked at.
    if (open?.size === calls.length && open.values().every(({ intent }) => !intent)) {
      for (const hook of settings.hooks) {
        if (!hook.afterModel) continue
        const answer = { message, usage, finishReason }
        const looked = guard(run, hook, () => hook.afterModel?.(answer, hookContext(run)))
        if (looked instanceof Promise) await looked
        if (calls.length === 0 && run.stop.aborted) return await finish("stopped")
      }
    }
    answered = calls.length === 0
    if (answered) return steering(run).length > 0 ? undefined : await finish("completed")
    await carryOut(effectsOf(settings, run), step, calls, open)
    // Not what was open before: the session may have been read anew meanwhile.
    return run.log.openRun?.unanswered.size ? await wait() : undefined
  }

  try {
    const { answers } = run
    const usedIds = new Set<string>()
    for (const { message, usage: used, cost } of answers ?? []) {
      usage = addUsage(usage, used ?? NO_USAGE)
      if (cost !== undefined) run.cost.usd = (run.cost.usd ?? 0) + cost
      text = messageText(message)
      for (const { id } of toolCalls(message)) usedIds.add(id)
    }
    if (answers) {
      const last = answers.at(-1)
      const isNewest = run.log.view.at(-1)?.message.role !== "user"
      const end = last?.status === "complete" && isNewest && (await act(last, answers.length - 1))
      if (end) return end
    } else {
      for (const hook of settings.hooks) {
        if (hook.runStart) await guard(run, hook, () => hook.runStart?.(hookContext(run)))
      }
    }
    let limit = availableForInput(settings.budget)
    let overflows = 0
    for (let turn = answers?.length ?? 0; turn < run.maxTurns; turn++) {
      if (run.stop.aborted) return await finish("stopped")
      const steered = steering(run).length > 0 && (await takeInputs(run))
      if (answered && !steered) return await finish("completed")
      answered = false
      const request = await prepare(settings, run, limit, (more) => {
        usage = addUsage(usage, more)
      })
      if (run.stop.aborted) return await finish("stopped")
      const turnBegan = Date.now()
      const messageId = `${run.runId}-${turn}`
      let writer: DeltaWriter | undefined
      const push = (piece: DeltaPiece): void => {
        writer ??= new DeltaWriter({
          runId: run.runId,
          messageId,
          intervalMs: settings.deltaIntervalMs,
          append: (entry) => record(run, [entry]),
        })
        writer.push(piece)
      }
      const thinking = { ms: 0 }
      const answer = await ask(settings, run, request, push, thinking)
      if (writer) await writer.settle()

      if (answer.type !== "done") {
        const failure = answer.type === "failed" ? failureOf(answer.error) : undefined
        if (answer.type === "failed" && failure?.code === "internal") settings.onError(answer.error)
        const instead = answer.type === "failed" ? answer.instead : undefined
        if (instead) await record(run, [instead.entry])
        if (instead?.action === "ask") return await wait(instead.renewsAt)
        overBudget = instead && failure
        if (
          (failure?.code === "provider_context_length" || overBudget) &&
          answer.draft.isEmpty &&
          !writer?.range &&
          overflows++ < MAX_OVERFLOWS
        ) {
          // The estimate was too low, the window is smaller than we were told, or the budget: show less and ask again.
          limit = Math.min(limit, run.log.viewTokens) * AFTER_OVERFLOW
          turn--
          continue
        }
        if (!answer.draft.isEmpty) {
          const entry = entryOf(run, answer, answer.draft.message(), messageId, turnBegan, thinking.ms)
          entry.status = failure ? "error" : "stopped"
          text = recordedText(await record(run, [entry], writer?.range))
        } else {
          unfinished = writer
        }
        return await finish(failure ? "failed" : "stopped", failure)
      }

      const message = withUniqueIds(answer.message, usedIds)
      usage = addUsage(usage, answer.usage)
      const entry = entryOf(run, answer, message, messageId, turnBegan, thinking.ms)
      entry.finishReason = answer.finishReason
      entry.usage = answer.usage
      text = recordedText(await record(run, [entry], writer?.range))
      const end = await act(entry, turn)
      if (end) return end
    }
    return await finish(run.stop.aborted ? "stopped" : "max_turns")
  } catch (error) {
    const failure = failureOf(error)
    // Where the log itself failed there is nothing to record the failure in; the caller tells who is watching.
    if (isLogFailure(error)) {
      await rest(false)
      throw error
    }
    if (failure.code === "internal") settings.onError(error)
    return await finish("failed", failure.code === "context_too_long" && overBudget ? overBudget : failure)
  }
}

/** What is known of an answer whose consequences are to be drawn. */
type Answered = Pick<Entry<"assistant">, "message" | "usage" | "finishReason">

/** What a run that stands still waits for, as is known when this is written. */
function waiting(
  { runId, log }: LoopRun,
  usage: Usage,
  durationMs: number,
  until = Number.POSITIVE_INFINITY,
): NewEntry<"run_waiting"> {
  const calls = [...(log.openRun?.unanswered.values() ?? [])]
  const undecided = calls.flatMap(({ request, answer }) => (request && !answer ? [request.expiresAt] : []))
  const expiresAt = Math.min(...undecided, until)
  return {
    type: "run_waiting",
    at: Date.now(),
    runId,
    approvals: undecided.length,
    ...(Number.isFinite(expiresAt) && { expiresAt }),
    usage,
    durationMs,
  }
}

/** What is recorded of an answer. */
function entryOf(
  { runId }: LoopRun,
  { cost }: Answer,
  message: AssistantMessage,
  messageId: string,
  began: number,
  thinkingMs: number,
): Writable<NewEntry<"assistant">> {
  const at = Date.now()
  const entry: Writable<NewEntry<"assistant">> = {
    type: "assistant",
    at,
    runId,
    messageId,
    message,
    status: "complete",
    durationMs: at - began,
  }
  if (cost !== undefined) entry.cost = cost
  if (thinkingMs > 0) entry.thinkingMs = thinkingMs
  return entry
}

/** The text as it was recorded: what a hook took out of it is not in the run's result either. */
const recordedText = ([written]: readonly Entry[]): string =>
  written?.type === "assistant" ? messageText(written.message) : ""

/** What is to steer the run. */
const steering = ({ log }: LoopRun): readonly Entry<"input">[] =>
  log.inputs.filter(({ mode }) => mode === "steer")

/** Moves what is to steer the run into the transcript. @returns whether there was anything. */
async function takeInputs(run: LoopRun): Promise<boolean> {
  const written = await record(run, () =>
    steering(run).map(
      ({ message, inputId }): NewEntry<"user"> => ({ type: "user", at: Date.now(), message, inputId }),
    ),
  )
  return written.length > 0
}

/** What the door is told of a run. */
export const effectsOf = (settings: LoopSettings, run: LoopRun, mayWait = true): Effects => ({
  tools: settings.tools,
  policies: run.policies,
  hooks: settings.hooks,
  budgets: settings.budgets,
  context: hookContext(run),
  signal: run.stop,
  tainted: () => run.log.tainted,
  gate: settings.gate,
  mayWait,
  parallel: settings.parallelTools,
  maxResultBytes: settings.budget.maxResultBytes,
  record: (entries) => record(run, entries),
  end: (why) => run.stop.abort(why),
  progress: (callId, text) => run.notify({ type: "progress", runId: run.runId, callId, text }),
  report: settings.onError,
  now: settings.now,
})

/** Some servers number their calls anew in each answer; within a run an id must name one call. */
function withUniqueIds(message: AssistantMessage, used: Set<string>): AssistantMessage {
  let changed = false
  const parts = message.parts.map((part) => {
    if (part.type !== "tool_call") return part
    if (part.id !== "" && !used.has(part.id)) {
      used.add(part.id)
      return part
    }
    changed = true
    const id = `call_${randomId()}`
    used.add(id)
    return { ...part, id }
  })
  return changed ? { ...message, parts } : message
}
