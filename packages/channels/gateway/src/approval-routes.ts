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

/** What waits for a decision in the sessions of who asks, the decision, and what stands approved there. */
export const approvalRoutes = (approvals: Approvals): readonly Route[] => [
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
    handle: (request) => revoke(request, approvals),
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

async function revoke(request: GatewayRequest, approvals: Approvals): Promise<Response> {
  const { runtime, principal, params } = request
  const namespace = namespaceIn(placesOf(principal), params["namespace"])
  const revoked = await approvals.revoke(namespace, params["ruleId"] ?? "", { by: principal.name })
  const info = params["ruleId"] === EVERYTHING ? await runtime.info(namespace) : undefined
  const isShown = info?.metadata[UNTIL] !== undefined
  if (isShown) await runtime.update(namespace, { [UNTIL]: null })
  if (!revoked && !isShown) throw notFound()
  return Response.json({ revoked })
}

const wireApproval = ({ namespace, ...rest }: PendingApproval): WireApproval => ({
  namespace: namespace.key,
  ...rest,
})

const wireRule = ({ namespace, ...rest }: ApprovalRule): WireApprovalRule => ({
  namespace: namespace.key,
  ...rest,
})
