import {
  type ApprovalDecision,
  type ApprovalRule,
  type Approvals,
  InvalidInput,
  type Namespace,
  type PendingApproval,
} from "@orra/core"
import { notFound } from "./errors.ts"
import { namespaceIn } from "./input.ts"
import type { Principal } from "./principal.ts"
import type { WireApproval, WireApprovalRule } from "./protocol.ts"
import type { GatewayRequest, Route } from "./route.ts"
import { existingSession, isDeleted } from "./sessions.ts"

const MAX_NOTE = 2_000
const MAX_MINUTES = 24 * 60

/** The metadata of a session in which everything is approved: until when, in ms since 1970. */
const UNTIL = "approvesUntil"

/** The id of the rule by which everything is approved. */
const EVERYTHING = "everything"

/** So long a rule that was taken back can be put back, in ms. */
const UNDO_MS = 10 * 60_000

/** Rules that somebody has taken back, for as long as that can be undone: by who it was and what it was. */
type Revoked = Map<string, { readonly rule: ApprovalRule; readonly at: number }>

/** What waits for a decision in the sessions of who asks, the decision, and what stands approved there. */
export const approvalRoutes = (approvals: Approvals, revoked: Revoked = new Map()): readonly Route[] => [
  {
    method: "GET",
    path: "/api/approvals",
    permission: "approve",
    handle: ({ principal }) => list(principal, approvals),
  },
  {
    method: "POST",
    path: "/api/sessions/:namespace/approvals/:approvalId",
    permission: "approve",
    handle: (request) => decide(request, approvals),
  },
  {
    method: "DELETE",
    path: "/api/approval-rules/:namespace/:ruleId",
    permission: "approve",
    handle: (request) => revoke(request, approvals, revoked),
  },
  {
    method: "POST",
    path: "/api/approval-rules/:namespace/:ruleId/restore",
    permission: "approve",
    handle: (request) => restore(request, approvals, revoked),
  },
  {
    method: "PUT",
    path: "/api/sessions/:namespace/approve-everything",
    permission: "approve",
    handle: (request) => approveEverything(request, approvals),
  },
]

/** Where somebody decides. */
const placesOf = ({ namespace, decidesIn = [] }: Principal): readonly Namespace[] => [namespace, ...decidesIn]

async function list(principal: Principal, approvals: Approvals): Promise<Response> {
  const found: { approvals: WireApproval[]; rules: WireApprovalRule[] } = { approvals: [], rules: [] }
  for (const place of placesOf(principal)) {
    found.approvals.push(...(await approvals.list(place)).map(wireApproval))
    found.rules.push(...(await approvals.rules(place, { below: true })).map(wireRule))
  }
  return Response.json(found)
}

async function decide(request: GatewayRequest, approvals: Approvals): Promise<Response> {
  const { runtime, principal, params } = request
  const body = await request.body()
  const namespace = namespaceIn(placesOf(principal), params["namespace"])
  const info = await runtime.info(namespace)
  if (!info || isDeleted(info)) throw notFound()
  const { decision } = body
  if (decision !== "approve" && decision !== "deny")
    throw new InvalidInput('"decision" must be "approve" or "deny".')
  await approvals.decide(namespace, params["approvalId"] ?? "", {
    decision,
    by: principal.name,
    ...noteOf(body["note"]),
    ...rememberOf(principal, body),
  })
  return Response.json({ decided: true })
}

function noteOf(note: unknown): Pick<ApprovalDecision, "note"> {
  if (note === undefined || note === "") return {}
  if (typeof note === "string" && note.length <= MAX_NOTE) return { note: note.toWellFormed() }
  throw new InvalidInput(`"note" must be text of at most ${MAX_NOTE} characters.`)
}

function rememberOf(
  principal: Principal,
  { decision, remember: calls, scope }: Readonly<Record<string, unknown>>,
): Pick<ApprovalDecision, "remember"> {
  if (calls === undefined && scope === undefined) return {}
  if (decision === "approve" && (calls === "arguments" || calls === "tool")) {
    return {
      remember: { calls, ...(scope !== undefined && { scope: namespaceIn(placesOf(principal), scope) }) },
    }
  }
  throw new InvalidInput(
    '"remember" is for an approval: "arguments" for exactly this call, "tool" for any of the tool. "scope" says where.',
  )
}

/** It can be seen before it holds, and for as long: nothing is approved of which nobody is shown that it is. */
async function approveEverything(request: GatewayRequest, approvals: Approvals): Promise<Response> {
  const { runtime, principal, params } = request
  const { minutes } = await request.body()
  if (typeof minutes !== "number" || !(minutes > 0 && minutes <= MAX_MINUTES))
    throw new InvalidInput(`"minutes" must be a number above 0, ${MAX_MINUTES} at most.`)
  const { namespace } = await existingSession(runtime, principal, params["namespace"])
  const until = runtime.internals.settings.now() + minutes * 60_000
  await runtime.update(namespace, { [UNTIL]: until })
  try {
    return Response.json(
      wireRule(await approvals.approveEverything(namespace, { by: principal.name, until })),
    )
  } catch (error) {
    await runtime.update(namespace, { [UNTIL]: null })
    throw error
  }
}

async function revoke(request: GatewayRequest, approvals: Approvals, known: Revoked): Promise<Response> {
  const { runtime, principal, params } = request
  const namespace = namespaceIn(placesOf(principal), params["namespace"])
  const rule = (await approvals.rules(namespace)).find(({ ruleId }) => ruleId === params["ruleId"])
  const revoked = await approvals.revoke(namespace, params["ruleId"] ?? "", { by: principal.name })
  const at = runtime.internals.settings.now()
  for (const [key, each] of known) if (each.at + UNDO_MS <= at) known.delete(key)
  if (revoked && rule && rule.type !== EVERYTHING) known.set(keyOf(principal, rule), { rule, at })
  const info = params["ruleId"] === EVERYTHING ? await runtime.info(namespace) : undefined
  const isShown = info?.metadata[UNTIL] !== undefined
  if (isShown) await runtime.update(namespace, { [UNTIL]: null })
  if (!revoked && !isShown) throw notFound()
  return Response.json({ revoked })
}

/** Undoes a `revoke`, for whoever it was, for a while. What somebody allows for a time they allow anew. */
async function restore(
  { runtime, principal, params }: GatewayRequest,
  approvals: Approvals,
  known: Revoked,
): Promise<Response> {
  const namespace = namespaceIn(placesOf(principal), params["namespace"])
  const key = keyOf(principal, { namespace, ruleId: params["ruleId"] ?? "" })
  const found = known.get(key)
  if (!found || found.at + UNDO_MS <= runtime.internals.settings.now()) throw notFound()
  known.delete(key)
  await approvals.restore(found.rule, { by: principal.name })
  return Response.json({ restored: true })
}

const keyOf = (principal: Principal, { namespace, ruleId }: Pick<ApprovalRule, "namespace" | "ruleId">) =>
  JSON.stringify([principal.name, namespace.key, ruleId])

const wireApproval = ({ namespace, ...rest }: PendingApproval): WireApproval => ({
  namespace: namespace.key,
  ...rest,
})

const wireRule = ({ namespace, ...rest }: ApprovalRule): WireApprovalRule => ({
  namespace: namespace.key,
  ...rest,
})
