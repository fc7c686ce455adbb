import { type ApprovalDecision, type Approvals, InvalidInput, type PendingApproval } from "@orra/core"
import type { WireApproval } from "./protocol.ts"
import type { GatewayRequest, Route } from "./route.ts"
import { existingSession } from "./sessions.ts"

const MAX_NOTE = 2_000

/** What waits for a decision in the sessions of who asks, and the decision. */
export const approvalRoutes = (approvals: Approvals): readonly Route[] => [
  {
    method: "GET",
    path: "/api/approvals",
    permission: "approve",
    handle: async ({ principal }) =>
      Response.json({ approvals: (await approvals.list(principal.namespace)).map(wireApproval) }),
  },
  {
    method: "POST",
    path: "/api/sessions/:namespace/approvals/:approvalId",
    permission: "approve",
    handle: (request) => decide(request, approvals),
  },
]

async function decide(request: GatewayRequest, approvals: Approvals): Promise<Response> {
  const { runtime, principal, params } = request
  const body = await request.body()
  const { namespace } = await existingSession(runtime, principal, params["namespace"])
  const { decision } = body
  if (decision !== "approve" && decision !== "deny")
    throw new InvalidInput('"decision" must be "approve" or "deny".')
  await approvals.decide(namespace, params["approvalId"] ?? "", {
    decision,
    by: principal.name,
    ...noteOf(body["note"]),
    ...rememberOf(decision, body["remember"]),
  })
  return Response.json({ decided: true })
}

function noteOf(note: unknown): Pick<ApprovalDecision, "note"> {
  if (note === undefined || note === "") return {}
  if (typeof note === "string" && note.length <= MAX_NOTE) return { note: note.toWellFormed() }
  throw new InvalidInput(`"note" must be text of at most ${MAX_NOTE} characters.`)
}

function rememberOf(decision: string, calls: unknown): Pick<ApprovalDecision, "remember"> {
  if (calls === undefined) return {}
  if (decision === "approve" && (calls === "arguments" || calls === "tool")) return { remember: { calls } }
  throw new InvalidInput(
    '"remember" is for an approval: "arguments" for exactly this call, "tool" for any of the tool.',
  )
}

const wireApproval = ({ namespace, ...rest }: PendingApproval): WireApproval => ({
  namespace: namespace.key,
  ...rest,
})
