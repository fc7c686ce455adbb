import { lazy, type ReactElement } from "react"
import type { ApprovalCardProps } from "../approvals/approval-card.tsx"
import { t } from "../i18n/index.ts"
import { Lazily } from "../ui/boundary.tsx"

const ApprovalCard = lazy(() => import("../approvals/approval-card.tsx"))

/** The question whether a call may run: in the chat it is the same as in the list of all that waits. */
export const Approval = (props: ApprovalCardProps): ReactElement => (
  <Lazily fallback={<p className="tool-progress">{t.loading}</p>}>
    <ApprovalCard {...props} />
  </Lazily>
)
