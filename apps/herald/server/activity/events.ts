import {
  DEFAULT_PRICES,
  type Entry,
  type EntryType,
  isDelegated,
  type JsonObject,
  type Namespace,
  priceOf,
  type SessionStore,
} from "@orra/core"
import { isScheduled } from "@orra/cron"

export const KINDS = [
  "run",
  "delegation",
  "schedule",
  "model",
  "tool",
  "approval",
  "budget",
  "login",
  "change",
] as const
export type Kind = (typeof KINDS)[number]

/** What was decided of a call: by policy, or by somebody. */
export const VERDICTS = ["allow", "ask", "deny"] as const
export type Verdict = (typeof VERDICTS)[number]

/** Something that happened, without what was said: as docs/herald/api.md has it. */
export interface Activity {
  readonly kind: Kind
  readonly run?: string
  readonly agent?: string
  readonly model?: string
  readonly tool?: string
  readonly call?: string
  readonly verdict?: Verdict
  /** Which layer and rule, or why a budget changed something. */
  readonly reason?: string
  /** Who asked for it, decided it or did it. */
  readonly by?: string
  /** How it ended, or what was done. */
  readonly status?: string
  readonly error?: string
  readonly tainted?: true
  readonly input_tokens?: number
  readonly output_tokens?: number
  /** USD; null where the price of the model is not known. */
  readonly cost?: number | null
  readonly duration_ms?: number
  /** What was set, by its name. */
  readonly names?: readonly string[]
}

type Shown = Partial<{ readonly [K in keyof Activity]: Activity[K] | undefined }> & { readonly kind: Kind }

/** Of each kind the entries of a session's log that are of it. */
const ENTRIES: Readonly<Record<Kind, readonly EntryType[]>> = {
  run: ["run_started"],
  delegation: ["run_started"],
  schedule: ["run_started"],
  model: ["assistant"],
  tool: ["tool_intent"],
  approval: ["approval_request", "approval_decision"],
  budget: ["budget"],
  login: [],
  change: [],
}

export const entryTypes = (kinds: readonly Kind[]): readonly EntryType[] => [
  ...new Set(kinds.flatMap((kind) => ENTRIES[kind])),
]

/** What an entry says; undefined for one that is of no kind. */
export async function activityOf(
  store: SessionStore,
  namespace: Namespace,
  entry: Entry,
): Promise<Activity | undefined> {
  switch (entry.type) {
    case "run_started": {
      const { runId: run, agent, model, principal: by, tainted } = entry
      return present({ kind: runKind(namespace), run, agent, model, by, tainted })
    }
    case "assistant":
      return present({ kind: "model", run: entry.runId, status: entry.status, ...spent(entry) })
    case "tool_intent": {
      const { runId: run, callId: call, name: tool, decision: verdict, reason, tainted, approval } = entry
      // The request that follows it says more.
      if (verdict === "ask") return undefined
      return present({ kind: "tool", run, call, tool, verdict, reason, tainted, by: approval?.by })
    }
    case "approval_request": {
      const { runId: run, callId: call, name: tool, reason, principal: by } = entry
      return present({ kind: "approval", run, call, tool, verdict: "ask", reason, by })
    }
    case "approval_decision": {
      const { runId: run, callId: call, decision, by } = entry
      const verdict = decision === "approve" ? "allow" : "deny"
      const tool = await askedTool(store, namespace, entry)
      return present({ kind: "approval", run, call, tool, verdict, by })
    }
    case "budget": {
      const { runId: run, action: status, reason, model } = entry
      return present({ kind: "budget", run, status, reason, model })
    }
    default:
      return undefined
  }
}

/** What a model call took. */
export function spent({
  message: { model },
  usage,
  cost,
  durationMs: duration_ms,
}: Entry<"assistant">): Pick<Shown, "model" | "input_tokens" | "output_tokens" | "cost" | "duration_ms"> {
  return {
    model,
    duration_ms,
    ...(usage && {
      input_tokens: usage.inputTokens + usage.cacheReadTokens + usage.cacheWriteTokens,
      output_tokens: usage.outputTokens,
      cost: cost !== undefined && model !== undefined && priceOf(DEFAULT_PRICES, model).known ? cost : null,
    }),
  }
}

