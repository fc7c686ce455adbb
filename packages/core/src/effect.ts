import { unlessAborted } from "./abortable.ts"
import { type ApprovalGate, askFor } from "./approval-gate.ts"
import type { BudgetGate } from "./budget-gate.ts"
import type { Writable } from "./defined.ts"
import type { OrraError } from "./errors.ts"
import { answer, execute, fromOutput } from "./execution.ts"
import { copyJson } from "./frozen.ts"
import { callHook, endedBy } from "./hook-calls.ts"
import type { HookContext, Hooks, ToolCallAnswer } from "./hooks.ts"
import { isObject } from "./json.ts"
import type { ToolCallPart, ToolResultPart, ToolStatus } from "./message.ts"
import type { OpenCall } from "./open-run.ts"
import type { Policies, Verdict } from "./policy.ts"
import { TOOL_UNKNOWN } from "./recovery.ts"
import type { Approval, NewEntry } from "./session.ts"
import type { Stopping } from "./stop.ts"
import { isOutput, PENDING, type Tool, type ToolRegistry } from "./tool.ts"

/** What the door needs to know of the run it belongs to. */
export interface Effects {
  readonly tools: ToolRegistry
  readonly policies: Policies
  readonly hooks: readonly Hooks[]
  readonly context: HookContext
  readonly signal: Stopping
  /** Whether the session has read what strangers wrote. */
  readonly tainted: () => boolean
  /** Tool calls at the same time, at most. */
  readonly parallel: number
  /** What is kept of a result at most. */
  readonly maxResultBytes: number
  /** Where calls that policy asks about can be approved; without it they are denied. */
  readonly gate: ApprovalGate | undefined
  /** What may be spent; without it there is no limit. */
  readonly budgets?: BudgetGate | undefined
  /** Whether the run can stand still until something happens. */
  readonly mayWait: boolean
  readonly record: (entries: readonly NewEntry[]) => Promise<unknown>
  /** Stops the run, for this reason. */
  readonly end: (why: OrraError) => void
  readonly progress: (callId: string, text: string) => void
  readonly report: (error: unknown) => void
  /** The time that all processes agree on, in ms since 1970. */
  readonly now: () => number
}

const STATUS: readonly unknown[] = ["ok", "error", "denied", "cancelled", "unknown"] satisfies ToolStatus[]

interface Decided {
  readonly call: ToolCallPart
  readonly tool: Tool | undefined
  readonly verdict: Verdict
  readonly idempotencyKey: string
  readonly approval?: Approval | undefined
  /** It waits: for this to be decided, when it has not been asked yet. */
  readonly waits?: { readonly request?: NewEntry<"approval_request"> }
  /** Decided and recorded before the run stood still, and not to be begun again. */
  readonly settled?: ToolResultPart
}

/**
 * The one door for effects: every tool execution, whatever asked for it, goes through here. All calls of a step
 * are decided and the decisions recorded before the first one runs; each result is recorded when it is there.
 * One decision, one record, at most one execution for each call; the results come back in the order of the calls.
 *
 * A run that goes on after a wait or a crash comes with what is recorded of the calls that have no result yet, `open`:
 * only these are looked at. Each is decided again, by the policies of now. No result means that the call waits.
 */
export async function carryOut(
  effects: Effects,
  step: number,
  calls: readonly ToolCallPart[],
  open?: ReadonlyMap<string, OpenCall>,
): Promise<readonly (ToolResultPart | undefined)[]> {
  const decided: (Decided | undefined)[] = []
  for (const call of calls) {
    const ordinal = decided.length
    const known = open?.get(call.id)
    const item = open && !known ? undefined : await decide(effects, step, ordinal, call, known)
    // One that was allowed before the run stood still has been counted.
    const isNew = item && known?.intent?.decision !== "allow"
    const admitted = (isNew && effects.budgets?.admit(effects, item)) || item
    decided.push(admitted instanceof Promise ? await admitted : admitted)
  }
  const intents = decided.flatMap((item) => (item ? recordOf(effects, item) : []))
  if (intents.length > 0) await effects.record(intents)
  const results: (ToolResultPart | undefined)[] = []
  const [only] = decided
  if (only && calls.length === 1) return [await carryOutOne(effects, only)]
  let next = 0
  const worker = async (): Promise<void> => {
    for (let index = next++; index < decided.length; index = next++) {
      const item = decided[index]
      try {
        if (item) results[index] = await carryOutOne(effects, item)
      } catch (error) {
        next = decided.length
        throw error
      }
    }
  }
  // A failed record ends the run: no further call begins, and those that run come to rest first.
  const ends = await Promise.allSettled(decided.slice(0, effects.parallel).map(worker))
  for (const end of ends) if (end.status === "rejected") throw end.reason
  return results
}

/** What is recorded of a decision before anything is done. */
function recordOf({ context }: Effects, item: Decided): readonly NewEntry[] {
  const { call, verdict, idempotencyKey, approval, waits, settled } = item
  if (settled || (waits && !waits.request)) return []
  const intent: Writable<NewEntry<"tool_intent">> = {
    type: "tool_intent",
    at: Date.now(),
    runId: context.runId,
    callId: call.id,
    name: call.name,
    arguments: call.arguments,
    decision: verdict.decision,
    reason: reasonOf(verdict),
    idempotencyKey,
  }
  if (approval) intent.approval = approval
  return waits?.request ? [intent, waits.request] : [intent]
}

