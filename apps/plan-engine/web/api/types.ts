export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json }

export type RunStatus =
  | "pending"
  | "processing"
  | "completed"
  | "failed"
  | "aborted"
  | "cancelled"
  | "not_actionable"

export type TaskStatus = "pending" | "processing" | "paused" | "completed" | "failed" | "aborted"

export interface RunItem {
  readonly id: string
  readonly action: string
  readonly status: RunStatus
  readonly error?: Json
  /** When the status changed last. */
  readonly timestamp: string
  readonly compensation?: { readonly total: number; readonly completed: number; readonly failed: number }
}

export interface Compensation {
  readonly status: string
  readonly attempt: number
  readonly timestamp: string
  readonly error?: string
}

/** Durations are in nanoseconds. */
export interface Task {
  readonly id: string
  readonly serviceId: string
  readonly serviceName: string
  /** The tasks whose results it takes. */
  readonly needs: readonly string[]
  readonly status: TaskStatus
  readonly statusHistory: readonly {
    readonly id: string
    readonly status: TaskStatus
    readonly timestamp: string
    readonly error?: string
  }[]
  readonly input: Json
  readonly output?: Json
  readonly abortPayload?: Json
  readonly error?: string
  readonly duration: number
  readonly interimResults?: readonly {
    readonly id: string
    readonly timestamp: string
    readonly data: Json
  }[]
  readonly compensation?: Compensation
  readonly compensationHistory?: readonly (Compensation & { readonly id: string })[]
  readonly isRevertible: boolean
}

export interface Inspection extends RunItem {
  readonly abortInfo?: { readonly taskId: string; readonly serviceName: string; readonly payload?: Json }
  readonly taskZero?: Json
  /** None when there is no plan, or not yet. */
  readonly tasks?: readonly Task[]
  readonly resultsByTask?: { readonly [task: string]: Json }
}
