import type {
  AssistantMessage,
  FilePart,
  ImagePart,
  Message,
  TextPart,
  ThinkingPart,
  ToolResultPart,
} from "@orra/core"
import { acceptedToolName, callIdMapper, UnsupportedPart, wellFormed } from "@orra/provider-http"
import type {
  ResponseFunctionCallOutputItem,
  ResponseInputContent,
  ResponseInputItem,
  ResponseReasoningItem,
} from "openai/resources/responses/responses"

const MAX_CALL_ID = 64
const IMAGE_TYPES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"])

/** Who is asked: only what this model of this provider thought goes back to it. */
export interface Thinker {
  readonly provider: string
  readonly model: string
}

/**
 * The transcript as the items that Responses takes. Nothing is stored at the service, so no item carries an id of
 * its own: the service would look for its neighbours, and refuse the session for ever when one is gone.
 *
 * @param thinker undefined: send back no thinking at all.
 */
export function toInput(messages: readonly Message[], thinker: Thinker | undefined): ResponseInputItem[] {
  const ids = callIdMapper(MAX_CALL_ID)
  return messages.flatMap((message) => itemsOf(message, thinker, ids))
}

type CallIds = ReturnType<typeof callIdMapper>

function itemsOf(message: Message, thinker: Thinker | undefined, ids: CallIds): ResponseInputItem[] {
  switch (message.role) {
    case "user": {
      const content = message.parts.flatMap(inputContent)
      return content.length === 0 ? [] : [{ role: "user", content }]
    }
    case "assistant":
      return assistantItems(message, thinker, ids)
    case "tool":
      return message.parts.map((part) => ({
        type: "function_call_output",
        call_id: ids.result(part.callId),
        output: outputOf(part),
      }))
  }
}

/** Thinking stands directly before what it led to; that which led to nothing is refused, and left out. */
function assistantItems(
  message: AssistantMessage,
  thinker: Thinker | undefined,
  ids: CallIds,
): ResponseInputItem[] {
  const items: ResponseInputItem[] = []
  let thought: ResponseInputItem[] = []
  const own = thinker !== undefined && isBy(message, thinker)
  const add = (item: ResponseInputItem): void => {
    items.push(...thought, item)
    thought = []
  }
  for (const part of message.parts) {
    switch (part.type) {
      case "text":
        if (part.text.trim() !== "")
          add({ role: "assistant", content: part.text.toWellFormed(), ...(own && phaseOf(part)) })
        break
      case "thinking":
        if (own && part.provider === thinker.provider) thought.push(...reasoningItems(part))
        break
      case "tool_call": {
        // The model sees its own words again when they were no JSON object.
        const input = part.invalid === undefined ? part.arguments : { invalid: part.invalid }
        add({
          type: "function_call",
          call_id: ids.call(part.id),
          name: acceptedToolName(part.name),
          arguments: JSON.stringify(wellFormed(input)),
        })
      }
    }
  }
  return items
}

const isBy = ({ provider, model }: AssistantMessage, thinker: Thinker): boolean =>
  (provider === undefined || provider === thinker.provider) &&
  (model === undefined || model === thinker.model)

const phaseOf = ({ phase }: TextPart) => (phase === undefined ? {} : { phase })

function reasoningItems({ text, signature, data }: ThinkingPart): ResponseInputItem[] {
  const sealed = signature ?? data
  if (sealed === undefined) return []
  // The type asks for an id, which only stored items need.
  const item = {
    type: "reasoning",
    summary: text === "" ? [] : [{ type: "summary_text", text: text.toWellFormed() }],
    encrypted_content: sealed,
  } as ResponseReasoningItem
  return [item]
}

function inputContent(part: TextPart | ImagePart | FilePart): ResponseInputContent[] {
  switch (part.type) {
    case "text":
      return part.text.trim() === "" ? [] : [{ type: "input_text", text: part.text.toWellFormed() }]
    case "image":
      return [imageContent(part)]
    case "file":
      return [fileContent(part)]
  }
}

function imageContent({ mediaType, data }: ImagePart) {
  if (!IMAGE_TYPES.has(mediaType)) {
    throw new UnsupportedPart(
      `Images of type ${mediaType} are not taken: convert it to PNG, JPEG, GIF or WebP.`,
    )
  }
  const image_url = `data:${mediaType};base64,${data}`
  return { type: "input_image" as const, detail: "auto" as const, image_url }
}

function fileContent({ mediaType, name, data }: FilePart): ResponseInputContent {
  const filename = name.toWellFormed()
  if (mediaType === "application/pdf") {
    return { type: "input_file", filename, file_data: `data:${mediaType};base64,${data}` }
  }
  if (mediaType.startsWith("text/")) {
    const text = new TextDecoder().decode(Uint8Array.from(atob(data), (char) => char.charCodeAt(0)))
    return { type: "input_text", text: `File "${filename}":\n${text}` }
  }
  throw new UnsupportedPart(`Files of type ${mediaType} are not taken: send "${name}" as PDF or text.`)
}

/** One text, as every server takes it; parts only where there is a picture to see. */
function outputOf({ status, content }: ToolResultPart): string | ResponseFunctionCallOutputItem[] {
  const text = content
    .map((piece) => (piece.type === "text" ? piece.text : ""))
    .join("\n")
    .trim()
  const said = (status === "ok" ? text || "(no output)" : `Error: ${text || status}`).toWellFormed()
  const images = content.filter((piece) => piece.type === "image").map(imageContent)
  if (images.length === 0) return said
  return [...(text === "" && status === "ok" ? [] : [{ type: "input_text" as const, text: said }]), ...images]
}