async function decide(
  effects: Effects,
  step: number,
  ordinal: number,
  asked: ToolCallPart,
  open: OpenCall | undefined,
): Promise<Decided> {
  const { runId, namespace } = effects.context
  const idempotencyKey = `${runId}:${step}:${asked.name}:${ordinal}`
  const refuse = (layer: string, rule: string, call = asked): Decided => ({
    call,
    tool: undefined,
    verdict: { decision: "deny", layer, rule },
    idempotencyKey,
  })
  const before = open?.intent
  // What was refused stays refused, and what has begun and cannot be repeated is not.
  if (before?.decision === "deny") {
    const again = refuse("runtime", before.reason)
    return { ...again, settled: refused(asked, again.verdict) }
  }
  if (before?.decision === "allow" && !effects.tools.get(asked.name)?.idempotent) {
    return { ...refuse("runtime", ""), settled: answer(asked, "unknown", TOOL_UNKNOWN) }
  }
  if (asked.invalid !== undefined) return refuse("runtime", "the arguments are not a JSON object")
  let call = asked
  for (const hook of effects.hooks) {
    if (!hook.beforeTool) continue
    try {
      // Copies, both ways: what is decided is what is carried out.
      const given = copyJson(call)
      const ask = () => hook.beforeTool?.(given, effects.context)
      const made = callHook<ToolCallAnswer>(hook, ask, effects.signal, isAnswer)
      const answer = made instanceof Promise ? await made : made
      if (!answer) continue
      if ("reject" in answer) return refuse(hook.name ?? "hook", String(answer.reject), call)
      if ("end" in answer) effects.end(endedBy(answer))
      else call = { ...call, arguments: { ...JSON.parse(JSON.stringify(answer.arguments)) } }
    } catch (error) {
      effects.report(error)
      return refuse(hook.name ?? "hook", "the check before this call failed", call)
    }
  }
  const tool = effects.tools.get(call.name)
  if (!tool) return refuse("runtime", `there is no tool "${call.name}"`, call)
  const asking = effects.policies.decide(namespace, {
    tool: call.name,
    risk: tool.risk,
    arguments: call.arguments,
    tainted: effects.tainted(),
  })
  const verdict = asking instanceof Promise ? await unlessAborted(effects.signal, () => asking) : asking
  if (!verdict) return refuse("runtime", "the run was stopped", call)
  if (before && JSON.stringify(before.arguments) !== JSON.stringify(call.arguments)) {
    return refuse("runtime", "its arguments are not those recorded", call)
  }
  const decided: Decided = { call, tool, verdict, idempotencyKey }
  if (verdict.decision === "deny" || (verdict.decision === "allow" && !open?.request)) return decided
  const answered = await askFor(effects, { call, risk: tool.risk, verdict, tainted: effects.tainted() }, open)
  if (answered?.type === "denied") return refuse(answered.layer, answered.rule, call)
  if (answered?.type === "approved")
    return { ...decided, verdict: { ...verdict, decision: "allow" }, approval: answered.approval }
  // It waits, where somebody is there to approve it.
  return { ...decided, verdict: { ...verdict, decision: "ask" }, ...(answered && { waits: answered }) }
}

async function carryOutOne(
  effects: Effects,
  { call, tool, verdict, idempotencyKey, waits, settled }: Decided,
): Promise<ToolResultPart | undefined> {
  const began = Date.now()
  let result: ToolResultPart
  if (settled) result = settled
  else if (waits && !effects.signal.aborted) return undefined
  else if (!waits && verdict.decision !== "allow") result = refused(call, verdict)
  else if (effects.signal.aborted || !tool)
    result = answer(call, "cancelled", "Not started: the run was stopped.")
  else {
    const output = await execute(effects, call, tool, idempotencyKey)
    if (output === PENDING) return undefined
    result = output as ToolResultPart
  }
  // Whatever a hook makes of it, it was made from what strangers wrote.
  const untrusted = result.untrusted || (tool?.untrusted && verdict.decision === "allow")
  for (const hook of effects.hooks) {
    if (!hook.afterTool) continue
    try {
      const given = copyJson(result)
      const look = () => hook.afterTool?.(given, call, effects.context)
      const made = callHook(hook, look, undefined, isResult)
      const changed = made instanceof Promise ? await made : made
      if (changed) result = { ...fromOutput(effects, call, changed), status: changed.status }
    } catch (error) {
      effects.report(error)
    }
  }
  const at = Date.now()
  const entry: Writable<NewEntry<"tool_result">> = {
    type: "tool_result",
    at,
    runId: effects.context.runId,
    callId: call.id,
    result,
    durationMs: at - began,
  }
  if (untrusted) entry.untrusted = true
  await effects.record([entry])
  return result
}

const reasonOf = ({ layer, rule }: Verdict): string => `${layer}: ${rule}`

/** Whether `beforeTool` made something that it may answer. */
const isAnswer = (made: NonNullable<ToolCallAnswer>): boolean =>
  "reject" in made || "end" in made || isObject(made.arguments)

const isResult = (made: ToolResultPart): boolean => STATUS.includes(made.status) && isOutput(made)

function refused(call: ToolCallPart, verdict: Verdict): ToolResultPart {
  if (call.invalid !== undefined) {
    return answer(call, "error", "The arguments were not a JSON object. Call the tool again with valid JSON.")
  }
  if (verdict.decision === "ask") {
    return answer(call, "denied", `"${call.name}" needs a person's approval, and nobody can give it here.`)
  }
  if (verdict.layer === "runtime") return answer(call, "denied", `Refused: ${verdict.rule}.`)
  return answer(call, "denied", `"${call.name}" is not allowed here (${verdict.rule}).`)
}
