import { unlessAborted } from "./abortable.ts"
import { errorMessage, OrraError } from "./errors.ts"
import { copyJson } from "./frozen.ts"
import type { ApprovalAnswer, ApprovalQuestion, EndRun, HookContext, Hooks } from "./hooks.ts"
import type { JsonObject } from "./json.ts"
import type { Namespace } from "./namespace.ts"
import type { DeltaPiece, NewEntry } from "./session.ts"
import type { Stopping } from "./stop.ts"

type Answered<T> = NonNullable<Exclude<T, void>>

/**
 * What a hook answers; undefined also once `signal` has fired.
 *
 * @throws OrraError (`hook_failed`) when it throws, takes too long or answers what is not `valid`.
 */
export function callHook<T>(
  hook: Hooks,
  call: () => Promise<T> | T,
  signal?: Stopping,
  valid?: (answer: Answered<T>) => unknown,
): Promise<T | undefined> | T | undefined {
  try {
    const made = unlessAborted(signal, call, hook.timeoutMs ?? 60_000)
    if (!(made instanceof Promise)) return checked(made, valid)
    return made.then((answer) => checked(answer, valid)).catch((error: unknown) => failed(hook, error))
  } catch (error) {
    return failed(hook, error)
  }
}

function checked<T>(
  answer: T | undefined,
  valid: ((answer: Answered<T>) => unknown) | undefined,
): T | undefined {
  if (answer && valid && !valid(answer as Answered<T>)) throw new Error("its answer is none it may give")
  return answer
}

function failed({ name = "unnamed" }: Hooks, error: unknown): never {
  throw new OrraError("hook_failed", `The hook "${name}" failed: ${errorMessage(error)}`, {}, error)
}

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

/** Shows hooks each piece of one answer. */
export function chunkWatcher(
  hooks: readonly Hooks[],
  report: (error: unknown) => void,
  context: () => HookContext,
): (piece: DeltaPiece) => void {
  return (piece) => {
    for (const hook of hooks)
      if (hook.streamChunk) void tellHooks([hook], report, () => hook.streamChunk?.({ ...piece }, context()))
  }
}

/** What hooks make of the entries of a session before they are recorded; undefined when none does. */
export function recordFilter(
  hooks: readonly Hooks[],
  namespace: Namespace,
  report: (error: unknown) => void,
): ((entries: readonly NewEntry[], metadata: JsonObject) => readonly NewEntry[]) | undefined {
  const filters = hooks.flatMap(({ beforeRecord }) => beforeRecord ?? [])
  if (filters.length === 0) return undefined
  return (entries, metadata) =>
    filters.reduce(
      (kept, filter) => kept.flatMap((entry) => filter(entry, { namespace, metadata, report }) ?? []),
      entries,
    )
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
      const given = copyJson(question)
      const answer = await callHook(hook, () => hook.approval?.(given, context), context.signal)
      if (!answer) continue
      // Whatever is no approval is a denial.
      if (answer.decision === "approve") approved ??= { by, ...answer }
      else return { by, ...answer, decision: "deny", reason: answer.reason ?? "no reason was given" }
    } catch (error) {
      report(error)
      return { by, decision: "deny", reason: "the check before this call failed" }
    }
  }
  return approved
}
