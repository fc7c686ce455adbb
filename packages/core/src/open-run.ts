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
  /** It shall stop, or go on without its caller: asked for by somebody who may be in another process. */
  stop?: true
  detach?: true
}

/** What is recorded of a call that has no result yet. */
export interface OpenCall {
  readonly name: string
  /** The newest one. */
  intent: Entry<"tool_intent"> | undefined
  request: Entry<"approval_request"> | undefined
  answer: Entry<"approval_decision"> | undefined
}

export const newOpenRun = (runId: string): OpenRun => ({
  runId,
  draft: undefined,
  unanswered: new Map(),
  waiting: undefined,
  woken: false,
})

const newOpenCall = (name: string): OpenCall => ({
  name,
  intent: undefined,
  request: undefined,
  answer: undefined,
})

/** The open run after an entry: the same object, brought up to date, or another one, or none. */
export function runAfter(run: OpenRun | undefined, entry: Entry): OpenRun | undefined {
  if (entry.type === "run_started") return newOpenRun(entry.runId)
  if (!run || entry.type === "run_finished") return undefined
  const { unanswered } = run
  switch (entry.type) {
    case "delta":
      if (run.draft?.messageId !== entry.messageId) {
        run.draft = { messageId: entry.messageId, from: entry.seq, to: entry.seq, entries: [] }
      }
      run.draft.to = entry.seq
      run.draft.entries.push(entry)
      break
    case "assistant":
      run.draft = undefined
      for (const part of entry.message.parts) {
        if (part.type === "tool_call") unanswered.set(part.id, newOpenCall(part.name))
      }
      break
    case "tool_intent": {
      const call = unanswered.get(entry.callId) ?? newOpenCall(entry.name)
      call.intent = entry
      unanswered.set(entry.callId, call)
      break
    }
    case "approval_request":
    case "approval_decision": {
      const call = unanswered.get(entry.callId)
      if (!call) break
      if (entry.type === "approval_request") call.request = entry
      else call.answer = entry
      break
    }
    case "run_waiting":
      run.waiting = entry
      break
    case "wake":
      run.woken = true
      break
    case "control":
      run[entry.action] = true
      break
    case "input":
      if (entry.mode === "interrupt") run.stop = true
      break

    case "run_resumed":
      run.waiting = undefined
      run.woken = false
      run.draft = undefined
      break
    case "tool_result":
      unanswered.delete(entry.callId)
      break
  }
  return run
}
