import { type Entry, messageText } from "@orra/core"
import type { Check, Operation } from "./check.ts"
import type { Action } from "./history.ts"

type Send = Extract<Action, { type: "send" | "ask" }>

const isSend = (operation: Operation): operation is Operation<Send> =>
  operation.action.type === "send" || operation.action.type === "ask"

/** A message, in all attempts to send it. */
interface Sent {
  readonly inputId: string
  readonly text: string
  readonly attempts: readonly Operation<Send>[]
  /** The place in the history where it was first asked for, and where it was first acknowledged. */
  readonly from: number
  readonly acknowledged: number
  /** Where it was accepted into the log, and where it joined the transcript. */
  readonly accepted: Entry<"input" | "user"> | undefined
  readonly joined: Entry<"user"> | undefined
}

/** What was acknowledged is there, once, unless it was taken back; what was refused is not; all in the order of time. */
export const messagesProblem: Check = ({ entries }, { operations }) => {
  const sent = messages(operations.filter(isSend), entries)
  const known = new Set(sent.map(({ inputId }) => inputId))
  for (const entry of entries) {
    if (entry.type !== "input" && entry.type !== "user") continue
    const ours = entry.message.origin === undefined
    if (ours && !known.has(entry.inputId ?? "")) return `Nobody sent the message ${entry.inputId}.`
  }
  for (const message of sent) {
    const problem = messageProblem(message, entries, operations)
    if (problem) return `The message ${message.inputId} ${problem}`
  }
  return orderProblem(sent)
}

function messages(sends: readonly Operation<Send>[], entries: readonly Entry[]): readonly Sent[] {
  const firsts = new Map<string, Entry<"input" | "user">>()
  const joins = new Map<string, Entry<"user">>()
  for (const entry of entries) {
    if ((entry.type !== "input" && entry.type !== "user") || entry.inputId === undefined) continue
    if (!firsts.has(entry.inputId)) firsts.set(entry.inputId, entry)
    if (entry.type === "user") joins.set(entry.inputId, entry)
  }
  return [...Map.groupBy(sends, ({ action }) => action.inputId)].map(([inputId, attempts]) => ({
    inputId,
    text: attempts[0]?.action.text ?? "",
    attempts,
    from: Math.min(...attempts.map(({ from }) => from)),
    acknowledged: Math.min(
      ...attempts.map(({ end, to }) =>
        end?.type === "ok" && to !== undefined ? to : Number.POSITIVE_INFINITY,
      ),
    ),
    accepted: firsts.get(inputId),
    joined: joins.get(inputId),
  }))
}

function messageProblem(
  { inputId, text, attempts, acknowledged, accepted, joined }: Sent,
  entries: readonly Entry[],
  operations: readonly Operation[],
): string | undefined {
  const all = entries.filter((entry) => "inputId" in entry && entry.inputId === inputId)
  const joins = all.filter(({ type }) => type === "user").length
  if (joins > 1) return `is in the transcript ${joins} times.`
  if (all.filter(({ type }) => type === "input").length > 1) return "was put into the queue twice."
  if (accepted === undefined) {
    return acknowledged < Number.POSITIVE_INFINITY ? "was acknowledged and is lost." : undefined
  }
  if (attempts.every(({ end }) => end?.type === "fail")) return "was refused and is there all the same."
  if (messageText(accepted.message) !== text) return "is not what was sent."

  const cancels = operations.filter(({ action }) => action.type === "cancel" && action.inputId === inputId)
  const withdrawn = all.some(({ type }) => type === "input_cancelled")
  if (withdrawn && !cancels.some(({ end }) => end?.type !== "fail")) return "was taken back by nobody."
  if (withdrawn && joined) return "was taken back and joined all the same."
  if (!withdrawn && !joined) return "was accepted and never joined."
  const taken = cancels.some(({ end }) => end?.type === "ok" && end.done)
  return taken && joined ? "was said to be taken back and joined." : undefined
}

/**
 * A message that was sent after another one was acknowledged is accepted after it and joins after it, unless it steers and
 * the other waits for a run of its own. Of two that were on their way at the same time either may be the first.
 */
function orderProblem(sent: readonly Sent[]): string | undefined {
  for (const first of sent) {
    for (const second of sent) {
      if (!first.accepted || !second.accepted || first.acknowledged >= second.from) continue
      const later = `The message ${second.inputId} was sent after ${first.inputId} was acknowledged`
      if (first.accepted.seq > second.accepted.seq) return `${later}, and accepted before it.`
      if (!first.joined || !second.joined || (isSteer(second) && !isSteer(first))) continue
      if (first.joined.seq > second.joined.seq) return `${later}, and joined before it.`
    }
  }
  return undefined
}

const isSteer = ({ accepted }: Sent): boolean => accepted?.type === "input" && accepted.mode === "steer"
