import type { CallToolResult, ContentBlock, ReadResourceResult } from "@modelcontextprotocol/client"
import {
  codePoints,
  type ImagePart,
  isObject,
  type Json,
  type TextPart,
  type ToolOutput,
  truncated,
  visibleText,
} from "@orra/core"

/** Characters of a result that are shown to the model. */
const MAX_TEXT = 100_000

/** What a server's tool answered, for the model. */
export function outputOf(result: CallToolResult): ToolOutput {
  const content = result.content.map(partOf)
  const structured = result.structuredContent as Json | undefined
  const isMissing = content.length === 0 && structured !== undefined
  return {
    content: within(isMissing ? [text(JSON.stringify(structured))] : content),
    ...(structured !== undefined && { structured }),
    ...(result.isError && { isError: true }),
  }
}

/** What a resource holds. */
export const resourceOutput = ({ contents }: ReadResourceResult): ToolOutput => ({
  content: within(
    contents.map((each) => {
      if ("text" in each) return text(each.text)
      const image = imageOf(each.blob, each.mimeType)
      return (
        image ??
        text(`[${each.uri}: ${each.mimeType ?? "binary data"}, ${each.blob.length} characters of base64]`)
      )
    }),
  ),
})

/** A list of what is offered, as JSON. */
export const listOutput = (list: unknown): ToolOutput => ({ content: within([text(JSON.stringify(list))]) })

/** A block of content, for a model; what it cannot be shown is named. */
export function partOf(block: ContentBlock): TextPart | ImagePart {
  switch (block.type) {
    case "text":
      return text(block.text)
    case "image":
      return imageOf(block.data, block.mimeType) ?? text(`[an image of type ${block.mimeType}]`)
    case "audio":
      return text(`[a sound of type ${block.mimeType}]`)
    case "resource_link":
      return text(`[resource ${block.uri}${block.title ? `: ${block.title}` : ""}]`)
    case "resource": {
      const { resource } = block
      return text(
        "text" in resource ? `[resource ${resource.uri}]\n${resource.text}` : `[resource ${resource.uri}]`,
      )
    }
    default:
      return text(`[${isObject(block) ? String(block["type"]) : "something"} that cannot be shown]`)
  }
}

const text = (value: string): TextPart => ({ type: "text", text: visibleText(value) })

const IMAGES: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"])

const imageOf = (data: string, mediaType: string | undefined): ImagePart | undefined =>
  mediaType !== undefined && IMAGES.has(mediaType) ? { type: "image", mediaType, data } : undefined

/** All parts, with at most so much text together. */
function within(parts: readonly (TextPart | ImagePart)[]): readonly (TextPart | ImagePart)[] {
  let left = MAX_TEXT
  return parts.flatMap((part): readonly (TextPart | ImagePart)[] => {
    if (part.type !== "text") return [part]
    const length = codePoints(part.text)
    const shown = left
    left = Math.max(0, left - length)
    return shown === 0 && length > 0 ? [] : [text(truncated(part.text, length, shown))]
  })
}
