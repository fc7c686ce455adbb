/** What an orchestration is in the list. Times are RFC 3339. */
export interface Listed {
  readonly id: string
  readonly action: string
  readonly status: string
  readonly error?: unknown
  readonly timestamp: string
  readonly compensation?: {
    readonly active: number
    readonly total: number
    readonly completed: number
    readonly failed: number
  }
}

/** The list, by status. */
export type ListGroups = Readonly<Record<string, readonly Listed[]>>

/** What an action became. */
export interface Created {
  readonly id: string
  readonly status: string
  readonly plan: {
    readonly tasks: readonly {
      readonly id: string
      readonly service_name: string
      readonly input: Readonly<Record<string, unknown>>
    }[]
    readonly parallel_groups: readonly (readonly string[])[]
  }
}

/** How an orchestration ended, as far as it has. */
export interface Ended {
  readonly id: string
  readonly status: string
  readonly error?: unknown
  readonly abortInfo?: {
    readonly taskId: string
    readonly serviceId: string
    readonly serviceName: string
    readonly payload?: unknown
  }
  /** What the leaves of the plan gave, and by their tasks. */
  readonly results?: readonly unknown[]
  readonly resultsByTask?: Readonly<Record<string, unknown>>
}

export interface Inspection extends Ended {
  readonly action: string
  readonly timestamp: string
  /** How long ago the status changed, in ns. */
  readonly duration: number
  readonly tasks?: readonly InspectedTask[]
}

export interface InspectedTask {
  readonly id: string
  readonly serviceId: string
  readonly serviceName: string
  readonly status: string
  readonly statusHistory: readonly {
    readonly status: string
    readonly timestamp: string
    readonly error?: string
  }[]
  readonly input?: unknown
  readonly output?: unknown
  readonly abortPayload?: unknown
  readonly error?: string
  readonly duration: number
  readonly interimResults?: readonly { readonly timestamp: string; readonly data: unknown }[]
  readonly compensation?: { readonly status: string; readonly attempt: number; readonly max_attempts: number }
  readonly compensationHistory?: readonly {
    readonly status: string
    readonly attempt: number
    readonly maxAttempts: number
    readonly timestamp: string
    readonly error?: string
  }[]
  readonly isRevertible: boolean
}

/** What is written in the log of an orchestration; which members there are depends on the type. `at` is ms since 1970. */
export interface Entry {
  readonly number: number
  readonly hash: string
  readonly at: number
  readonly type: string
  readonly task?: string
  readonly [member: string]: unknown
}

export interface LogPage {
  readonly id: string
  readonly status: string
  readonly entries: readonly Entry[]
  /** Of the next page. */
  readonly cursor?: string
}
