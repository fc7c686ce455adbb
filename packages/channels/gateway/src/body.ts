import { InvalidInput, isObject, parseJson } from "@orra/core"
import { HttpError } from "./errors.ts"

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
 *   InvalidInput when it is not a JSON object.
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
  try {
    const value = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)))
    if (isObject(value)) return value
  } catch (error) {
    throw new InvalidInput(`The body is not JSON: ${error instanceof Error ? error.message : "unreadable"}`)
  }
  throw new InvalidInput("The body must be a JSON object.")
}
