import type { UserPart } from "@orra/core"

/** An attachment as Discord describes it. */
export interface Attached {
  readonly name: string
  readonly contentType: string | null
  readonly size: number
  readonly url: string
}

const MAX_BYTES = 8_000_000
const MAX_FILES = 10
const TIMEOUT_MS = 20_000
const IMAGES: ReadonlySet<string> = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"])
const TEXT = /^(?:text\/|application\/(?:json|xml|yaml|toml|javascript)$)/

/**
 * What the model gets of files that came with a message: pictures, PDF and text as such, of all others that they were there.
 * They are only read from `host`.
 */
export async function partsOf(
  files: readonly Attached[],
  host: string,
  signal: AbortSignal,
): Promise<readonly UserPart[]> {
  return await Promise.all(files.slice(0, MAX_FILES).map((file) => partOf(file, host, signal)))
}

async function partOf(file: Attached, host: string, signal: AbortSignal): Promise<UserPart> {
  const mediaType = (file.contentType ?? "").split(";")[0]?.trim().toLowerCase() ?? ""
  const unread = (why: string): UserPart => ({
    type: "text",
    text: `[The file ${JSON.stringify(file.name)} ${why}]`,
  })
  const isImage = IMAGES.has(mediaType)
  if (!isImage && mediaType !== "application/pdf" && !TEXT.test(mediaType))
    return unread("is of a kind that cannot be read here.")
  if (file.size > MAX_BYTES) return unread(`is larger than ${MAX_BYTES / 1_000_000} MB and was not read.`)
  if (new URL(file.url).origin !== new URL(host).origin) return unread("is somewhere else and was not read.")
  try {
    const response = await fetch(file.url, {
      redirect: "error",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    const bytes = Buffer.from(await response.arrayBuffer())
    if (!response.ok || bytes.length > MAX_BYTES) return unread("could not be read.")
    const data = bytes.toString("base64")
    if (isImage) return { type: "image", mediaType, data }
    const type = mediaType === "application/pdf" ? mediaType : "text/plain"
    return { type: "file", mediaType: type, name: file.name, data }
  } catch (error) {
    if (signal.aborted) throw error
    return unread("could not be read.")
  }
}
