import type { ApprovalRule, PendingApproval } from "@orra/core"
import { request } from "../api/http.ts"

/** What is known of a session, with its namespace written as a key. */
type Wire<T> = Omit<T, "namespace"> & { readonly namespace: string }

/** A call that waits, as it travels. */
export type Waiting = Wire<Omit<PendingApproval, "runId">>

/** What stands allowed, as it travels. */
export type StandingRule = Wire<ApprovalRule>

export interface ApprovalList {
  readonly approvals: readonly Waiting[]
  readonly rules: readonly StandingRule[]
}

type RuleName = Pick<StandingRule, "namespace" | "ruleId">

const pathOf = ({ namespace, ruleId }: RuleName): string =>
  `/api/approval-rules/${encodeURIComponent(namespace)}/${encodeURIComponent(ruleId)}`

export const approvalsApi = {
  list: (signal: AbortSignal) => request<ApprovalList>("GET", "/api/approvals", undefined, signal),
  revoke: (rule: RuleName) => request<unknown>("DELETE", pathOf(rule)),
  restore: (rule: RuleName) => request<unknown>("POST", `${pathOf(rule)}/restore`, {}),
  /** Ends what `everything` began. */
  askAgain: (namespace: string) => request<unknown>("DELETE", pathOf({ namespace, ruleId: "everything" })),
  everything: (namespace: string, minutes: number) =>
    request<unknown>("PUT", `/api/sessions/${encodeURIComponent(namespace)}/approve-everything`, { minutes }),
}
