import type { Effects } from "./effect.ts"
import { askHooks } from "./hook-calls.ts"
import type { ApprovalQuestion } from "./hooks.ts"
import { randomId } from "./ids.ts"
import type { JsonObject } from "./json.ts"
import type { Namespace } from "./namespace.ts"
import type { OpenCall } from "./open-run.ts"
import type { Approval, NewEntry } from "./session.ts"

/** Where the door asks people: `Approvals` is the one there is. */
export interface ApprovalGate {
  /** What somebody has decided about the call, or that it waits for that. Never rejects. */
  ask(effects: Effects, question: ApprovalQuestion, open: OpenCall | undefined): Promise<Asked>
}

export type Asked =
  | { readonly type: "approved"; readonly approval: Approval }
  | { readonly type: "denied"; readonly layer: string; readonly rule: string }
  | { readonly type: "waits"; readonly request?: NewEntry<"approval_request"> }

const denied = (rule: string, layer = "approval"): Asked => ({ type: "denied", layer, rule })

/** Who says yes to a call that policy asks about: somebody who has decided, a hook, a rule, or later a person. */
export async function askFor(
  effects: Effects,
  question: ApprovalQuestion,
  open: OpenCall | undefined,
): Promise<Asked | undefined> {
  const { gate, hooks, context, report } = effects
  const { intent } = open ?? {}
  const refusal = (): Asked | undefined => {
    const answer = open?.answer
    return answer?.decision === "deny"
      ? denied(`${answer.by} said no${answer.note ? `: ${answer.note}` : ""}`)
      : undefined
  }
  const before = refusal()
  if (before) return before
  const byHook = await askHooks(hooks, report, question, context)
  // Somebody may have said no in the meantime.
  const since = refusal()
  if (since) return since
  if (byHook?.decision === "deny") return denied(byHook.reason, byHook.by)
  if (byHook) return { type: "approved", approval: { by: byHook.by ?? "hook" } }
  // An approval is for one effect. This one has begun under it, and is not finished.
  if (intent?.approval) return { type: "approved", approval: intent.approval }
  return gate ? await gate.ask(effects, question, open) : undefined
}

/** What a person is asked with, and what may stand in for an answer. */
export interface Desk {
  /** How long a question stays open, in ms. */
  readonly ttlMs: number
  /** What stands for exactly these arguments. */
  digest(args: JsonObject): Promise<string>
  /** The approval that was given beforehand, if there is one. */
  standing(namespace: Namespace, tool: string, digest: string): Promise<Approval | undefined>
}

/** What a person has decided about the call, what was approved beforehand, or the question to be recorded. */
export async function askPerson(
  desk: Desk,
  { mayWait, context, now }: Effects,
  { call, verdict }: ApprovalQuestion,
  { request, answer }: Partial<OpenCall> = {},
): Promise<Asked> {
  const digest = await desk.digest(call.arguments)
  const reason = `${verdict.layer}: ${verdict.rule}`
  if (request) {
    if (request.digest !== digest) return denied("its arguments are not the ones that were shown")
    // Who said yes to one rule was not asked about another.
    if (verdict.decision === "ask" && request.reason !== reason)
      return denied("policy has changed since it was shown and asks by another rule: call it again")
    if (now() >= request.expiresAt) return denied("nobody approved it in time")
    if (!answer) return { type: "waits" }
    return { type: "approved", approval: { by: answer.by, approvalId: answer.approvalId } }
  }
  const approval = await desk.standing(context.namespace, call.name, digest)
  if (approval) return { type: "approved", approval }
  if (!mayWait) return denied("it needs a person's approval, which cannot be waited for here")
  const { runId, principal, envelope } = context
  const at = Date.now()
  return {
    type: "waits",
    request: {
      type: "approval_request",
      at,
      runId,
      approvalId: randomId(),
      callId: call.id,
      name: call.name,
      arguments: call.arguments,
      digest,
      reason,
      ...(principal !== undefined && { principal }),
      expiresAt: Math.min(now() + desk.ttlMs, envelope?.deadline ?? Number.POSITIVE_INFINITY),
    },
  }
}
