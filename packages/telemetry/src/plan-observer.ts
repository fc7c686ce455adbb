/** Something that a plan took: making it, an attempt at a task, or an attempt at undoing one. Times are ms since 1970. */
export interface ObservedStep {
  readonly type: "plan" | "task" | "undo"
  /** The id of the task; of the making of a plan `plan`. */
  readonly task: string
  /** The name of the service. */
  readonly service?: string
  readonly attempt: number
  readonly from: number
  readonly to: number
  /** `done`, `failed`, `aborted`, `unknown` (nothing was heard of it); of undoing `completed`, `partial`, `failed` or `expired`. */
  readonly outcome: string
}

/** A plan that has ended. Times are ms since 1970. */
export interface ObservedPlan {
  readonly id: string
  /** How: `completed`, `failed`, `aborted`, `cancelled` or `not_actionable`. */
  readonly status: string
  readonly from: number
  readonly to: number
  readonly steps: readonly ObservedStep[]
}

/** An attempt to tell a webhook. Times are ms since 1970. */
export interface ObservedDelivery {
  /** The plan it tells of. */
  readonly plan: string
  readonly event: string
  readonly attempt: number
  readonly from: number
  readonly to: number
  /** What the receiver answered. */
  readonly answered?: number
  /** `delivered`, `pending` when it will be tried again, `dead` when it will not. */
  readonly outcome: string
}

/** What @orra/plan-engine tells of plans. */
export interface PlanObserver {
  ended(plan: ObservedPlan): void
  told(delivery: ObservedDelivery): void
}
