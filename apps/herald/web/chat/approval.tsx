import { lazy, type ReactElement, Suspense } from "react"
import type { ApprovalCardProps } from "../approvals/approval-card.tsx"
import { t } from "../i18n/index.ts"

const ApprovalCard = lazy(() => import("../approvals/approval-card.tsx"))

/** The question whether a call may run: in the chat it is the same as in the list of all that waits. */
export const Approval = (props: ApprovalCardProps): ReactElement => (
  <Suspense fallback={<p className="tool-progress">{t.loading}</p>}>
    <ApprovalCard {...props} />
  </Suspense>
)
