import { carryOut } from "./effect.ts"
import { OrraError } from "./errors.ts"
import { failureOf } from "./failure.ts"
import { randomId } from "./ids.ts"
import type { JsonObject } from "./json.ts"
import { effectsOf } from "./loop.ts"
import { hookContext, type LoopRun, type LoopSettings, record } from "./loop-run.ts"
import type { ToolResultPart } from "./message.ts"
import type { Namespace } from "./namespace.ts"
import { NO_USAGE } from "./provider.ts"
import type { RunOptions, RunResult } from "./run.ts"
import type { Runtime } from "./runtime.ts"

/** As for a run: who asks, for whom, as which agent, and what stops it. */
export type CallOptions = Pick<RunOptions, "principal" | "envelope" | "agent" | "signal">

/**
 * Calls a tool without a model, through the same door: hooks, policy, budgets and the session's log. The model does not
 * see the call. What policy asks about is denied, unless a hook or a remembered rule approves it: whoever calls is
 * there and can ask first.
 *
 * ```ts
 * const result = await callTool(runtime, ns, "weather", { city: "Oslo" }, { principal: "bob" })
 * ```
 *
 * @returns the result, also of a refusal (`denied`) or a failure (`error`).
 * @throws SessionBusy while the session runs or waits; the store's error when it could not be recorded.
 */
export async function callTool(
  { internals }: Runtime,
  namespace: Namespace,
  tool: string,
  args: JsonObject,
  options: CallOptions = {},
): Promise<ToolResultPart> {
  const call = { type: "tool_call", id: `call_${randomId()}`, name: tool, arguments: args } as const
  const answer = Promise.withResolvers<ToolResultPart>()
  // Where the call does not even begin nobody waits for it.
  answer.promise.catch(() => {})
  const instead = async (settings: LoopSettings, run: LoopRun): Promise<RunResult> => {
    const began = Date.now()
    try {
      const [result] = await carryOut(effectsOf(settings, run, false), 0, [call])
      const { stop, runId } = run
      const outcome = stop.aborted ? "stopped" : "completed"
      const why: unknown = stop.reason
      const failure = outcome === "stopped" && why instanceof OrraError ? { error: failureOf(why) } : {}
      await settings.budgets?.rest(hookContext(run), true, settings.onError)
      const end = { runId, outcome, usage: NO_USAGE, ...failure } as const
      await record(run, [{ type: "run_finished", at: Date.now(), ...end, durationMs: Date.now() - began }])
      if (result) answer.resolve(result)
      return { ...end, text: "" }
    } catch (error) {
      answer.reject(error)
      throw error
    }
  }
  const log = await internals.logs.open(namespace)
  await internals.driver.start(log, () => [], { ...options, instead }, "stay")
  return await answer.promise
}
