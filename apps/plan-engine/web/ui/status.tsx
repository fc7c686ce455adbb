import type { ReactElement } from "react"
import type { RunStatus, TaskStatus } from "../api/types.ts"
import { RUN_STATUS, TASK_STATUS } from "./words.ts"

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
