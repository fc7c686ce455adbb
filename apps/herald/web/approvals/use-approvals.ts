import { type UseQueryResult, useQuery, useQueryClient } from "@tanstack/react-query"
import { useEffect } from "react"
import { useShared } from "../app/context.ts"
import { type ApprovalList, approvalsApi } from "./approvals-api.ts"

const KEY = ["approvals"]

/** What waits for whoever is logged in, and what stands allowed. It changes as soon as it does on the server. */
export function useApprovals(): UseQueryResult<ApprovalList> {
  const { me, connection } = useShared()
  const client = useQueryClient()
  const mayApprove = me.permissions.includes("approve")
  useEffect(() => {
    if (!mayApprove) return
    const again = (): void => void client.invalidateQueries({ queryKey: KEY })
    return connection.onFrame((frame) => {
      if (frame.type === "hello") again()
      if (frame.type !== "session" && frame.type !== "session_deleted") return
      const deleted = frame.type === "session_deleted"
      const namespace = deleted ? frame.namespace : frame.session.namespace
      const asks = deleted ? 0 : (frame.session.waiting?.approvals ?? 0)
      const known = client.getQueryData<ApprovalList>(KEY)?.approvals
      if (known?.filter((each) => each.namespace === namespace).length !== asks) again()
    })
  }, [mayApprove, connection, client])
  return useQuery({
    queryKey: KEY,
    queryFn: ({ signal }) => approvalsApi.list(signal),
    enabled: mayApprove,
    staleTime: 30_000,
  })
}
