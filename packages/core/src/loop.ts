import { availableForInput } from "./context.ts"
import { DeltaWriter } from "./delta-writer.ts"
import { carryOut } from "./effect.ts"
import { OrraError } from "./errors.ts"
import { failureOf, isLogFailure } from "./failure.ts"
import { tellHooks } from "./hook-calls.ts"
import { randomId } from "./ids.ts"
import { guard, hookContext, type LoopRun, type LoopSettings, record } from "./loop-run.ts"
import { type AssistantMessage, type ToolCallPart, toolCalls } from "./message.ts"
import { ask } from "./model-call.ts"
import { addUsage, NO_USAGE } from "./provider.ts"
import { prepare } from "./request.ts"
import type { RunResult } from "./run.ts"
import type { NewEntry, RunFailure, RunOutcome } from "./session.ts"

/** How often a request that the model finds too long is shortened, and to what share of its length. */
const MAX_OVERFLOWS = 4
const AFTER_OVERFLOW = 0.6

/**
 * The loop, from `run_started` (already in the log) to `run_finished`: ask the model, carry out what it asks for,
 * ask again. Each step is in the log before the next begins. It returns how the run ended; it throws only when the
 * end itself could not be recorded.
 */
export async function runLoop(settings: LoopSettings, run: LoopRun): Promise<RunResult> {
  const began = Date.now()
  let usage = NO_USAGE
  let text = ""
  /** Pieces of an answer that came to nothing worth keeping: they go with the end of the run. */
  let unfinished: DeltaWriter | undefined
  const finish = async (outcome: RunOutcome, failed?: RunFailure): Promise<RunResult> => {
    const why: unknown = run.signal.reason
    const failure = outcome === "stopped" && why instanceof OrraError ? failureOf(why) : failed
    const end: NewEntry = {
      type: "run_finished",
      at: Date.now(),
      runId: run.runId,
      outcome,
      usage,
      durationMs: Date.now() - began,
      ...(failure && { error: failure }),
    }
    await record(run, [end], unfinished?.range)
    const result = { runId: run.runId, outcome, text, usage, ...(failure && { error: failure }) }
    await tellHooks(settings.hooks, settings.onError, (hook) => hook.runEnd?.(result, hookContext(run)))
    return result
  }

  try {
    for (const hook of settings.hooks) {
      if (hook.runStart) await guard(run, hook, () => hook.runStart?.(hookContext(run)))
    }
    let limit = availableForInput(settings.budget)
    let overflows = 0
    const usedIds = new Set<string>()
    let answered = false
    for (let turn = 0; turn < run.maxTurns; turn++) {
      if (run.signal.aborted) return await finish("stopped")
      const steered = waits(run, "steer") && (await takeInputs(run, "steer"))
      // What kept the run going after its last word was withdrawn before it was taken.
      if (answered && !steered) return await finish("completed")
      answered = false
      const request = await prepare(settings, run, limit, (more) => {
        usage = addUsage(usage, more)
      })
      if (run.signal.aborted) return await finish("stopped")
      const turnBegan = Date.now()
      const messageId = randomId()
      const writer = new DeltaWriter({
        runId: run.runId,
        messageId,
        intervalMs: settings.deltaIntervalMs,
        append: async (entry) => (await record(run, [entry]))[0]?.seq,
      })
      const thinking = { ms: 0 }
      const answer = await ask(settings, run, request, writer, thinking)
      await writer.settle()

      if (answer.type !== "done") {
        const failure = answer.type === "failed" ? failureOf(answer.error) : undefined
        if (answer.type === "failed" && failure?.code === "internal") settings.onError(answer.error)
        if (
          failure?.code === "provider_context_length" &&
          answer.draft.isEmpty &&
          !writer.range &&
          overflows++ < MAX_OVERFLOWS
        ) {
          // The estimate was too low, or the window is smaller than we were told: show less and ask again.
          limit = Math.min(limit, run.log.viewTokens) * AFTER_OVERFLOW
          turn--
          continue
        }
        if (!answer.draft.isEmpty) {
          const message = answer.draft.message()
          text = textOf(message)
          await recordAnswer(run, writer, {
            messageId,
            message,
            status: failure ? "error" : "stopped",
            durationMs: Date.now() - turnBegan,
            ...(thinking.ms > 0 && { thinkingMs: thinking.ms }),
          })
        } else {
          unfinished = writer
        }
        return await finish(failure ? "failed" : "stopped", failure)
      }

      const message = withUniqueIds(answer.message, usedIds)
      usage = addUsage(usage, answer.usage)
      text = textOf(message)
      await recordAnswer(run, writer, {
        messageId,
        message,
        status: "complete",
        finishReason: answer.finishReason,
        usage: answer.usage,
        durationMs: Date.now() - turnBegan,
        ...(thinking.ms > 0 && { thinkingMs: thinking.ms }),
      })
      for (const hook of settings.hooks) {
        if (!hook.afterModel) continue
        await guard(run, hook, () =>
          hook.afterModel?.(
            { message, usage: answer.usage, finishReason: answer.finishReason },
            hookContext(run),
          ),
        )
      }
      const calls = toolCalls(message)
      if (calls.length > 0) await carryOutCalls(settings, run, turn, calls)
      else if (!waits(run, "steer")) return await finish("completed")
      answered = calls.length === 0
    }
    return await finish(run.signal.aborted ? "stopped" : "max_turns")
  } catch (error) {
    const failure = failureOf(error)
    // Where the log itself failed there is nothing to record the failure in; the caller tells who is watching.
    if (isLogFailure(error)) throw error
    if (failure.code === "internal") settings.onError(error)
    return await finish("failed", failure)
  }
}

async function recordAnswer(
  run: LoopRun,
  writer: DeltaWriter,
  entry: Omit<NewEntry<"assistant">, "type" | "at" | "runId">,
): Promise<void> {
  await record(run, [{ type: "assistant", at: Date.now(), runId: run.runId, ...entry }], writer.range)
}

const waits = ({ log }: LoopRun, mode: "queue" | "steer"): boolean =>
  log.inputs.some((input) => input.mode === mode)

/** Moves waiting messages into the transcript. @returns whether there were any. */
export async function takeInputs(run: LoopRun, mode: "queue" | "steer"): Promise<boolean> {
  const written = await run.log.append(
    () => {
      const waiting = run.log.inputs.filter((input) => input.mode === mode)
      const taken = mode === "queue" ? waiting.slice(0, 1) : waiting
      return taken.map(
        ({ message, inputId }): NewEntry<"user"> => ({ type: "user", at: Date.now(), message, inputId }),
      )
    },
    { lease: run.lease(), incarnation: run.incarnation },
  )
  return written.length > 0
}

async function carryOutCalls(
  settings: LoopSettings,
  run: LoopRun,
  step: number,
  calls: readonly ToolCallPart[],
): Promise<void> {
  await carryOut(
    {
      tools: settings.tools,
      policies: run.policies,
      hooks: settings.hooks,
      context: hookContext(run),
      signal: run.signal,
      tainted: () => run.log.tainted,
      parallel: settings.parallelTools,
      maxResultBytes: settings.budget.maxResultBytes,
      record: async (entries) => {
        await record(run, entries)
      },
      end: run.end,
      progress: (callId, text) => run.notify({ type: "progress", runId: run.runId, callId, text }),
      report: settings.onError,
    },
    step,
    calls,
  )
}

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

function textOf(message: AssistantMessage): string {
  let text = ""
  for (const part of message.parts) if (part.type === "text") text += part.text
  return text
}
