import { Draft } from "./draft.ts"
import { NO_USAGE } from "./provider.ts"
import type { NewEntry } from "./session.ts"
import type { SessionLog } from "./session-log.ts"

/** The entries that close a run which a dead process left open. */
export function closingEntries(
  log: SessionLog,
  now: number,
  idempotent: (tool: string) => boolean,
): readonly NewEntry[] {
  const open = log.openRun
  if (!open) return []
  const { runId, draft, unanswered } = open
  const entries: NewEntry[] = []
  if (draft) {
    const partial = new Draft("unknown")
    for (const entry of draft.entries) for (const piece of entry.pieces) partial.add(piece)
    if (!partial.isEmpty) {
      entries.push({
        type: "assistant",
        at: now,
        runId,
        messageId: draft.messageId,
        message: partial.message(),
        status: "interrupted",
      })
    }
  }
  for (const [callId, { name, intent }] of unanswered) {
    const began = intent?.decision === "allow"
    const status = began && !idempotent(name) ? "unknown" : "cancelled"
    entries.push({
      type: "tool_result",
      at: now,
      runId,
      callId,
      result: {
        type: "tool_result",
        callId,
        name,
        status,
        content: [{ type: "text", text: interruptedText(began, status) }],
      },
    })
  }
  entries.push({ type: "run_finished", at: now, runId, outcome: "interrupted", usage: NO_USAGE })
  return entries
}

function interruptedText(began: boolean, status: "unknown" | "cancelled"): string {
  if (!began) return "Not started: the process stopped before this call."
  return status === "unknown"
    ? "The process stopped while this ran. Whether it took effect is not known: find out before repeating it."
    : "The process stopped while this ran. It can safely be called again."
}
