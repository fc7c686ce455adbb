import type { Json, JsonObject } from "./json.ts"

/**
 * Plain text. `phase` is what a model says its text is, where it says so: a remark on the way, or the answer. Models
 * that do want it back with the text.
 */
export interface TextPart {
  readonly type: "text"
  readonly text: string
  readonly phase?: "commentary" | "final_answer"
}

/** A picture, base64. `mediaType` is image/png, image/jpeg, image/gif or image/webp. */
export interface ImagePart {
  readonly type: "image"
  readonly mediaType: string
  readonly data: string
}

/** A document, base64. Providers take application/pdf and text/*; anything else is an invalid request there. */
export interface FilePart {
  readonly type: "file"
  readonly mediaType: string
  readonly name: string
  readonly data: string
}

/**
 * What the model thought before it answered. `signature` is the provider's proof that the text is its own; it
 * goes back only to `provider` (another provider is never sent a foreign one). `data` is the opaque form of
 * thinking that the provider does not show.
 */
export interface ThinkingPart {
  readonly type: "thinking"
  readonly text: string
  readonly provider: string
  readonly signature?: string
  readonly data?: string
}

/**
 * A call the model asks for. `arguments` is what it wrote, parsed. When that was not a JSON object, `arguments`
 * is empty and `invalid` keeps the raw text: such a call is answered with an error and never executed.
 */
export interface ToolCallPart {
  readonly type: "tool_call"
  readonly id: string
  readonly name: string
  readonly arguments: JsonObject
  readonly invalid?: string
}

/**
 * How a tool call ended.
 * - `ok`, `error`: the tool ran and said so.
 * - `denied`: policy or a hook refused it; nothing ran.
 * - `cancelled`: the run was stopped before or while it ran.
 * - `unknown`: the process died while it ran; whether its effect happened is not known.
 */
export type ToolStatus = "ok" | "error" | "denied" | "cancelled" | "unknown"

/** The answer to one tool call, as the model sees it. `structured` is for programs and screens, not the model. */
export interface ToolResultPart {
  readonly type: "tool_result"
  readonly callId: string
  readonly name: string
  readonly status: ToolStatus
  readonly content: readonly (TextPart | ImagePart)[]
  readonly structured?: Json
  /** Strangers wrote it, or something in it, although the tool is trusted otherwise. */
  readonly untrusted?: true
}

/**
 * Where a message came from. What is not trusted is data: it never becomes system text, and policy can see that
 * a run has read it.
 */
export interface Origin {
  readonly kind: "person" | "host" | "channel" | "schedule" | "agent" | "peer"
  /** Who, as a person would say it. */
  readonly name?: string
}

export type UserPart = TextPart | ImagePart | FilePart
export type AssistantPart = TextPart | ThinkingPart | ToolCallPart

export interface UserMessage {
  readonly role: "user"
  readonly parts: readonly UserPart[]
  readonly origin?: Origin
}

export interface AssistantMessage {
  readonly role: "assistant"
  readonly parts: readonly AssistantPart[]
  /** The provider and model that wrote it. */
  readonly provider?: string
  readonly model?: string
}

export interface ToolMessage {
  readonly role: "tool"
  readonly parts: readonly ToolResultPart[]
}

/** One message of a transcript. System text is not a message: it belongs to the request. */
export type Message = UserMessage | AssistantMessage | ToolMessage

/** A user message from text or parts. */
export const userMessage = (content: string | readonly UserPart[], origin?: Origin): UserMessage => ({
  role: "user",
  parts: typeof content === "string" ? [{ type: "text", text: content }] : content,
  ...(origin && { origin }),
})

/** The text of a message, its text parts joined. */
export function messageText(message: Message): string {
  let text = ""
  for (const part of message.parts) {
    if (part.type === "text") text += part.text
    else if (part.type === "tool_result")
      for (const piece of part.content) if (piece.type === "text") text += piece.text
  }
  return text
}

/** The calls an assistant message asks for. */
export const toolCalls = (message: AssistantMessage): readonly ToolCallPart[] =>
  message.parts.filter((part) => part.type === "tool_call")
