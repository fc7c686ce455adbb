import { request } from "../api/http.ts"

/** As the server has it: see docs/herald/api.md. */
export type Schedule =
  | { readonly type: "at"; readonly datetime: string; readonly timezone?: string }
  | { readonly type: "every"; readonly interval_ms: number }
  | { readonly type: "cron"; readonly expression: string; readonly timezone?: string }

export type Payload =
  | { readonly type: "agent_turn"; readonly prompt: string }
  | { readonly type: "system_event"; readonly message: string }

export type Place =
  | { readonly type: "own" }
  | { readonly type: "chat"; readonly namespace: string }
  | { readonly type: "channel"; readonly id: string }

export interface JobRun {
  readonly id: string
  readonly due: string
  readonly started_at: string
  readonly finished_at: string
  readonly outcome: "completed" | "stopped" | "failed" | "interrupted" | "max_turns" | "missed" | "refused"
  readonly error: { readonly message: string } | null
  readonly session: string | null
  readonly cost: number | null
  readonly text: string
  readonly delivery: {
    readonly state: "none" | "pending" | "delivered" | "failed" | "dead"
    readonly attempts?: number
    readonly error?: string
  }
}

export interface Job {
  readonly id: string
  readonly name: string
  readonly schedule: Schedule
  readonly words: string
  readonly payload: Payload
  readonly to: Place
  readonly delivery: "announce" | "silent"
  readonly status: "active" | "paused" | "completed"
  readonly next_run?: string
  readonly run_count: number
  readonly running: number
  readonly paused_because?: { readonly code: string; readonly message: string }
  readonly agent?: string
  readonly model?: string
  readonly max_turns?: number
  readonly lightweight?: boolean
  readonly cooldown_secs?: number
  readonly max_concurrent?: number
  readonly missed?: "once" | "all" | "skip"
  readonly from_file: boolean
  readonly last: JobRun | null
}

export interface Schedules {
  readonly timezone: string
  readonly cheap_model: string | null
  readonly jobs: readonly Job[]
}

/** When, as the form says it: in words, or by fields. */
export type When = { readonly timezone: string } & (
  | { readonly when: string }
  | { readonly schedule: Schedule }
)

export interface Preview {
  readonly schedule: Schedule
  readonly words: string
  readonly times: readonly string[]
}

export interface Channel {
  readonly id: string
  readonly name: string
  readonly guild: string
}

const job = (id: string): string => `/api/schedules/${encodeURIComponent(id)}`

/** The server's routes about jobs. Each throws ApiError. */
export const schedulesApi = {
  list: (signal?: AbortSignal) => request<Schedules>("GET", "/api/schedules", undefined, signal),
  preview: (when: When, signal?: AbortSignal) =>
    request<Preview>("POST", "/api/schedules/preview", when, signal),
  channels: (signal?: AbortSignal) =>
    request<{ readonly channels: readonly Channel[] }>("GET", "/api/schedules/channels", undefined, signal),
  create: (body: object) => request<Job>("POST", "/api/schedules", body),
  change: (id: string, body: object) => request<Job>("PATCH", job(id), body),
  remove: (id: string) => request<unknown>("DELETE", job(id)),
  act: (id: string, action: "pause" | "resume" | "run" | "restore") =>
    request<Job>("POST", `${job(id)}/${action}`, {}),
  runs: (id: string, cursor: string | undefined, signal?: AbortSignal) =>
    request<{ readonly runs: readonly JobRun[]; readonly cursor?: string }>(
      "GET",
      `${job(id)}/runs${cursor === undefined ? "" : `?cursor=${encodeURIComponent(cursor)}`}`,
      undefined,
      signal,
    ),
}
