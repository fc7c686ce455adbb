import type { Entry } from "./session.ts"

/** What the open run of a session has done, as far as closing it needs to know. */
export interface OpenRun {
  readonly runId: string
  /** The answer being written. */
  draft: { messageId: string; from: number; to: number; entries: Entry<"delta">[] } | undefined
  /** Calls of the last answer that have no result yet. */
  readonly unanswered: Map<string, OpenCall>
  /** Nobody runs it: it waits. */
  waiting: Entry<"run_waiting"> | undefined
  /** Something has happened since the run last went on. */
  woken: boolean
}

/** What is recorded of a call that has no result yet. */
export interface OpenCall {
  readonly name: string
  /** The newest one. */
  intent?: Entry<"tool_intent">
  request?: Entry<"approval_request">
  answer?: Entry<"approval_decision">
}

export const newOpenRun = (runId: string): OpenRun => ({
  runId,
  draft: undefined,
  unanswered: new Map(),
  waiting: undefined,
  woken: false,
})

/** The open run after an entry: the same object, brought up to date, or another one, or none. */
export function runAfter(run: OpenRun | undefined, entry: Entry): OpenRun | undefined {
  switch (entry.type) {
    case "run_started":
      return newOpenRun(entry.runId)
    case "run_finished":
      return undefined
    case "delta":
      if (run) {
        if (run.draft?.messageId !== entry.messageId) {
          run.draft = { messageId: entry.messageId, from: entry.seq, to: entry.seq, entries: [] }
        }
        run.draft.to = entry.seq
        run.draft.entries.push(entry)
      }
      break
    case "assistant":
      if (run) {
        run.draft = undefined
        for (const part of entry.message.parts) {
          if (part.type === "tool_call") run.unanswered.set(part.id, { name: part.name })
        }
      }
      break
    case "tool_intent":
      run?.unanswered.set(entry.callId, {
        ...run.unanswered.get(entry.callId),
        name: entry.name,
        intent: entry,
      })
      break
    case "approval_request":
    case "approval_decision": {
      const call = run?.unanswered.get(entry.callId)
      if (call && entry.type === "approval_request") call.request = entry
      else if (call && entry.type === "approval_decision") call.answer = entry
      break
    }
    case "run_waiting":
      if (run) run.waiting = entry
      break
    case "wake":
      if (run) run.woken = true
      break
    case "run_resumed":
      if (run) {
        run.waiting = undefined
        run.woken = false
        run.draft = undefined
      }
      break
    case "tool_result":
      run?.unanswered.delete(entry.callId)
      break
  }
  return run
}
