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

/** Where a plan is from. */
export type PlanOrigin = {
  readonly grounding?: {
    readonly name: string
    readonly version: string
    readonly useCase: string
    readonly score: number
    readonly by: string
  }
} & (
  | { readonly by: "cache" }
  | { readonly by: "model"; readonly attempts: number; readonly cache?: { readonly missed: string } }
)

export interface Inspection extends RunItem {
  readonly planning?: PlanOrigin
  readonly abortInfo?: { readonly taskId: string; readonly serviceName: string; readonly payload?: Json }
  readonly taskZero?: Json
  /** None when there is no plan, or not yet. */
  readonly tasks?: readonly Task[]
  readonly resultsByTask?: { readonly [task: string]: Json }
}

/** How undoing a task ended. */
export type UndoOutcome =
  | { readonly status: "completed" | "expired" }
  | { readonly status: "partial"; readonly remaining: readonly Json[] }
  | { readonly status: "failed"; readonly error: string }

/** What is written of a run, one after the other. `at` is ms since 1970. */
export type LogEntry = { readonly number: number; readonly at: number } & (
  | { readonly type: "task_sent" | "undo_sent"; readonly task: string; readonly attempt: number }
  | { readonly type: "task_progress"; readonly task: string; readonly data: Json }
  | { readonly type: "task_done"; readonly task: string }
  | {
      readonly type: "task_failed" | "undo_failed"
      readonly task: string
      readonly attempt: number
      readonly error: string
    }
  | {
      readonly type: "halted"
      readonly halt: { readonly reason: string; readonly task?: string; readonly error?: string }
    }
  | { readonly type: "undone"; readonly task: string; readonly outcome: UndoOutcome }
  | { readonly type: "finished"; readonly status: string }
)

export interface FailedCompensation {
  readonly id: string
  readonly orchestrationId: string
  readonly taskId: string
  readonly serviceName: string
  readonly compensationData: { readonly data: Json; readonly context: Json }
  readonly status: "failed" | "expired"
  readonly resolutionState: "pending" | "resolved" | "ignored"
  readonly failure?: string
  readonly resolution?: string
  readonly attemptsMade: number
  readonly timestamp: string
  readonly resolvedAt: string
}

export interface Service {
  readonly id: string
  readonly name: string
  readonly kind: "service" | "agent"
  readonly description: string
  readonly version: number
  readonly revertible: boolean
  readonly healthy: boolean
  readonly schema: { readonly input: Json; readonly output: Json }
}

export interface Grounding {
  readonly name: string
  readonly domain: string
  readonly version: string
  readonly useCases: readonly {
    readonly action: string
    readonly params: { readonly [name: string]: string }
    readonly capabilities: readonly string[]
    readonly intent: string
  }[]
  /** In words, or as a rule that is proved. */
  readonly constraints: readonly Json[]
}

/** A use case of a grounding, planned to see whether it can be. */
export interface GroundingTrial {
  readonly useCase: string
  readonly action: string
  readonly isPlanned: boolean
  readonly tasks?: readonly { readonly id: string; readonly service_name: string; readonly input: Json }[]
  readonly error?: string
}

export interface ApiKey {
  readonly id: string
  readonly createdAt: string
  readonly scopes: readonly string[]
  readonly expiresAt?: string
}

/** Something a webhook is told. */
export interface Delivery {
  readonly id: string
  readonly url: string
  readonly state: "pending" | "delivered" | "dead" | "dropped"
  readonly event: string
  readonly orchestrationId: string
  readonly tried: number
  readonly attempts: readonly {
    readonly timestamp: string
    readonly ms: number
    readonly answered?: number
    readonly error?: string
  }[]
  readonly updatedAt: string
}

/** Something that was asked of a project. `at` is ms since 1970. */
export interface AuditEntry {
  readonly number: number
  readonly at: number
  /** The id of a key, or who else it was. */
  readonly by: string
  readonly action: string
  readonly subject?: string
  /** As HTTP has it. */
  readonly status: number
  readonly code?: string
}
