import type {
  ContentBlockParam,
  ImageBlockParam,
  MessageParam,
  TextBlockParam,
  ToolResultBlockParam,
} from "@anthropic-ai/sdk/resources/messages"
import type {
  AssistantMessage,
  FilePart,
  ImagePart,
  Message,
  ThinkingPart,
  ToolMessage,
  ToolResultPart,
  UserMessage,
} from "@orra/core"
import { acceptedToolName, callIdMapper, UnsupportedPart, wellFormed } from "@orra/provider-http"

/** The id under which thinking is stored and recognised as our own. */
export const PROVIDER_ID = "anthropic"

const MAX_CALL_ID = 64

/**
 * The transcript as Anthropic takes it: roles alternate, no message and no text is empty, ids are unique, and thinking
 * goes back only with its signature and only to the model that wrote it.
 *
 * @param model undefined: send back no thinking at all.
 */
export function toMessages(messages: readonly Message[], model: string | undefined): MessageParam[] {
  const ids = callIdMapper(MAX_CALL_ID)
  const result: { role: "user" | "assistant"; content: ContentBlockParam[] }[] = []
  for (const message of messages) {
    const role = message.role === "assistant" ? "assistant" : "user"
    const content = contentOf(message, model, ids)
    if (content.length === 0) continue
    const last = result.at(-1)
    if (last?.role === role) last.content.push(...content)
    else result.push({ role, content })
  }
  return result
}

type CallIds = ReturnType<typeof callIdMapper>

function contentOf(message: Message, model: string | undefined, ids: CallIds): ContentBlockParam[] {
  switch (message.role) {
    case "user":
      return userContent(message)
    case "assistant":
      return assistantContent(message, model, ids)
    case "tool":
      return toolContent(message, ids)
  }
}

const userContent = (message: UserMessage): ContentBlockParam[] =>
  message.parts.flatMap((part): ContentBlockParam[] => {
    if (part.type === "text") return textBlocks(part.text)
    return [part.type === "image" ? imageBlock(part) : documentBlock(part)]
  })

function assistantContent(
  message: AssistantMessage,
  model: string | undefined,
  ids: CallIds,
): ContentBlockParam[] {
  const ownThinking = model !== undefined && (message.model === undefined || message.model === model)
  return message.parts.flatMap((part) => {
    if (part.type === "text") return textBlocks(part.text)
    if (part.type === "thinking") return ownThinking ? thinkingBlocks(part) : []
    // The service takes only objects as input: of a call that was none the model sees its own text again.
    const input = part.invalid === undefined ? part.arguments : { invalid: part.invalid }
    return [
      {
        type: "tool_use",
        id: ids.call(part.id),
        name: acceptedToolName(part.name),
        input: wellFormed(input),
      },
    ]
  })
}

function thinkingBlocks({ provider, text, signature, data }: ThinkingPart): ContentBlockParam[] {
  if (provider !== PROVIDER_ID) return []
  if (data !== undefined) return [{ type: "redacted_thinking", data }]
  return signature === undefined ? [] : [{ type: "thinking", thinking: text, signature }]
}

const toolContent = (message: ToolMessage, ids: CallIds): ContentBlockParam[] =>
  message.parts.map((part) => toolResult(part, ids.result(part.callId)))

function toolResult(part: ToolResultPart, id: string): ToolResultBlockParam {
  const content = part.content.flatMap((piece): (TextBlockParam | ImageBlockParam)[] =>
    piece.type === "text" ? textBlocks(piece.text) : [imageBlock(piece)],
  )
  return {
    type: "tool_result",
    tool_use_id: id,
    ...(content.length > 0 && { content }),
    ...(part.status !== "ok" && { is_error: true }),
  }
}

/** Text of nothing but white space is refused. */
const textBlocks = (text: string): { type: "text"; text: string }[] =>
  text.trim() === "" ? [] : [{ type: "text", text: text.toWellFormed() }]

const IMAGE_TYPES = ["image/png", "image/jpeg", "image/gif", "image/webp"] as const
type ImageType = (typeof IMAGE_TYPES)[number]
const isImageType = (type: string): type is ImageType => IMAGE_TYPES.some((known) => known === type)

function imageBlock({ mediaType, data }: ImagePart) {
  if (!isImageType(mediaType)) {
    throw new UnsupportedPart(
      `Images of type ${mediaType} are not taken: convert it to PNG, JPEG, GIF or WebP.`,
    )
  }
  return { type: "image" as const, source: { type: "base64" as const, media_type: mediaType, data } }
}

function documentBlock({ mediaType, name, data }: FilePart): ContentBlockParam {
  const title = name.toWellFormed()
  if (mediaType === "application/pdf") {
    return { type: "document", title, source: { type: "base64", media_type: "application/pdf", data } }
  }
  if (mediaType.startsWith("text/")) {
    const text = new TextDecoder().decode(Uint8Array.from(atob(data), (char) => char.charCodeAt(0)))
    return { type: "document", title, source: { type: "text", media_type: "text/plain", data: text } }
  }
  throw new UnsupportedPart(`Files of type ${mediaType} are not taken: send "${name}" as PDF or text.`)
}
