import type { BudgetInstead, Spender } from "./budget-gate.ts"
import { Draft } from "./draft.ts"
import { OrraError } from "./errors.ts"
import { isLogFailure } from "./failure.ts"
import { hookContext, type LoopRun, type LoopSettings, record } from "./loop-run.ts"
import type { Answer } from "./model-call.ts"
import type { ModelRequest, Usage } from "./provider.ts"
import type { NewEntry } from "./session.ts"
import type { SessionLog } from "./session-log.ts"

/** Of a call that was not made. Always there: with the last draft V8 throws away what it has compiled for them. */
const NOTHING = new Draft("")

/** A model call that may be made. */
export interface ModelPermit {
  /** What may be sent: with a limit for the answer, and perhaps for another model. */
  readonly request: ModelRequest
  /** What is to be recorded before the call. */
  readonly entries: readonly NewEntry<"budget">[]
  /** The provider tries again by itself: that counts as another call. */
  readonly retried: () => void
  /**
   * The call is over. `usage` is what the provider counted; without it `text`, what came of an answer that broke off,
   * is estimated; without both the call came to nothing and its reservation is given back.
   *
   * @returns what it cost in USD, where prices are known.
   */
  settle(usage: Usage | undefined, text: string | undefined): Promise<number | undefined>
}

/** What a model call is to be. */
export interface WantedCall {
  /** Of the session that it is made for. */
  readonly log: SessionLog
  readonly request: ModelRequest
  readonly model: string
  /** The most tokens of its answer, where the request or the provider sets any. */
  readonly outputLimit: number | undefined
}

/** Makes a model call within what may be spent: reserved before, settled after whatever comes of it. */
export async function askWithin(
  settings: LoopSettings,
  run: LoopRun,
  asked: ModelRequest,
  reserve: (spender: Spender, call: WantedCall) => Promise<ModelPermit>,
  make: (request: ModelRequest, retried: () => void) => Promise<Answer>,
): Promise<Answer> {
  const { provider, hooks, onError: report } = settings
  const model = asked.model ?? provider.model
  let answer: Answer = { type: "stopped", draft: NOTHING }
  try {
    const outputLimit = provider.outputLimit?.(asked) ?? asked.maxTokens
    const spender = { context: hookContext(run), hooks, report, end: (why: OrraError) => run.stop.abort(why) }
    const permit = await reserve(spender, { log: run.log, request: asked, model, outputLimit })
    let usage: Usage | undefined
    let text: string | undefined
    let cost: number | undefined
    try {
      if (permit.entries.length > 0) await record(run, permit.entries)
      if (!run.stop.aborted) {
        // Unless it is known better, it has cost what was sent.
        text = ""
        answer = await make(permit.request, permit.retried)
        // A service that does not say what it used has not given its answer away.
        if (answer.type === "done" && answer.usage.inputTokens > 0) usage = answer.usage
        else if (answer.type === "done") text = textOf(draftOf(answer, provider.id, model))
        else text = answer.type === "failed" && answer.draft.isEmpty ? undefined : textOf(answer.draft)
      }
    } finally {
      cost = await permit.settle(usage, text)
    }
    if (cost === undefined) return answer
    run.cost.usd = (run.cost.usd ?? 0) + cost
    if (answer.type !== "done") return { ...answer, cost }
    const { type, message, usage: counted, finishReason } = answer
    return { type, message, usage: counted, finishReason, cost }
  } catch (error) {
    if (isLogFailure(error)) throw error
    const instead = run.stop.aborted ? undefined : insteadOf(error, run)
    return { type: "failed", draft: draftOf(answer, provider.id, model), error, instead }
  }
}

/** All that was written, thoughts included. */
const textOf = (draft: Draft): string =>
  draft
    .message()
    .parts.map((part) => (part.type === "tool_call" ? "" : part.text))
    .join("")

/** What is kept of an answer that could not be settled: its calls are not carried out. */
function draftOf(answer: Answer, provider: string, model: string): Draft {
  if (answer.type !== "done") return answer.draft
  const draft = new Draft(provider, model)
  for (const part of answer.message.parts) if (part.type !== "tool_call") draft.add(part)
  return draft
}

/** Undefined: the run ends. */
function insteadOf(error: unknown, { runId }: LoopRun): BudgetInstead | undefined {
  if (!(error instanceof OrraError) || error.code !== "budget_exceeded") return undefined
  const { atLimit: action, renewsAt } = error.details
  if (action !== "compact" && action !== "ask") return undefined
  const entry = { type: "budget", at: Date.now(), runId, action, reason: error.message } as const
  return { action, entry, ...(typeof renewsAt === "number" && { renewsAt }) }
}
