import { InvalidInput, isObject, parseJson } from "@orra/core"
import { HttpError } from "./errors.ts"

/** Most values in a body: a message has some dozens, and each of millions costs many times its bytes. */
const MAX_VALUES = 100_000

const [QUOTE, COMMA, BRACKET, BACKSLASH, BRACE] = [0x22, 0x2c, 0x5b, 0x5c, 0x7b]

/** @throws HttpError 415 for a content type that is not JSON: that is what a form of another site can send. */
export function assertJson(contentType: string | undefined): void {
  const type = contentType?.split(";")[0]?.trim().toLowerCase()
  if (type === undefined || type === "application/json") return
  throw new HttpError(415, "unsupported_media_type", 'Send JSON, with "content-type: application/json".')
}

/**
 * The JSON object in a request's body, read no further than `maxBytes`.
 *
 * @throws HttpError 415 for anything but JSON, 413 when it is too large, 400 when it did not arrive whole;
 *   InvalidInput when it is not a JSON object, or one of more values than anything here has.
 */
export async function readBody(
  request: Request,
  maxBytes: number,
): Promise<Readonly<Record<string, unknown>>> {
  assertJson(request.headers.get("content-type") ?? "none")
  const tooLarge = new HttpError(413, "too_large", `A body here has at most ${maxBytes} bytes.`)
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge
  const chunks: Uint8Array[] = []
  let bytes = 0
  try {
    for await (const chunk of request.body ?? []) {
      bytes += chunk.byteLength
      if (bytes > maxBytes) throw tooLarge
      chunks.push(chunk)
    }
  } catch (error) {
    if (error === tooLarge) throw error
    // Its sender has gone: nobody reads this answer, but the log should not speak of a failure of ours.
    throw new HttpError(400, "body_incomplete", "The body did not arrive as a whole.")
  }
  const body = Buffer.concat(chunks)
  if (!hasFewValues(body)) {
    throw new InvalidInput(`A body has at most ${MAX_VALUES} values, in lists and objects together.`)
  }
  try {
    const value = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(body))
    if (isObject(value)) return value
  } catch (error) {
    throw new InvalidInput(`The body is not JSON: ${error instanceof Error ? error.message : "unreadable"}`)
  }
  throw new InvalidInput("The body must be a JSON object.")
}

/** Counts what separates values in JSON, outside of strings, before anything is made of it. */
function hasFewValues(json: Uint8Array): boolean {
  let values = 0
  let inString = false
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]
    if (inString) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) inString = false
    } else if (byte === QUOTE) inString = true
    else if (byte === COMMA || byte === BRACKET || byte === BRACE) {
      values++
      if (values > MAX_VALUES) return false
    }
  }
  return true
}