/** Calls of one message, at most: among them are a decision's request, and a call's result. */
const AT_ONCE = 50

async function askedTool(
  store: SessionStore,
  namespace: Namespace,
  { seq, approvalId }: Entry<"approval_decision">,
): Promise<string | undefined> {
  const requests = await store.read(namespace, {
    types: ["approval_request"],
    before: seq,
    limit: AT_ONCE,
    direction: "backward",
  })
  const request = requests.find((each) => each.type === "approval_request" && each.approvalId === approvalId)
  return request?.type === "approval_request" ? request.name : undefined
}

/**
 * How it ended, where that stands further on in the log: of a run, and of a call that was allowed. Undefined for a call that
 * waited for something and was begun again, which is told then.
 */
export async function withEnd(
  store: SessionStore,
  namespace: Namespace,
  seq: number,
  activity: Activity,
): Promise<Activity | undefined> {
  const { kind, run, call, verdict } = activity
  if (kind === "tool" && verdict === "allow") {
    const types = ["tool_intent", "tool_result"] as const
    const later = await store.read(namespace, { types, after: seq, limit: 2 * AT_ONCE })
    const found = later.find((each) => "callId" in each && each.callId === call)
    if (found?.type === "tool_intent") return undefined
    if (found?.type !== "tool_result") return activity
    return present({ ...activity, status: found.result.status, duration_ms: found.durationMs })
  }
  if (kind === "run" || kind === "delegation" || kind === "schedule") {
    const [end] = await store.read(namespace, { types: ["run_finished"], after: seq, limit: 1 })
    if (end?.type !== "run_finished" || end.runId !== run) return { ...activity, status: "running" }
    return present({ ...activity, status: end.outcome, error: end.error?.code, duration_ms: end.durationMs })
  }
  return activity
}

/** What an event of the audit says, of what stands in no session's log, or no longer; undefined for one of no kind. */
export function auditActivity(namespace: Namespace, event: JsonObject): Activity | undefined {
  const text = (name: string): string | undefined => {
    const value = event[name]
    return typeof value === "string" ? value : undefined
  }
  const type = text("type") ?? ""
  // Without the run: there is nothing left to trace.
  const told = { call: text("callId"), reason: text("reason"), by: text("by") }
  const decision = text("decision")
  switch (type) {
    case "run_started":
      return present({
        kind: runKind(namespace),
        agent: text("agent"),
        model: text("model"),
        by: text("principal"),
      })
    case "tool_intent":
      if (decision !== "allow" && decision !== "deny") return undefined
      return present({ kind: "tool", tool: text("name"), verdict: decision, ...told })
    case "approval_request":
      return present({ kind: "approval", tool: text("name"), verdict: "ask", ...told, by: text("principal") })
    case "approval_decision":
      return present({ kind: "approval", verdict: decision === "approve" ? "allow" : "deny", ...told })
    case "budget":
      return present({ kind: "budget", status: text("action"), model: text("model"), ...told })
    // How it went on and ended stands with what began.
    case "run_resumed":
    case "run_finished":
    case "tool_result":
      return undefined
    case "login":
    case "logout":
      return present({ kind: "login", status: type, by: told.by })
    default: {
      const names = event["names"] ?? text("collection")
      const all = (Array.isArray(names) ? names : [names]).filter((name) => typeof name === "string")
      return present({
        kind: "change",
        status: type,
        by: told.by,
        reason: told.reason,
        ...(all.length > 0 && { names: all }),
      })
    }
  }
}

const runKind = (namespace: Namespace): Kind =>
  isDelegated(namespace) ? "delegation" : isScheduled(namespace) ? "schedule" : "run"

const present = (shown: Shown): Activity =>
  Object.fromEntries(Object.entries(shown).filter(([, value]) => value !== undefined)) as unknown as Activity
