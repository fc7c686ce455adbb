import { OrraError } from "@orra/core"

/** Why a schedule or a job cannot be. Stable: match on these. */
export type CronErrorCode =
  /** It is no schedule: the expression, the date or the interval does not say when. */
  | "schedule_invalid"
  /** No day and time there will be match it. */
  | "schedule_never"
  /** Its only time is over. */
  | "schedule_past"
  /** It would fire more often than is allowed. */
  | "schedule_too_often"
  /** There is no such time zone. */
  | "timezone_unknown"
  /** Something else of the job is not what it can be. */
  | "job_invalid"
  /** There are as many jobs as there may be. */
  | "job_limit"
  /** What was asked cannot be done with the job as it is: it is paused, or over. */
  | "job_state"

/** A job that cannot be as it was asked for, and what to change. */
export class CronError extends OrraError {
  declare readonly code: CronErrorCode

  constructor(code: CronErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(code, message, details)
  }
}
