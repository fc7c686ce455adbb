import { unlessAborted } from "./abortable.ts"
import { errorMessage, type OrraError } from "./errors.ts"
import { callHook, endedBy } from "./hook-calls.ts"
import type { HookContext, Hooks, ToolCallAnswer } from "./hooks.ts"
import { isObject } from "./json.ts"
import type { ImagePart, TextPart, ToolCallPart, ToolResultPart, ToolStatus } from "./message.ts"
import type { PolicyRegistry, Verdict } from "./policy.ts"
import { bounded } from "./result-limit.ts"
import type { NewEntry } from "./session.ts"
import {
  isOutput,
  stringify,
  type Tool,
  type ToolContext,
  type ToolOutput,
  type ToolRegistry,
} from "./tool.ts"

/** What the door needs to know of the run it belongs to. */
export interface Effects {
  readonly tools: ToolRegistry
  readonly policies: PolicyRegistry
  readonly hooks: readonly Hooks[]
  readonly context: HookContext
  readonly signal: AbortSignal
  /** Whether the session has read what strangers wrote. */
  readonly tainted: () => boolean
  /** Tool calls at the same time, at most. */
  readonly parallel: number
  /** What is kept of a result at most. */
  readonly maxResultBytes: number
  readonly record: (entries: readonly NewEntry[]) => Promise<void>
  /** Stops the run, for this reason. */
  readonly end: (why: OrraError) => void
  readonly progress: (callId: string, text: string) => void
  readonly report: (error: unknown) => void
}

const STATUS: readonly unknown[] = ["ok", "error", "denied", "cancelled", "unknown"] satisfies ToolStatus[]

interface Decided {
  readonly call: ToolCallPart
  readonly tool: Tool | undefined
  readonly verdict: Verdict
  readonly idempotencyKey: string
}

/**
 * The one door for effects: every tool execution, whatever asked for it, goes through here. All calls of a step
 * are decided and the decisions recorded before the first one runs; each result is recorded when it is there.
 * One decision, one record, at most one execution for each call; the results come back in the order of the calls.
 */
