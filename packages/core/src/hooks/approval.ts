import type { ApprovalAnswer, ApprovalQuestion, HookContext, Hooks } from "../hooks.ts"

/** A question for the application: what would be done, in whose session, and until when an answer counts. */
export interface ApprovalRequest extends ApprovalQuestion {
  readonly context: HookContext
  /** ms since 1970. */
  readonly deadline: number
  /** Fires at the deadline and when the run is stopped: take the question back. */
  readonly signal: AbortSignal
}

export interface ApprovalHookOptions {
  /** How long an answer is waited for. Default 300,000 ms, five minutes. */
  readonly timeoutMs?: number
  /** Who decides, for the record. Default `approval`. */
  readonly name?: string
}

/**
 * Asks a function of the application about each call that policy wants approved (`ask`), while the run waits. Where
 * the answer may take longer than the process lives, leave this out and decide the recorded approval instead.
 *
 * ```ts
 * const approve = approvalHook(async ({ call, context, deadline, signal }) =>
 *   (await askInTerminal(`${context.namespace}: ${call.name} ${JSON.stringify(call.arguments)}?`, deadline, signal))
 *     ? { decision: "approve", by: "bob" }
 *     : { decision: "deny", reason: "Bob said no." },
 * )
 * ```
 *
 * Only an answer that approves approves: none, an error, one after the deadline, one of any other shape deny. Calls
 * that policy allows or denies are not asked about. Each question stands for itself: nothing is remembered from one
 * to the next, or shared between sessions.
 */
export function approvalHook(
  ask: (request: ApprovalRequest) => Promise<ApprovalAnswer> | ApprovalAnswer,
  { timeoutMs = 300_000, name = "approval" }: ApprovalHookOptions = {},
): Hooks {
  const deny = (reason: string): ApprovalAnswer => ({ decision: "deny", reason })
  return {
    name,
    // The hook keeps its own time, and says what happened in words.
    timeoutMs: timeoutMs + 1_000,
    async approval(question, context) {
      const late = AbortSignal.timeout(timeoutMs)
      const signal = AbortSignal.any([late, context.signal])
      if (signal.aborted) return deny("the run was stopped")
      const ended = Promise.withResolvers<"ended">()
      signal.addEventListener("abort", () => ended.resolve("ended"), { once: true })
      const deadline = Date.now() + timeoutMs
      const answer = await Promise.race([ask({ ...question, context, deadline, signal }), ended.promise])
      if (answer === "ended") return deny("nobody answered in time")
      if (answer?.decision === "approve" || answer?.decision === "deny") return answer
      return deny("nobody approved it")
    },
  }
}
