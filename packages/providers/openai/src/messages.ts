import type { AssistantMessage, FilePart, ImagePart, Message, ToolMessage, UserPart } from "@orra/core"
import { acceptedToolName, callIdMapper, UnsupportedPart, wellFormed } from "@orra/provider-http"
import type {
  ChatCompletionAssistantMessageParam,
  ChatCompletionContentPart,
  ChatCompletionMessageParam,
  ChatCompletionToolMessageParam,
} from "openai/resources/chat/completions"

const MAX_CALL_ID = 40
const DATA_TYPES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"])

/**
 * The transcript as Chat Completions takes it: results directly after their calls, each as text; what a tool shows
 * in pictures follows as a user's message, because a result can only be text. Thinking stays here: this protocol
 * has no place for it.
 */
export function toMessages(messages: readonly Message[], system?: string): ChatCompletionMessageParam[] {
  const ids = callIdMapper(MAX_CALL_ID)
  const result: ChatCompletionMessageParam[] = []
  if (system?.trim()) result.push({ role: "system", content: system.toWellFormed() })
  for (const message of messages) {
    switch (message.role) {
      case "user":
        pushUser(result, message.parts.flatMap(contentParts))
        break
      case "assistant": {
        const said = assistantMessage(message, ids)
        if (said) result.push(said)
        break
      }
      case "tool":
        result.push(...toolMessages(message, ids))
        pushUser(result, imagesOf(message))
    }
  }
  return result
}

type CallIds = ReturnType<typeof callIdMapper>

/** Adds to the user's message before it, if there is one: some servers insist that roles alternate. */
function pushUser(messages: ChatCompletionMessageParam[], parts: ChatCompletionContentPart[]): void {
  if (parts.length === 0) return
  const last = messages.at(-1)
  if (last?.role !== "user") messages.push({ role: "user", content: plain(parts) })
  else last.content = plain([...partsOf(last.content), ...parts])
}

const partsOf = (content: string | ChatCompletionContentPart[]): ChatCompletionContentPart[] =>
  typeof content === "string" ? [{ type: "text", text: content }] : content

/** One text goes as a string: servers exist that know nothing else. */
const plain = (parts: ChatCompletionContentPart[]): string | ChatCompletionContentPart[] => {
  const [only, ...others] = parts
  return only?.type === "text" && others.length === 0 ? only.text : parts
}

function contentParts(part: UserPart): ChatCompletionContentPart[] {
  switch (part.type) {
    case "text":
      return part.text.trim() === "" ? [] : [{ type: "text", text: part.text.toWellFormed() }]
    case "image":
      return [imagePart(part)]
    case "file":
      return [filePart(part)]
  }
}

function imagePart({ mediaType, data }: ImagePart): ChatCompletionContentPart {
  if (!DATA_TYPES.has(mediaType)) {
    throw new UnsupportedPart(
      `Images of type ${mediaType} are not taken: convert it to PNG, JPEG, GIF or WebP.`,
    )
  }
  return { type: "image_url", image_url: { url: `data:${mediaType};base64,${data}` } }
}

function filePart({ mediaType, name, data }: FilePart): ChatCompletionContentPart {
  const filename = name.toWellFormed()
  if (mediaType === "application/pdf") {
    return { type: "file", file: { filename, file_data: `data:${mediaType};base64,${data}` } }
  }
  if (mediaType.startsWith("text/")) {
    const text = new TextDecoder().decode(Uint8Array.from(atob(data), (char) => char.charCodeAt(0)))
    return { type: "text", text: `File "${filename}":\n${text}` }
  }
  throw new UnsupportedPart(`Files of type ${mediaType} are not taken: send "${name}" as PDF or text.`)
}

function assistantMessage(
  message: AssistantMessage,
  ids: CallIds,
): ChatCompletionAssistantMessageParam | undefined {
  let content = ""
  const calls: NonNullable<ChatCompletionAssistantMessageParam["tool_calls"]> = []
  for (const part of message.parts) {
    if (part.type === "text") content += part.text.toWellFormed()
    if (part.type !== "tool_call") continue
    // Servers parse this text: of a call that was no JSON object the model sees its own words as a value.
    const input = part.invalid === undefined ? part.arguments : { invalid: part.invalid }
    const call = { name: acceptedToolName(part.name), arguments: JSON.stringify(wellFormed(input)) }
    calls.push({ id: ids.call(part.id), type: "function", function: call })
  }
  if (content.trim() === "" && calls.length === 0) return undefined
  return { role: "assistant", content: content || null, ...(calls.length > 0 && { tool_calls: calls }) }
}

const toolMessages = (message: ToolMessage, ids: CallIds): ChatCompletionToolMessageParam[] =>
  message.parts.map(({ callId, status, content }) => {
    const text = content
      .map((piece) => (piece.type === "text" ? piece.text : "[image: see below]"))
      .join("\n")
    return {
      role: "tool",
      tool_call_id: ids.result(callId),
      content: (status === "ok" ? text || "(no output)" : `Error: ${text || status}`).toWellFormed(),
    }
  })

const imagesOf = (message: ToolMessage): ChatCompletionContentPart[] =>
  message.parts.flatMap(({ name, content }) => {
    const images = content.filter((piece) => piece.type === "image").map(imagePart)
    return images.length === 0
      ? []
      : [{ type: "text" as const, text: `Output of the tool ${name}:` }, ...images]
  })
