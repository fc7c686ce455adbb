import type { History, RunEvent, SessionInfo, UserPart, WhenBusy } from "@orra/core"

/** A session's summary as it travels: the namespace is its key. */
export type SessionSummary = Omit<SessionInfo, "namespace"> & { readonly namespace: string }

/** A window of a transcript as it travels. */
export type HistoryPage = Omit<History, "info"> & { readonly info: SessionSummary }

/** Who is logged in. Sessions live below `namespace`. */
export interface Me {
  readonly name: string
  readonly namespace: string
  readonly permissions: readonly ("chat" | "model" | "approve" | "owner")[]
}

export interface Models {
  readonly default: string
  readonly models: readonly { readonly id: string; readonly name?: string }[]
}

export interface Settings {
  readonly version: string
  readonly assistant: { readonly name: string }
  readonly provider: {
    readonly configured: boolean
    readonly auth_source: string
    readonly source_label: string
    readonly provider_type: "claude" | "openai"
    readonly model: string
    readonly api_url: string | null
    readonly has_saved: boolean
    /** The configuration file that decides about the service, if one does. */
    readonly decided_by: string | null
    readonly notices: readonly string[]
  }
}

export interface ProviderForm {
  readonly provider_type: "claude" | "openai"
  readonly api_key?: string
  readonly model?: string
  readonly api_url?: string
}

export interface Outgoing {
  readonly message: string | readonly UserPart[]
  readonly model?: string
  readonly agent?: string
  readonly whenBusy?: WhenBusy
  readonly inputId: string
}

/** What somebody decides about a call. */
export type Decision =
  | {
      readonly decision: "approve"
      readonly remember?: "arguments" | "tool"
      /** Where it is remembered, as the key of a namespace. */
      readonly scope?: string
    }
  | { readonly decision: "deny"; readonly note?: string }

/** What the server sends over the socket. */
export type ServerFrame =
  | { readonly type: "hello"; readonly principal: Me; readonly version: string }
  | { readonly type: "event"; readonly namespace: string; readonly event: RunEvent }
  | { readonly type: "session"; readonly session: SessionSummary }
  | { readonly type: "session_deleted"; readonly namespace: string }
  | { readonly type: "approvals"; readonly namespace: string; readonly waiting: number }
  | {
      readonly type: "error"
      readonly namespace?: string
      readonly code: string
      readonly error: string
    }
  | { readonly type: "pong" }

/** One message that was found. */
export interface MessageHit {
  readonly seq: number
  readonly at: number
  readonly role: "user" | "assistant"
  readonly snippet: { readonly before: string; readonly match: string; readonly after: string }
}

/** A chat in which something was said, with the newest message that says it. */
export interface ChatHit {
  readonly namespace: string
  readonly title: string
  readonly count: number
  readonly hit: MessageHit
}

/** What a chat took: USD, calls without a known price, and tokens of the model's window. */
export interface ChatUsage {
  readonly usd: number
  readonly unpriced: number
  readonly context: {
    readonly used?: number
    readonly available: number
    readonly user: number
    readonly assistant: number
    readonly tools: number
  }
}

/** What a message can speak of by its name: a path in the chat's folder, or a document's id. */
export interface Mentioned {
  readonly type: "file" | "document"
  readonly name: string
  readonly title?: string
}