export async function carryOut(
  effects: Effects,
  step: number,
  calls: readonly ToolCallPart[],
): Promise<readonly ToolResultPart[]> {
  const decided: Decided[] = []
  for (const [ordinal, call] of calls.entries()) decided.push(await decide(effects, step, ordinal, call))
  await effects.record(
    decided.map(({ call, verdict, idempotencyKey }) => ({
      type: "tool_intent",
      at: Date.now(),
      runId: effects.context.runId,
      callId: call.id,
      name: call.name,
      arguments: call.arguments,
      decision: verdict.decision,
      reason: `${verdict.layer}: ${verdict.rule}`,
      idempotencyKey,
    })),
  )
  const results: ToolResultPart[] = new Array(calls.length)
  let next = 0
  let failed = false
  const worker = async (): Promise<void> => {
    for (let index = next++; index < decided.length && !failed; index = next++) {
      const item = decided[index]
      if (!item) continue
      try {
        results[index] = await carryOutOne(effects, item)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  // A failed record ends the run: no further call begins, and those that run come to rest first.
  const ends = await Promise.allSettled(
    Array.from({ length: Math.min(effects.parallel, calls.length) }, worker),
  )
  for (const end of ends) if (end.status === "rejected") throw end.reason
  return results
}

async function decide(
  effects: Effects,
  step: number,
  ordinal: number,
  asked: ToolCallPart,
): Promise<Decided> {
  const { runId, namespace } = effects.context
  const idempotencyKey = `${runId}:${step}:${asked.name}:${ordinal}`
  const refuse = (layer: string, rule: string, call = asked): Decided => ({
    call,
    tool: undefined,
    verdict: { decision: "deny", layer, rule },
    idempotencyKey,
  })
  if (asked.invalid !== undefined) return refuse("runtime", "the arguments are not a JSON object")
  let call = asked
  for (const hook of effects.hooks) {
    if (!hook.beforeTool) continue
    try {
      // Copies, both ways: what is decided is what is carried out.
      const given = structuredClone(call)
      const ask = () => hook.beforeTool?.(given, effects.context)
      const answer = await callHook<ToolCallAnswer>(hook, ask, effects.signal, isAnswer)
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
  if (!verdict) return refuse("runtime", "the run was stopped before this call was decided", call)
  return { call, tool, verdict, idempotencyKey }
}

async function carryOutOne(
  effects: Effects,
  { call, tool, verdict, idempotencyKey }: Decided,
): Promise<ToolResultPart> {
  const began = Date.now()
  let result: ToolResultPart
  if (verdict.decision !== "allow" || !tool) result = refused(call, verdict)
  else if (effects.signal.aborted) result = answer(call, "cancelled", "Not started: the run was stopped.")
  else result = await execute(effects, call, tool, idempotencyKey)
  // Whatever a hook makes of it, it was made from what strangers wrote.
  const untrusted = result.untrusted || (tool?.untrusted && verdict.decision === "allow")
  for (const hook of effects.hooks) {
    if (!hook.afterTool) continue
    try {
      const given = structuredClone(result)
      const look = () => hook.afterTool?.(given, call, effects.context)
      const changed = await callHook(hook, look, undefined, isResult)
      if (changed) result = { ...fromOutput(effects, call, changed), status: changed.status }
    } catch (error) {
      effects.report(error)
    }
  }
  const durationMs = Date.now() - began
  await effects.record([
    {
      type: "tool_result",
      at: Date.now(),
      runId: effects.context.runId,
      callId: call.id,
      result,
      durationMs,
      ...(untrusted && { untrusted: true as const }),
    },
  ])
  return result
}

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

async function execute(
  effects: Effects,
  call: ToolCallPart,
  tool: Tool,
  idempotencyKey: string,
): Promise<ToolResultPart> {
  const { namespace, runId, principal, envelope, metadata } = effects.context
  // The tool's own signal: fires with the run's, or when its time is up.
  const controller = new AbortController()
  const { signal } = controller
  const context: ToolContext = {
    namespace,
    runId,
    callId: call.id,
    principal,
    envelope,
    idempotencyKey,
    signal,
    metadata,
    tainted: effects.tainted(),
    progress: (text) => effects.progress(call.id, text),
  }
  let began = false
  const work = async (): Promise<ToolOutput | "ended"> => {
    const input = await tool.parse(call.arguments)
    if (signal.aborted) return "ended"
    began = true
    return await tool.execute(input, context)
  }
  // A tool that ignores its signal must not hold the run: whatever it still does, its answer is no longer awaited.
  const ended = Promise.withResolvers<"ended">()
  const abandon = (): void => {
    controller.abort()
    ended.resolve("ended")
  }
  effects.signal.addEventListener("abort", abandon, { once: true })
  const timer = setTimeout(abandon, tool.timeoutMs)
  try {
    const output = await Promise.race([work(), ended.promise])
    return output === "ended" ? unfinished(effects, call, tool, began) : fromOutput(effects, call, output)
  } catch (error) {
    if (signal.aborted) return unfinished(effects, call, tool, began)
    return fromOutput(effects, call, {
      content: [{ type: "text", text: errorMessage(error) }],
      isError: true,
    })
  } finally {
    clearTimeout(timer)
    effects.signal.removeEventListener("abort", abandon)
  }
}

function unfinished(effects: Effects, call: ToolCallPart, tool: Tool, began: boolean): ToolResultPart {
  if (!began && effects.signal.aborted) return answer(call, "cancelled", "Not started: the run was stopped.")
  if (!began) return answer(call, "error", "Not started: checking its arguments took too long.")
  const what = effects.signal.aborted
    ? "Stopped while it ran"
    : `No answer within ${tool.timeoutMs / 1_000} s, so it was abandoned`
  if (!tool.idempotent) return answer(call, "unknown", `${what}; whether it took effect is not known.`)
  return answer(call, effects.signal.aborted ? "cancelled" : "error", `${what}.`)
}

function fromOutput(
  { maxResultBytes }: Effects,
  call: ToolCallPart,
  { content, structured, isError, untrusted }: ToolOutput,
): ToolResultPart {
  // What is no JSON could not be recorded, and the run would fail for it: here the model is told instead.
  const isKept = structured !== undefined && stringify(structured).length <= maxResultBytes
  return {
    type: "tool_result",
    callId: call.id,
    name: call.name,
    status: isError ? "error" : "ok",
    content: bounded(content, maxResultBytes).map(wellFormed),
    ...(isKept && { structured }),
    ...(untrusted && { untrusted: true }),
  }
}

const answer = (call: ToolCallPart, status: ToolStatus, text: string): ToolResultPart => ({
  type: "tool_result",
  callId: call.id,
  name: call.name,
  status,
  content: [wellFormed({ type: "text", text })],
})

/** Text with a lone surrogate has no UTF-8 form, and a service refuses the request that carries it. */
const wellFormed = (piece: TextPart | ImagePart): TextPart | ImagePart =>
  piece.type === "text" && !piece.text.isWellFormed() ? { ...piece, text: piece.text.toWellFormed() } : piece
