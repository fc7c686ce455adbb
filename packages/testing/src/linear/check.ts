import { type Entry, keyOf, messageText, type Namespace, type SessionInfo } from "@orra/core"
import { type Execution, logProblem } from "../fuzz/log-problem.ts"
import { answersProblem } from "./check-answers.ts"
import { effectsProblem } from "./check-effects.ts"
import { messagesProblem } from "./check-messages.ts"
import { writesProblem } from "./check-writes.ts"
import type { Action, HistoryEvent } from "./history.ts"

/** A session as it stands in the store when nobody runs it any more. */
export interface SettledSession {
  readonly namespace: Namespace
  readonly info: SessionInfo | undefined
  /** Oldest first. */
  readonly entries: readonly Entry[]
}

/** What a client asked, and what it was told. `from` and `to` are places in the history; `to` is missing when it was never told. */
export interface Operation<A extends Action = Action> {
  readonly action: A
  readonly from: number
  readonly to: number | undefined
  readonly end: Extract<HistoryEvent, { type: "ok" | "fail" | "unknown" }> | undefined
}

/** What is wrong in a session, seen in the light of the history of all of them. */
export type Check = (session: SettledSession, facts: Facts) => string | undefined

/** The history, sorted by what it tells of. */
export interface Facts {
  readonly operations: readonly Operation[]
  readonly writes: readonly Write[]
  readonly effects: readonly (Extract<HistoryEvent, { type: "effect" }> & { readonly at: number })[]
  /** What the model said, in all answers that it began. */
  readonly said: readonly string[]
}

/** An append that was tried, and whether it is known to be durable. */
export interface Write extends Extract<HistoryEvent, { type: "writing" }> {
  readonly from: number
  /** Where the history says that it was written. */
  readonly to: number | undefined
}

/**
 * Compares what clients were told and what processes did with what is in the logs in the end, when all runs are over: each
 * message that was acknowledged is in its session, once, and in the order of time; what was refused is nowhere; each
 * answer that a client was given is that of a run; one process at a time wrote to a session, under lease tokens that only
 * grow; each effect was decided and happened at most once; and the log is one that a service takes.
 *
 * @returns what is wrong, a sentence each; empty when nothing is.
 */
export function historyProblems(
  history: readonly HistoryEvent[],
  sessions: readonly SettledSession[],
): readonly string[] {
  const facts = sorted(history)
  const problems: string[] = []
  for (const session of sessions) {
    const key = keyOf(session.namespace)
    for (const check of [writesProblem, messagesProblem, answersProblem, effectsProblem, grammarProblem]) {
      const problem = check(session, ofSession(facts, key))
      if (problem !== undefined) problems.push(`${key}: ${problem}`)
    }
  }
  return [...problems, ...acrossSessions(facts, sessions)]
}

function sorted(history: readonly HistoryEvent[]): Facts {
  const operations = new Map<number, { -readonly [K in keyof Operation]: Operation[K] }>()
  const writes = new Map<string, { -readonly [K in keyof Write]: Write[K] }>()
  const effects: Facts["effects"][number][] = []
  const said: string[] = []
  for (const [at, event] of history.entries()) {
    if (event.type === "invoke") {
      operations.set(event.op, { action: event.action, from: at, to: undefined, end: undefined })
    } else if (event.type === "ok" || event.type === "fail" || event.type === "unknown") {
      const operation = operations.get(event.op)
      if (operation) Object.assign(operation, { to: at, end: event })
    } else if (event.type === "writing") writes.set(event.write, { ...event, from: at, to: undefined })
    else if (event.type === "written") {
      const write = writes.get(event.write)
      if (write) write.to = at
    } else if (event.type === "effect") effects.push({ ...event, at })
    else if (event.type === "said") said.push(event.text)
  }
  return { operations: [...operations.values()], writes: [...writes.values()], effects, said }
}

const ofSession = ({ operations, writes, effects, said }: Facts, key: string): Facts => ({
  operations: operations.filter(({ action }) => action.session === key),
  writes: writes.filter(({ session }) => session === key),
  effects: effects.filter(({ session }) => session === key),
  said,
})

/** The rules that hold for every log, whoever wrote it. */
const grammarProblem: Check = ({ info, entries }, { writes, effects }) => {
  const executions: readonly Execution[] = effects.map(({ tool, runId, callId, key, idempotent }) => ({
    tool,
    runId,
    callId,
    idempotencyKey: key,
    idempotent,
  }))
  return logProblem({ info, entries, written: withDrafts(info?.version ?? 0, entries, writes), executions })
}

/** The entries, and in the place of each that is gone and somebody wrote as a draft, such a draft. */
function withDrafts(version: number, entries: readonly Entry[], writes: readonly Write[]): readonly Entry[] {
  const drafts = new Set(
    writes.flatMap(({ expected, entries: types }) =>
      types.flatMap((type, index) => (type === "delta" ? [expected + index + 1] : [])),
    ),
  )
  const kept = new Map(entries.map((entry) => [entry.seq, entry]))
  return Array.from({ length: version }, (_, index) => index + 1).flatMap((seq) => {
    const entry = kept.get(seq)
    if (entry) return [entry]
    return drafts.has(seq) ? [{ seq, type: "delta", at: 0, runId: "", messageId: "", pieces: [] }] : []
  })
}

/** No answer and no message is in two sessions. */
function acrossSessions({ operations }: Facts, sessions: readonly SettledSession[]): readonly string[] {
  const problems: string[] = []
  const places = new Map<string, string>()
  const known = new Set(sessions.map(({ namespace }) => keyOf(namespace)))
  for (const { action } of operations) {
    if (!known.has(action.session)) problems.push(`${action.session}: it is gone.`)
  }
  for (const { namespace, entries } of sessions) {
    for (const entry of entries) {
      if (entry.type !== "assistant") continue
      const text = messageText(entry.message)
      const place = places.get(text)
      if (place !== undefined && entry.status === "complete") {
        problems.push(`${keyOf(namespace)}: the answer "${text}" is in ${place} as well.`)
      }
      places.set(text, keyOf(namespace))
    }
  }
  return [...new Set(problems)]
}
