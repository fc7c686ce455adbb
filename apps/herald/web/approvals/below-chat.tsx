import { lazy, type ReactElement } from "react"
import { useShared } from "../app/context.ts"
import { useNow } from "../app/use-now.ts"
import { t } from "../i18n/index.ts"
import { Lazily } from "../ui/boundary.tsx"
import { originOf } from "./origin.ts"
import { useApprovals, useDecide } from "./use-approvals.ts"

const ApprovalCard = lazy(() => import("./approval-card.tsx"))

/** What waits in work that this chat has handed on, to other agents or to a job: it stands in no transcript here. */
export function BelowChat({ namespace }: { readonly namespace: string }): ReactElement | null {
  const { me } = useShared()
  const { data } = useApprovals()
  const decide = useDecide()
  const now = useNow(30_000)
  const waiting = (data?.approvals ?? []).filter(
    (each) =>
      each.expiresAt > now &&
      each.namespace !== namespace &&
      originOf(each.namespace, me.namespace).chat === namespace,
  )
  if (waiting.length === 0) return null
  return (
    <section className="below-chat" aria-label={t.approval.below}>
      <Lazily>
        {waiting.map((each) => (
          <ApprovalCard
            key={each.approvalId}
            waiting={each}
            onDecide={(decision) => decide(each, decision)}
          />
        ))}
      </Lazily>
    </section>
  )
}
