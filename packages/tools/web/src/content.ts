import { WebError } from "./errors.ts"

/** What a body is to a reader. `binary` is everything that is not text. */
export type ContentKind = "html" | "text" | "binary"

/** The `Content-Type` header, taken apart (RFC 9110, section 8.3). */
export interface ContentType {
  /** Lower-case, such as "text/html"; empty when the server does not say. */
  readonly type: string
  /** As the server writes it, or undefined. */
  readonly charset: string | undefined
}

export function contentType(header: string | undefined): ContentType {
  const [type = "", ...parameters] = (header ?? "").split(";")
  const charset = parameters
    .map((parameter) => /^\s*charset\s*=\s*"?([^"\s]+)"?\s*$/i.exec(parameter)?.[1])
    .find((value) => value !== undefined)
  return { type: type.trim().toLowerCase(), charset }
}

const TEXT_TYPES: ReadonlySet<string> = new Set([
  "application/ecmascript",
  "application/graphql",
  "application/javascript",
  "application/json",
  "application/jsonlines",
  "application/ld+json",
  "application/ndjson",
  "application/rtf",
  "application/sql",
  "application/toml",
  "application/x-httpd-php",
  "application/x-javascript",
  "application/x-ndjson",
  "application/x-sh",
  "application/x-yaml",
  "application/xml",
  "application/xml-dtd",
  "application/yaml",
])

/** By its type alone; undefined when only the bytes can tell. */
export function kindOfType(type: string): ContentKind | undefined {
  if (type === "") return undefined
  if (type === "text/html" || type === "application/xhtml+xml") return "html"
  if (type.startsWith("text/") || TEXT_TYPES.has(type) || /\+(?:json|xml|yaml)$/.test(type)) return "text"
  return "binary"
}

/** By its first bytes, when the server does not say. Source: WHATWG MIME Sniffing, section 7.1, in short. */
export function kindOfBytes(bytes: Uint8Array): ContentKind {
  const start = bytes.subarray(0, 1_445)
  if (bomCharset(start)) return "text"
  if (start.some((byte) => byte < 0x09 || (byte > 0x0d && byte < 0x20 && byte !== 0x1b))) return "binary"
  const text = Buffer.from(start).toString("latin1")
  return /^\s*(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body|title|script|div|p|h1|table)[\s>]/is.test(
    text,
  )
    ? "html"
    : "text"
}

function bomCharset(bytes: Uint8Array): string | undefined {
  const [a, b, c] = bytes
  if (a === 0xef && b === 0xbb && c === 0xbf) return "utf-8"
  if (a === 0xfe && b === 0xff) return "utf-16be"
  if (a === 0xff && b === 0xfe) return "utf-16le"
  return undefined
}

/**
 * The text of a body. The charset is taken from the byte order mark, the header, or the page itself; without any,
 * UTF-8, and what is not UTF-8 is windows-1252. Source: WHATWG HTML, 13.2.3.
 *
 * @param complete False when the body was cut: a character may be cut in the middle.
 * @throws WebError (`content_invalid`) when the charset named is not known.
 */
export function decodeText(
  bytes: Uint8Array,
  { kind, charset, complete }: { kind: ContentKind; charset: string | undefined; complete: boolean },
): string {
  const named = bomCharset(bytes) ?? charset ?? (kind === "html" ? metaCharset(bytes) : undefined)
  if (named !== undefined) return decoder(named).decode(bytes, { stream: !complete })
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: !complete })
  } catch {
    return new TextDecoder("windows-1252").decode(bytes)
  }
}

function decoder(charset: string): InstanceType<typeof TextDecoder> {
  try {
    return new TextDecoder(charset)
  } catch (error) {
    throw new WebError(
      "content_invalid",
      `The page is in a charset that is not known (${JSON.stringify(charset.slice(0, 40)).toWellFormed()}). Try another source.`,
      { charset: charset.slice(0, 40) },
      error,
    )
  }
}

function metaCharset(bytes: Uint8Array): string | undefined {
  const text = Buffer.from(bytes.subarray(0, 1_024))
    .toString("latin1")
    .replace(/<!--.*?(?:-->|$)/gs, "")
  for (const [tag] of text.matchAll(/<meta\s[^>]*>/gi)) {
    const charset = /\bcharset\s*=\s*["']?\s*([^\s"'/>;]+)/i.exec(tag)?.[1]
    if (!charset) continue
    // A page that could be read this far is not in UTF-16, whatever it says.
    return /^utf-?16/i.test(charset) ? "utf-8" : charset
  }
  return undefined
}
