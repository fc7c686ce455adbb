import { unlessAborted } from "./abortable.ts"
import { InvalidInput, OrraError } from "./errors.ts"
import type { ApprovalAnswer, ApprovalQuestion, EndRun, HookContext, Hooks } from "./hooks.ts"

const TIMEOUT_MS = 60_000

/** What a hook answers. @throws what it throws; Error when it takes too long. */
export const callHook = <T>(
  { timeoutMs = TIMEOUT_MS }: Hooks,
  call: () => Promise<T> | T,
  signal?: AbortSignal,
): Promise<T | undefined> => unlessAborted(signal, call, timeoutMs)

/** Why a run ends that a hook has ended. */
export const endedBy = ({ end }: EndRun): OrraError => new OrraError("ended_by_hook", String(end))

/** Tells every hook what has happened: whatever it does with that changes nothing. */
export async function tellHooks(
  hooks: readonly Hooks[],
  report: (error: unknown) => void,
  tell: (hook: Hooks) => Promise<void> | void,
): Promise<void> {
  for (const hook of hooks) {
    try {
      await callHook(hook, () => tell(hook))
    } catch (error) {
      report(error)
    }
  }
}

/** What hooks decide about a call that needs approval. A denial counts more than an approval; who fails denies. */
export async function askHooks(
  hooks: readonly Hooks[],
  report: (error: unknown) => void,
  question: ApprovalQuestion,
  context: HookContext,
): Promise<ApprovalAnswer> {
  let approved: ApprovalAnswer
  for (const hook of hooks) {
    if (!hook.approval) continue
    const by = hook.name ?? "hook"
    try {
      // A copy: what is approved is what is carried out.
      const asked = structuredClone(question)
      const answer = await callHook(hook, () => hook.approval?.(asked, context), context.signal)
      if (answer?.decision === "deny") return { by, ...answer }
      if (answer?.decision === "approve") approved ??= { by, ...answer }
      else if (answer) throw new InvalidInput(`The hook "${by}" neither approves nor denies.`)
    } catch (error) {
      report(error)
      return { decision: "deny", reason: "the check before this call failed", by }
    }
  }
  return approved
}
