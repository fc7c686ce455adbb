import type { Effects } from "./effect.ts"
import { askHooks } from "./hook-calls.ts"
import type { ApprovalQuestion } from "./hooks.ts"
import { randomId } from "./ids.ts"
import type { JsonObject } from "./json.ts"
import type { Namespace } from "./namespace.ts"
import type { Approval, NewEntry } from "./session.ts"
import type { OpenCall } from "./session-log.ts"

/** What the door asks of approvals: `Approvals` is the one there is. */
export interface ApprovalGate {
  /** How long a question stays open, in ms. */
  readonly ttlMs: number
  /** What stands for exactly these arguments. */
  digest(args: JsonObject): Promise<string>
  /** The approval that was given beforehand, if there is one. */
  standing(namespace: Namespace, tool: string, digest: string): Promise<Approval | undefined>
}

type Asked =
  | { readonly type: "approved"; readonly approval: Approval }
  | { readonly type: "denied"; readonly layer: string; readonly rule: string }
  | { readonly type: "waits"; readonly request?: NewEntry<"approval_request"> }
  /** There is nobody who could approve it. */
  | { readonly type: "nobody" }

const denied = (rule: string, layer = "approval"): Asked => ({ type: "denied", layer, rule })

/** Who says yes to a call that policy asks about: what somebody has decided, a hook, a rule, or later a person. */
export async function askFor(
  { gate, mayWait, hooks, context, report }: Effects,
  question: ApprovalQuestion,
  open: OpenCall | undefined,
): Promise<Asked> {
  const { call, verdict } = question
  const { intent, request, answer } = open ?? {}
  if (answer?.decision === "deny") {
    return denied(answer.note ? `${answer.by} said no: ${answer.note}` : `${answer.by} said no`)
  }
  const byHook = await askHooks(hooks, report, question, context)
  if (byHook?.decision === "deny") return denied(byHook.reason, byHook.by)
  if (byHook) return { type: "approved", approval: { by: byHook.by ?? "hook" } }
  // An approval is for one effect. This one has begun under it, and is not finished.
  if (intent?.approval) return { type: "approved", approval: intent.approval }
  if (!gate) return { type: "nobody" }
  try {
    const digest = await gate.digest(call.arguments)
    if (request) {
      if (request.digest !== digest) return denied("its arguments are not the ones that were shown")
      if (Date.now() >= request.expiresAt) return denied("nobody approved it in time")
      if (!answer) return { type: "waits" }
      return { type: "approved", approval: { by: answer.by, approvalId: answer.approvalId } }
    }
    const approval = await gate.standing(context.namespace, call.name, digest)
    if (approval) return { type: "approved", approval }
    if (!mayWait) return { type: "nobody" }
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
        reason: `${verdict.layer}: ${verdict.rule}`,
        ...(principal !== undefined && { principal }),
        expiresAt: Math.min(at + gate.ttlMs, envelope?.deadline ?? Number.POSITIVE_INFINITY),
      },
    }
  } catch (error) {
    report(error)
    return denied("approval could not be asked for")
  }
}
