import type { ApprovalRule, PendingApproval, RunEvent, SessionInfo, UserPart, WhenBusy } from "@orra/core"

/** A message as clients send it: text, or parts with attachments. */
export type WireMessage = string | readonly UserPart[]

/** What a client sends over the WebSocket, one JSON object a frame. */
export type ClientFrame =
  /** Events of a session, from the entry after `after` (default: from now on). Again with another `after`: anew. */
  | { readonly type: "subscribe"; readonly namespace: string; readonly after?: number }
  | { readonly type: "unsubscribe"; readonly namespace: string }
  /** Changes of all the principal's sessions: what keeps a list of them current. */
  | { readonly type: "watch" }
  /** A message; without `namespace` it begins a new session. Answered by `ack` or `error` with the same `id`. */
  | {
      readonly type: "chat"
      readonly id: string
      readonly namespace?: string
      readonly message: WireMessage
      readonly model?: string
      readonly agent?: string
      readonly whenBusy?: WhenBusy
      readonly inputId?: string
    }
  | { readonly type: "stop"; readonly namespace: string }
  | { readonly type: "ping" }

/** What the server sends. Whatever concerns a session names it. */
export type ServerFrame =
  | { readonly type: "hello"; readonly principal: WirePrincipal; readonly version: string }
  /** `event.seq` is the cursor to come back with; notices have none. */
  | { readonly type: "event"; readonly namespace: string; readonly event: RunEvent }
  | ({ readonly type: "ack"; readonly id: string } & WireSubmission)
  | {
      readonly type: "error"
      readonly id?: string
      readonly namespace?: string
      readonly code: string
      readonly error: string
    }
  | { readonly type: "session"; readonly session: WireSession }
  | { readonly type: "session_deleted"; readonly namespace: string }
  /** How many calls wait in a session in which the principal only decides. */
  | { readonly type: "approvals"; readonly namespace: string; readonly waiting: number }
  | { readonly type: "pong" }

/** Who is logged in. Sessions live at or below `namespace`. */
export interface WirePrincipal {
  readonly name: string
  readonly namespace: string
  readonly permissions: readonly Permission[]
}

/** What waits for a decision, with its session's namespace written as a key. */
export type WireApproval = Omit<PendingApproval, "namespace"> & { readonly namespace: string }

/** What stands approved, with the namespace it is kept at written as a key. */
export type WireApprovalRule = Omit<ApprovalRule, "namespace"> & { readonly namespace: string }

/** A session's summary with its namespace written as a key. */
export type WireSession = Omit<SessionInfo, "namespace"> & {
  readonly namespace: string
  readonly running: boolean
}

/** What became of a message: `cursor` is the last entry before it. */
export interface WireSubmission {
  readonly namespace: string
  readonly inputId: string
  readonly status: "started" | "queued" | "duplicate"
  readonly runId?: string
  readonly cursor: number
}

/** The body of every answer that is not a success. `code` is stable; `error` says what to do. */
export interface WireError {
  readonly error: string
  readonly code: string
  readonly requestId: string
}

/**
 * What a principal may do: `chat` in its own sessions, choose another `model` than the configured one, `approve` calls that
 * policy asks about in its own sessions, read `metrics`, change settings as the `owner`, or what an application calls a `peer` may.
 */
export type Permission = "chat" | "model" | "approve" | "metrics" | "peer" | "owner"
