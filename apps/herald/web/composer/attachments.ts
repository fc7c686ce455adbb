import { type Attached, sizeOf } from "../chat/parts.ts"
import { formatBytes, formatNumber, t } from "../i18n/index.ts"

const IMAGES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"])
/** Endings whose files are text, whatever the browser calls them. */
const TEXT =
  /\.(?:txt|md|markdown|csv|tsv|json|jsonl|xml|html?|css|js|mjs|ts|tsx|jsx|py|rb|rs|go|java|kt|c|h|cpp|hpp|cs|php|sh|toml|ya?ml|ini|conf|log|sql|tex|lua|swift|diff|patch|vue|svelte)$/i

const MAX_FILE_BYTES = 8 * 1_048_576
/** The server takes 28 MiB of JSON; base64 adds a third. */
const MAX_TOTAL_BYTES = 18 * 1_048_576
const MAX_ATTACHMENTS = 10
/** Pasted text longer than this becomes an attachment, in characters. */
export const LONG_PASTE = 8_000

export const ACCEPT =
  "image/png,image/jpeg,image/gif,image/webp,application/pdf,text/*,.md,.json,.toml,.yaml,.yml,.log"

/** A file as a part of a message. @throws Error with a text for the person, before anything is sent. */
async function attachFile(file: File): Promise<Attached> {
  const isImage = IMAGES.has(file.type)
  const mediaType = isImage || file.type === "application/pdf" ? file.type : textType(file)
  if (mediaType === undefined) throw new Error(t.composer.wrongType(file.name))
  if (file.size > MAX_FILE_BYTES) throw new Error(t.composer.tooLarge(file.name, formatBytes(MAX_FILE_BYTES)))
  let data: string
  try {
    data = toBase64(new Uint8Array(await file.arrayBuffer()))
  } catch {
    throw new Error(t.composer.unreadable(file.name))
  }
  return isImage
    ? { type: "image", mediaType, data }
    : { type: "file", mediaType, name: file.name || "file", data }
}

function textType({ type, name }: File): string | undefined {
  if (type.startsWith("text/")) return type
  return TEXT.test(name) || type === "application/json" ? "text/plain" : undefined
}

/** Pasted text that is too long for the field, as a file like any other. */
export const textFile = (text: string): File =>
  new File([text.toWellFormed()], `${t.composer.pasted(formatNumber(text.length))}.txt`, {
    type: "text/plain",
  })

/** The file as a part of a message, or why it cannot be one. */
export const readFile = (file: File): Promise<Attached | string> =>
  attachFile(file).catch((error: unknown) =>
    error instanceof Error ? error.message : t.composer.unreadable(file.name),
  )

/** Why a message with these attachments cannot take another. */
export function tooMuch(attachments: readonly Attached[], part: Attached): string | undefined {
  if (attachments.length >= MAX_ATTACHMENTS) return t.composer.tooMany(MAX_ATTACHMENTS)
  const total = [...attachments, part].reduce((sum, one) => sum + sizeOf(one), 0)
  return total > MAX_TOTAL_BYTES ? t.composer.totalTooLarge(formatBytes(MAX_TOTAL_BYTES)) : undefined
}

function toBase64(bytes: Uint8Array): string {
  let binary = ""
  for (let at = 0; at < bytes.length; at += 32_768) {
    binary += String.fromCharCode(...bytes.subarray(at, at + 32_768))
  }
  return btoa(binary)
}
