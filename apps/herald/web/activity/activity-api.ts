import { request } from "../api/http.ts"
import type { Traced } from "./place.ts"

export const KINDS = [
  "run",
  "delegation",
  "schedule",
  "model",
  "tool",
  "approval",
  "budget",
  "login",
  "change",
] as const
export const VERDICTS = ["allow", "ask", "deny"] as const

/** Something that happened, as the server has it: see docs/herald/api.md. */
export interface Happened {
  readonly id: string
  readonly at: number
  readonly seq: number
  readonly namespace: string
  /** The chat that one can open. */
  readonly chat?: string
  readonly title?: string
  readonly person?: string
  readonly kind: (typeof KINDS)[number]
  readonly run?: string
  readonly agent?: string
  readonly model?: string
  readonly tool?: string
  readonly verdict?: (typeof VERDICTS)[number]
  readonly reason?: string
  readonly by?: string
  readonly status?: string
  readonly error?: string
  readonly tainted?: true
  readonly input_tokens?: number
  readonly output_tokens?: number
  readonly cost?: number | null
  readonly duration_ms?: number
  readonly names?: readonly string[]
}

export interface ActivityPage {
  /** Whether there is an audit besides. */
  readonly audit: boolean
  readonly people: readonly { readonly name: string; readonly namespace: string }[]
  readonly items: readonly Happened[]
  readonly cursor?: string
}

/** What somebody wants to see; empty for all. */
export interface Filters {
  readonly kind: string
  readonly person: string
  readonly chat: string
  readonly tool: string
  readonly verdict: string
  /** `2026-11-22`, of the browser's own days. */
  readonly day: string
}

export interface TraceStep {
  readonly type: "model" | "tool" | "approval" | "wait" | "budget"
  readonly started_at: number
  readonly ended_at?: number
  readonly status?: string
  readonly tool?: string
  readonly verdict?: string
  readonly reason?: string
  readonly by?: string
  readonly model?: string
  readonly input_tokens?: number
  readonly output_tokens?: number
  readonly cost?: number | null
  readonly below?: Traced & { readonly agent?: string }
}

export interface Trace extends Traced {
  readonly seq: number
  readonly chat?: string
  readonly title?: string
  readonly person?: string
  readonly started_at: number
  readonly ended_at?: number
  readonly agent?: string
  readonly model?: string
  readonly by?: string
  readonly outcome?: string
  readonly error?: string
  readonly input_tokens: number
  readonly output_tokens: number
  readonly cost: number | null
  readonly steps: readonly TraceStep[]
  readonly more: boolean
}

function queryOf({ day, ...filters }: Filters): URLSearchParams {
  const query = new URLSearchParams(Object.entries(filters).filter(([, value]) => value !== ""))
  const [year = 0, month = 0, date = 0] = day.split("-").map(Number)
  if (day !== "") {
    query.set("since", String(new Date(year, month - 1, date).getTime()))
    query.set("until", String(new Date(year, month - 1, date + 1).getTime()))
  }
  return query
}

/** Where all of what is chosen is downloaded from. */
export const exportPath = (filters: Filters): string => `/api/activity/export?${queryOf(filters)}`

/** The server's routes about what happened. Each throws ApiError. */
export const activityApi = {
  list: (filters: Filters, cursor: string | undefined, signal?: AbortSignal) => {
    const query = queryOf(filters)
    if (cursor !== undefined) query.set("cursor", cursor)
    return request<ActivityPage>("GET", `/api/activity?${query}`, undefined, signal)
  },
  verify: () =>
    request<{ readonly chains: number; readonly links: number }>("POST", "/api/activity/verify", {}),
  trace: ({ namespace, run }: Traced, signal?: AbortSignal) =>
    request<Trace>(
      "GET",
      `/api/sessions/${encodeURIComponent(namespace)}/runs/${encodeURIComponent(run)}/trace`,
      undefined,
      signal,
    ),
}
