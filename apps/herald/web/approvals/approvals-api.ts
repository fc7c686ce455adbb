import type { JsonObject } from "@orra/core"
import { request } from "../api/http.ts"

/** A call that waits, as it travels. */
export interface Waiting {
  readonly namespace: string
  readonly approvalId: string
  readonly tool: string
  readonly arguments: JsonObject
  readonly reason: string
  readonly principal?: string
  readonly agent?: string
  readonly delegatedBy?: readonly string[]
  readonly tainted?: true
  /** ms since 1970. */
  readonly requestedAt: number
  readonly expiresAt: number
}

/** What stands allowed, as it travels. */
export interface StandingRule {
  readonly ruleId: string
  readonly namespace: string
  readonly type: "arguments" | "tool" | "everything"
  readonly tool?: string
  readonly arguments?: JsonObject
  readonly by: string
  /** ms since 1970. */
  readonly at: number
  readonly until?: number
}

export interface ApprovalList {
  readonly approvals: readonly Waiting[]
  readonly rules: readonly StandingRule[]
}

export const approvalsApi = {
  list: (signal: AbortSignal) => request<ApprovalList>("GET", "/api/approvals", undefined, signal),
  revoke: (namespace: string, ruleId: string) =>
    request<{ readonly revoked: boolean }>(
      "DELETE",
      `/api/approval-rules/${encodeURIComponent(namespace)}/${encodeURIComponent(ruleId)}`,
    ),
  everything: (namespace: string, minutes: number) =>
    request<unknown>("PUT", `/api/sessions/${encodeURIComponent(namespace)}/approve-everything`, { minutes }),
}
