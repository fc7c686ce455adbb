import type { FinishReason, ProviderErrorKind, Usage } from "@orra/core"

/** How one service writes an answer as server-sent events. Every method gives the frames to send, as text. */
export interface WireFormat {
  open(): string
  text(piece: string): string
  thinking(piece: string): string
  /** Ends a thinking block; only Anthropic signs. */
  signature(value: string): string
  redactedThinking(data: string): string
  callStart(id: string, name: string): string
  callArguments(piece: string): string
  close(finishReason: FinishReason, usage: Usage): string
  /** An error after the answer began. */
  error(kind: ProviderErrorKind, message: string): string
}

/** An error before the answer began: what the service itself would say. */
export interface WireError {
  readonly status: number
  readonly body: unknown
}

/** What makes the frames of one answer: made anew for each request, because blocks are numbered. */
export interface WireContext {
  readonly id: string
  readonly model: string
  readonly usage: Usage
  /** OpenAI sends its usage only when asked. */
  readonly includeUsage: boolean
}
