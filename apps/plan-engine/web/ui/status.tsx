import type { ReactElement } from "react"
import type { RunStatus, TaskStatus } from "../api/types.ts"
import { RUN_STATUS, TASK_STATUS, UNDOING } from "./words.ts"

/** A status in words; the colour only repeats them. */
export const Status = ({ of }: { readonly of: RunStatus }): ReactElement => (
  <span className="status" data-status={of}>
    {RUN_STATUS[of]}
  </span>
)

export const StatusOfTask = ({ of }: { readonly of: TaskStatus }): ReactElement => (
  <span className="status" data-status={of}>
    {TASK_STATUS[of]}
  </span>
)

/** Of how undoing a task stands: what could not be undone is as bad as what failed. */
export const StatusOfUndoing = ({ of }: { readonly of: string }): ReactElement => (
  <span className="status" data-status={of === "completed" ? "undone" : of === "processing" ? of : "failed"}>
    {UNDOING[of] ?? of}
  </span>
)
