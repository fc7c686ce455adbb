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
  /** Tools of which `executions` do not tell. */
  readonly elsewhere?: readonly string[]
}

/**
 * What is wrong with the log of a session that nobody runs, or undefined: numbers with a gap that no draft explains,
 * a run without its end that does not wait, a call without exactly one result, an execution without its decision, an effect twice.
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
  const waits = info?.waiting !== undefined
  if (info?.openRun !== undefined && !waits) return `Run ${info.openRun} is open, and nobody runs it.`
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
  return open.size > 0 && !waits ? `Run ${[...open]} has no end.` : undefined
}

function callsProblem({ info, entries, executions, elsewhere = [] }: SessionFacts): string | undefined {
  const calls = new Set<string>()
  const intents = new Map<string, Entry<"tool_intent">[]>()
  const results = new Map<string, Entry<"tool_result">>()
  const keys = new Map<string, string>()
  const approvals = new Map<string, Entry<"approval_decision"> | undefined>()
  for (const entry of entries) {
    if (entry.type === "assistant") {
      for (const { id } of toolCalls(entry.message)) {
        const key = `${entry.runId} ${id}`
        if (calls.has(key)) return `The id of call ${id} names two calls of one run.`
        calls.add(key)
      }
    } else if (entry.type === "approval_request") {
      if (approvals.has(entry.approvalId)) return `Two requests have the id ${entry.approvalId}.`
      approvals.set(entry.approvalId, undefined)
    } else if (entry.type === "approval_decision") {
      if (!approvals.has(entry.approvalId)) return `Entry ${entry.seq} decides what nobody asked.`
      if (approvals.get(entry.approvalId)) return `${entry.approvalId} was decided twice.`
      approvals.set(entry.approvalId, entry)
    } else if (entry.type === "tool_intent" || entry.type === "tool_result") {
      const key = `${entry.runId} ${entry.callId}`
      if (!calls.has(key)) return `Entry ${entry.seq}, "${entry.type}", is of a call that nobody made.`
      if (results.has(key)) return `Entry ${entry.seq}, "${entry.type}", is of a call that has its result.`
      if (entry.type === "tool_result") {
        results.set(key, entry)
        continue
      }
      const { approval, idempotencyKey } = entry
      if (approval?.approvalId && approvals.get(approval.approvalId)?.decision !== "approve") {
        return `Call ${entry.callId} was allowed by ${approval.approvalId}, which nobody approved.`
      }
      if ((keys.get(idempotencyKey) ?? key) !== key) return `Two calls have the key ${idempotencyKey}.`
      keys.set(idempotencyKey, key)
      intents.set(key, [...(intents.get(key) ?? []), entry])
    }
  }
  for (const key of calls) {
    const waits = info?.waiting && key.startsWith(`${info.openRun} `)
    if (!results.has(key) && !waits) return `Call ${key} has no result.`
  }

  const ran = Map.groupBy(executions, ({ idempotencyKey }) => idempotencyKey)
  for (const [key, made] of intents) {
    const { name = "", idempotencyKey = "" } = made[0] ?? {}
    if (made.some((other) => other.idempotencyKey !== idempotencyKey)) return `Call ${key} has two keys.`
    if (elsewhere.includes(name)) continue
    const problem = effectProblem(made, results.get(key)?.result.status, ran.get(idempotencyKey) ?? [])
    if (problem) return `Call ${key} of "${name}" ${problem}`
    ran.delete(idempotencyKey)
  }
  for (const [key, [execution]] of ran) return `"${execution?.tool}" ran as ${key}, which nobody decided.`
  return undefined
}

/** What its result may say of a call that was decided like this and ran so many times. */
function effectProblem(
  intents: readonly Entry<"tool_intent">[],
  status: ToolStatus | undefined,
  executions: readonly Execution[],
): string | undefined {
  const times = executions.length
  const allowed = intents.filter(({ decision }) => decision === "allow").length
  const last = intents.at(-1)?.decision
  if (times > allowed) return `ran ${times} times, and was allowed ${allowed} times.`
  if (times > 1 && executions.some(({ idempotent }) => !idempotent)) {
    return `ran ${times} times under one key, and cannot be repeated.`
  }
  if (status === "ok" && (times === 0 || last !== "allow")) return "has a result of success and never ran."
  if (status === "denied" && last === "allow") return "was allowed and is said to have been refused."
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
