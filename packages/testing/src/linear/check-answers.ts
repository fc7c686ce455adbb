import { type Entry, messageText } from "@orra/core"
import type { Check } from "./check.ts"
import type { Answer } from "./history.ts"

/** Failures that a process may have whose store, lease or connection is taken from it. */
const EXPECTED = /^(store_unavailable|store_unknown|lease_lost|aborted|closed)$/

/** What clients were told is what runs said, what runs said is what the model said, and nothing ended without a reason. */
export const answersProblem: Check = ({ entries }, { operations, said }) => {
  for (const { action, end } of operations) {
    if (action.type === "ask" && end?.type === "ok" && end.answer) {
      const problem = answerProblem(entries, action.inputId, end.answer)
      if (problem) return `To the message ${action.inputId} ${problem}`
    }
    if (action.type === "decide" && end?.type === "ok") {
      const entry = entries.find(
        (other) => other.type === "approval_decision" && other.approvalId === action.approvalId,
      )
      if (entry?.type !== "approval_decision") return `The decision of ${action.approvalId} is lost.`
      if (entry.decision !== action.decision) return `${action.approvalId} was decided otherwise.`
    }
  }
  const spoken = new Set(said)
  for (const entry of entries) {
    if (entry.type === "assistant") {
      const text = messageText(entry.message)
      const real =
        entry.status === "complete" ? spoken.has(text) : said.some((whole) => whole.startsWith(text))
      if (!real) return `The model never said "${text}" (entry ${entry.seq}).`
    } else if (entry.type === "run_finished") {
      const { outcome, error, runId } = entry
      if (
        outcome === "stopped" &&
        !operations.some(({ action, end }) => action.type === "stop" && end?.type !== "fail")
      ) {
        return `Run ${runId} was stopped, and nobody did.`
      }
      if (error && !EXPECTED.test(error.code)) return `Run ${runId} failed: ${error.code}, ${error.message}`
    } else if (entry.type === "approval_decision") {
      const made = operations.some(
        ({ action, end }) =>
          action.type === "decide" &&
          action.approvalId === entry.approvalId &&
          action.decision === entry.decision &&
          end?.type !== "fail",
      )
      if (!made) return `Nobody decided ${entry.approvalId} like this.`
    }
  }
  return undefined
}

function answerProblem(
  entries: readonly Entry[],
  inputId: string,
  { runId, outcome, text }: Answer,
): string | undefined {
  const started = entries.findIndex((entry) => entry.type === "run_started" && entry.runId === runId)
  if (started < 0) return `an answer of run ${runId} was given, which never was.`
  const rest = entries.slice(started)
  const end = rest.find((entry) => entry.type === "run_finished" && entry.runId === runId)
  const ended = end?.type === "run_finished" ? end.outcome : undefined
  if (outcome !== "waiting" && ended !== outcome)
    return `it was said that its run ended ${outcome}: it ended ${ended}.`
  // A message stands before the run that it begins, or in the run that it joins.
  const message = entries.findIndex((entry) => entry.type === "user" && entry.inputId === inputId)
  const from = entries.slice(0, started).findLastIndex((entry) => entry.type === "run_finished")
  const to = end ? entries.indexOf(end) : entries.length
  if (message <= from || message > to) return `the answer of run ${runId} was given, which is another's.`
  const answers = rest.filter((entry) => entry.type === "assistant" && entry.runId === runId)
  const texts = answers.map((entry) => (entry.type === "assistant" ? messageText(entry.message) : ""))
  const last = outcome === "waiting" ? texts.includes(text) || text === "" : (texts.at(-1) ?? "") === text
  return last ? undefined : `"${text}" was given as the answer, which no run gave.`
}
