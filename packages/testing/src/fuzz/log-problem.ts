import { type Entry, type SessionInfo, type ToolStatus, toolCalls } from "@orra/core"

/** A tool that ran, as it saw itself. */
export interface Execution {
  readonly tool: string
  readonly runId: string
  readonly callId: string
  readonly idempotencyKey: string
  readonly idempotent: boolean
}

export interface SessionFacts {
  readonly info: SessionInfo | undefined
  /** What is in the log, oldest first. */
  readonly entries: readonly Entry[]
  /** What was ever written to it: drafts that were dropped since are only here. */
  readonly written: readonly Entry[]
  readonly executions: readonly Execution[]
}

/**
 * What is wrong with the log of a session that nobody runs, or undefined: numbers with a gap that no draft explains,
 * a run without its end, a call without exactly one result, an execution without its decision, an effect twice.
 */
export function logProblem(facts: SessionFacts): string | undefined {
  return numbersProblem(facts) ?? runsProblem(facts) ?? callsProblem(facts) ?? inputsProblem(facts)
}

function numbersProblem({ info, entries, written }: SessionFacts): string | undefined {
  for (const [index, entry] of written.entries()) {
    if (entry.seq !== index + 1) return `Entry ${index + 1} was written with the number ${entry.seq}.`
  }
  if ((info?.version ?? 0) !== written.length) {
    return `The summary says version ${info?.version ?? 0}, and ${written.length} entries were written.`
  }
  const kept = new Set(entries.map(({ seq }) => seq))
  if (kept.size !== entries.length) return "Two entries have the same number."
  for (const { seq, type } of written) {
    if (!kept.has(seq) && type !== "delta")
      return `Entry ${seq}, "${type}", is gone: only drafts may be dropped.`
  }
  return undefined
}

function runsProblem({ info, entries }: SessionFacts): string | undefined {
  if (info?.openRun !== undefined) return `Run ${info.openRun} is open, and nobody runs it.`
  const open = new Set<string>()
  const seen = new Set<string>()
  for (const entry of entries) {
    if (entry.type === "run_started") {
      if (open.size > 0) return `Run ${entry.runId} began while ${[...open]} was open.`
      if (seen.has(entry.runId)) return `Run ${entry.runId} began twice.`
      open.add(entry.runId)
      seen.add(entry.runId)
    } else if (entry.type === "run_finished") {
      if (!open.delete(entry.runId)) return `Run ${entry.runId} ended twice, or without having begun.`
    } else if ("runId" in entry && !open.has(entry.runId)) {
      return `Entry ${entry.seq}, "${entry.type}", belongs to a run that is not open.`
    } else if (entry.type === "delta") {
      return `Entry ${entry.seq} is a draft of a message that is complete, or never will be.`
    }
  }
  return open.size > 0 ? `Run ${[...open]} has no end.` : undefined
}

function callsProblem({ entries, executions }: SessionFacts): string | undefined {
  const calls = new Set<string>()
  const intents = new Map<string, Entry<"tool_intent">>()
  const results = new Map<string, Entry<"tool_result">>()
  const keys = new Set<string>()
  for (const entry of entries) {
    if (entry.type === "assistant") {
      for (const { id } of toolCalls(entry.message)) {
        const key = `${entry.runId} ${id}`
        if (calls.has(key)) return `The id of call ${id} names two calls of one run.`
        calls.add(key)
      }
    } else if (entry.type === "tool_intent" || entry.type === "tool_result") {
      const key = `${entry.runId} ${entry.callId}`
      if (!calls.has(key)) return `Entry ${entry.seq}, "${entry.type}", is of a call that nobody made.`
      const known: Map<string, Entry> = entry.type === "tool_intent" ? intents : results
      if (known.has(key)) return `Call ${entry.callId} has two entries "${entry.type}".`
      known.set(key, entry)
      if (entry.type === "tool_intent") {
        if (keys.has(entry.idempotencyKey)) return `Two calls have the key ${entry.idempotencyKey}.`
        keys.add(entry.idempotencyKey)
      }
    }
  }
  for (const key of calls) if (!results.has(key)) return `Call ${key} has no result.`

  const ran = Map.groupBy(executions, ({ idempotencyKey }) => idempotencyKey)
  for (const [key, intent] of intents) {
    const problem = effectProblem(
      intent,
      results.get(key)?.result.status,
      ran.get(intent.idempotencyKey) ?? [],
    )
    if (problem) return `Call ${key} of "${intent.name}" ${problem}`
    ran.delete(intent.idempotencyKey)
  }
  for (const [key, [execution]] of ran) return `"${execution?.tool}" ran as ${key}, which nobody decided.`
  return undefined
}

/** What its result may say of a call that ran so many times. */
function effectProblem(
  { decision }: Entry<"tool_intent">,
  status: ToolStatus | undefined,
  executions: readonly Execution[],
): string | undefined {
  const times = executions.length
  if (times > 1) return `ran ${times} times under one key.`
  if (decision !== "allow" && times > 0) return `ran although the decision was ${decision}.`
  if (status === "ok" && times !== 1) return "has a result of success and never ran."
  if (status === "denied" && times > 0) return "ran and is said to have been refused."
  if (status === "cancelled" && executions.some(({ idempotent }) => !idempotent)) {
    return "ran, cannot be repeated, and is said to have been cancelled."
  }
  return undefined
}

function inputsProblem({ entries }: SessionFacts): string | undefined {
  const joined = new Set<string>()
  for (const entry of entries) {
    if (entry.type !== "user" || entry.inputId === undefined) continue
    if (joined.has(entry.inputId)) return `The message ${entry.inputId} is in the log twice.`
    joined.add(entry.inputId)
  }
  return undefined
}
