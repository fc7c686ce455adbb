import {
  delegatedIn,
  type Entry,
  type EntryType,
  everyItem,
  type Namespace,
  type SessionStore,
} from "@orra/core"
import { spent } from "./events.ts"

/** One step of a run; times are ms since 1970. Without `ended_at` it goes on, or nobody knows when it ended. */
export interface TraceStep {
  readonly type: "model" | "tool" | "approval" | "wait" | "budget"
  readonly started_at: number
  readonly ended_at?: number
  /** How it ended: of a model call, a tool call, what somebody decided, or what the budget did. */
  readonly status?: string
  readonly tool?: string
  readonly verdict?: string
  readonly reason?: string
  readonly by?: string
  readonly model?: string
  readonly input_tokens?: number
  readonly output_tokens?: number
  readonly cost?: number | null
  /** The run that does what was handed on by this call. */
  readonly below?: { readonly namespace: string; readonly run: string; readonly agent?: string }
}

export interface Trace {
  readonly namespace: string
  readonly run: string
  /** The entry it began with. */
  readonly seq: number
  readonly started_at: number
  readonly ended_at?: number
  readonly agent?: string
  readonly model?: string
  readonly by?: string
  readonly outcome?: string
  readonly error?: string
  readonly input_tokens: number
  readonly output_tokens: number
  /** USD of its own calls; null where the price of some model is not known. */
  readonly cost: number | null
  readonly steps: readonly TraceStep[]
  /** There are more steps than are given. */
  readonly more: boolean
}

type Open = { -readonly [K in keyof TraceStep]?: TraceStep[K] | undefined } & Pick<
  TraceStep,
  "type" | "started_at"
>

const PAGE = 500
/** Entries of a run that are read for its trace. */
const MAX_ENTRIES = 2_000
/** Tasks that one run hands on and that are looked for. */
const MAX_BELOW = 100

const TYPES: readonly EntryType[] = [
  "assistant",
  "tool_intent",
  "tool_result",
  "approval_request",
  "approval_decision",
  "run_waiting",
  "run_resumed",
  "budget",
  "run_finished",
]

/** The steps of a run with their times, without what was said; undefined for no such run. */
export async function traceOf(
  store: SessionStore,
  namespace: Namespace,
  run: string,
): Promise<Trace | undefined> {
  const start = await startOf(store, namespace, run)
  if (!start) return undefined
  const below = await runsBelow(store, namespace, run)
  const steps: Open[] = []
  const calls = new Map<string, Open>()
  const decisions = new Map<string, Open>()
  let wait: Open | undefined
  let end: Entry<"run_finished"> | undefined
  let read = 0
  const sum = { input: 0, output: 0, cost: 0 as number | null }
  const begin = (step: Open): Open => {
    steps.push(step)
    return step
  }
  for await (const entry of entriesAfter(store, namespace, start.seq)) {
    if (++read > MAX_ENTRIES) break
    if (!("runId" in entry) || entry.runId !== run) continue
    const { at } = entry
    if (entry.type === "assistant") {
      const { duration_ms = 0, ...took } = spent(entry)
      begin({ type: "model", started_at: at - duration_ms, ended_at: at, status: entry.status, ...took })
      sum.input += took.input_tokens ?? 0
      sum.output += took.output_tokens ?? 0
      if (took.cost === null) sum.cost = null
      else if (sum.cost !== null) sum.cost += took.cost ?? 0
    } else if (entry.type === "tool_intent") {
      const { name: tool, decision: verdict, reason, approval, callId } = entry
      // One that was asked about is shown once it is decided; until then there is the question.
      if (verdict === "ask") continue
      const by = approval?.by
      const before = calls.get(callId)
      // One that waited for something is begun again under the same name.
      if (before && before.ended_at === undefined) continue
      const step = begin({
        type: "tool",
        started_at: at,
        tool,
        verdict,
        reason,
        by,
        below: below.get(callId),
      })
      if (verdict === "deny") Object.assign(step, { ended_at: at, status: "denied" })
      else calls.set(callId, step)
    } else if (entry.type === "tool_result") {
      const step = calls.get(entry.callId)
      if (step) Object.assign(step, { ended_at: at, status: entry.result.status })
    } else if (entry.type === "approval_request") {
      const { name: tool, reason, approvalId } = entry
      decisions.set(approvalId, begin({ type: "approval", started_at: at, tool, reason }))
    } else if (entry.type === "approval_decision") {
      const step = decisions.get(entry.approvalId)
      if (step) Object.assign(step, { ended_at: at, status: entry.decision, by: entry.by })
    } else if (entry.type === "run_waiting") {
      // What somebody has to decide is a step already.
      if (entry.approvals === 0) wait = begin({ type: "wait", started_at: at })
    } else if (entry.type === "run_resumed") {
      if (wait) wait.ended_at = at
      wait = undefined
    } else if (entry.type === "budget") {
      const { action: status, reason, model } = entry
      begin({ type: "budget", started_at: at, ended_at: at, status, reason, model })
    } else if (entry.type === "run_finished") {
      end = entry
      break
    }
  }
  const { at, seq, agent, model, principal: by } = start
  return {
    namespace: namespace.key,
    run,
    seq,
    started_at: at,
    ...(agent !== undefined && { agent }),
    ...(model !== undefined && { model }),
    ...(by !== undefined && { by }),
    ...(end && { ended_at: end.at, outcome: end.outcome, ...(end.error && { error: end.error.code }) }),
    input_tokens: sum.input,
    output_tokens: sum.output,
    cost: sum.cost,
    steps: (steps as TraceStep[]).sort((a, b) => a.started_at - b.started_at),
    more: read > MAX_ENTRIES,
  }
}

async function* entriesAfter(
  store: SessionStore,
  namespace: Namespace,
  seq: number,
): AsyncGenerator<Entry, void, undefined> {
  for (let after = seq; ; ) {
    const entries = await store.read(namespace, { types: TYPES, after, limit: PAGE })
    yield* entries
    const last = entries.at(-1)
    if (!last || entries.length < PAGE) return
    after = last.seq
  }
}

async function startOf(
  store: SessionStore,
  namespace: Namespace,
  run: string,
): Promise<Entry<"run_started"> | undefined> {
  for (let before = Number.MAX_SAFE_INTEGER; ; ) {
    const entries = await store.read(namespace, {
      types: ["run_started"],
      before,
      limit: PAGE,
      direction: "backward",
    })
    for (const entry of entries) if (entry.type === "run_started" && entry.runId === run) return entry
    const last = entries.at(-1)
    if (!last || entries.length < PAGE) return undefined
    before = last.seq
  }
}

/** The runs that do what was handed on, by the calls that wait for them. */
async function runsBelow(
  store: SessionStore,
  namespace: Namespace,
  run: string,
): Promise<ReadonlyMap<string, NonNullable<TraceStep["below"]>>> {
  const found = new Map<string, NonNullable<TraceStep["below"]>>()
  const prefix = delegatedIn(namespace).child(run)
  for await (const info of everyItem((page) => store.list(prefix, page))) {
    if (found.size >= MAX_BELOW) break
    const [started] = await store.read(info.namespace, { types: ["run_started"], limit: 1 })
    if (started?.type !== "run_started" || started.envelope?.parent?.namespace !== namespace.key) continue
    const { runId, agent } = started
    const at = { namespace: info.namespace.key, run: runId, ...(agent !== undefined && { agent }) }
    found.set(started.envelope.parent.callId, at)
  }
  return found
}
