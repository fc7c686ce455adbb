import { Draft } from "./draft.ts"
import type { Namespace } from "./namespace.ts"
import type { OpenRun } from "./open-run.ts"
import { NO_USAGE } from "./provider.ts"
import { readBack } from "./read-back.ts"
import type { Entry, NewEntry } from "./session.ts"
import type { SessionLog } from "./session-log.ts"
import type { SessionStore } from "./store.ts"

/** What the model is told of a call that had begun, cannot be repeated, and has no result. */
export const TOOL_UNKNOWN =
  "The process stopped while this ran. Whether it took effect is not known: find out before repeating it."

/** The entries that close a run which a dead process left open, or which is no longer to be waited for. */
export function closingEntries(
  log: SessionLog,
  now: number,
  idempotent: (tool: string) => boolean,
): readonly NewEntry[] {
  const open = log.openRun
  if (!open) return []
  const { runId, unanswered, waiting, stop } = open
  const entries = draftEntries(open, now)
  for (const [callId, { name, intent }] of unanswered) {
    const began = intent?.decision === "allow"
    const status = began && !idempotent(name) ? "unknown" : "cancelled"
    const text = waiting ? WITHDRAWN : interruptedText(began, status)
    entries.push({
      type: "tool_result",
      at: now,
      runId,
      callId,
      result: { type: "tool_result", callId, name, status, content: [{ type: "text", text }] },
    })
  }
  entries.push({
    type: "run_finished",
    at: now,
    runId,
    outcome: waiting || stop ? "stopped" : "interrupted",
    usage: waiting?.usage ?? NO_USAGE,
    ...(waiting && { durationMs: waiting.durationMs }),
  })
  return entries
}

/** The answer that was being written, as far as it came. */
export function draftEntries({ runId, draft }: OpenRun, now: number): NewEntry[] {
  const partial = new Draft("unknown")
  for (const entry of draft?.entries ?? []) for (const piece of entry.pieces) partial.add(piece)
  if (!draft || partial.isEmpty) return []
  const { messageId } = draft
  const message = partial.message()
  return [{ type: "assistant", at: now, runId, messageId, message, status: "interrupted" }]
}

const WITHDRAWN = "Withdrawn: the run was stopped."

function interruptedText(began: boolean, status: "unknown" | "cancelled"): string {
  if (!began) return "Not started: the process stopped before this call."
  return status === "unknown"
    ? TOOL_UNKNOWN
    : "The process stopped while this ran. It can safely be called again."
}

/** How a run began, and what the model has answered in it so far, oldest first. */
export async function storyOf(
  store: SessionStore,
  namespace: Namespace,
  runId: string,
): Promise<
  { readonly start: Entry<"run_started">; readonly answers: readonly Entry<"assistant">[] } | undefined
> {
  const answers: Entry<"assistant">[] = []
  for await (const entry of readBack(store, namespace, ["run_started", "assistant"], 20)) {
    if (entry.type === "run_started") {
      return entry.runId === runId ? { start: entry, answers: answers.reverse() } : undefined
    }
    if (entry.runId === runId) answers.push(entry)
  }
  return undefined
}
