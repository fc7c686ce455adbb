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
