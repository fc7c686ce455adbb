import { type UseQueryResult, useQuery, useQueryClient } from "@tanstack/react-query"
import { useEffect } from "react"
import { api } from "../api/api.ts"
import type { Decision, ServerFrame } from "../api/types.ts"
import { useShared } from "../app/context.ts"
import { useNow } from "../app/use-now.ts"
import { toast } from "../ui/toast.tsx"
import { type ApprovalList, approvalsApi, type Waiting } from "./approvals-api.ts"

/** The key of the query. */
export const APPROVALS = ["approvals"]

/** How many calls wait in a session now. */
function changeOf(frame: ServerFrame): { readonly namespace: string; readonly waiting: number } | undefined {
  switch (frame.type) {
    case "approvals":
      return frame
    case "session":
      return { namespace: frame.session.namespace, waiting: frame.session.waiting?.approvals ?? 0 }
    case "session_deleted":
      return { namespace: frame.namespace, waiting: 0 }
    default:
      return undefined
  }
}

/** What waits for whoever is logged in, and what stands allowed. It changes as soon as it does on the server. */
export function useApprovals(): UseQueryResult<ApprovalList> {
  const { me, connection } = useShared()
  const client = useQueryClient()
  const mayApprove = me.permissions.includes("approve")
  useEffect(() => {
    if (!mayApprove) return
    const again = (): void => void client.invalidateQueries({ queryKey: APPROVALS })
    return connection.onFrame((frame) => {
      if (frame.type === "hello") again()
      const change = changeOf(frame)
      if (!change) return
      const known = client.getQueryData<ApprovalList>(APPROVALS)?.approvals
      if (known?.filter(({ namespace }) => namespace === change.namespace).length !== change.waiting) again()
    })
  }, [mayApprove, connection, client])
  return useQuery({
    queryKey: APPROVALS,
    queryFn: ({ signal }) => approvalsApi.list(signal),
    enabled: mayApprove,
    staleTime: 30_000,
  })
}

/** How many calls wait for whoever is logged in. The icon of the installed page says so too. */
export function useWaiting(): number {
  const { data } = useApprovals()
  const now = useNow(30_000)
  const count = data?.approvals.filter(({ expiresAt }) => expiresAt > now).length
  useEffect(() => {
    if (count !== undefined && "setAppBadge" in navigator) navigator.setAppBadge(count).catch(() => undefined)
  }, [count])
  return count ?? 0
}

/** Decides about a call. It resolves to false when that did not count, which is said. */
export function useDecide(): (waiting: Waiting, decision: Decision) => Promise<boolean> {
  const client = useQueryClient()
  return async ({ namespace, approvalId }, decision) => {
    try {
      await api.decide(namespace, approvalId, decision)
      return true
    } catch (error) {
      toast((error as Error).message)
      return false
    } finally {
      await client.invalidateQueries({ queryKey: APPROVALS })
    }
  }
}
