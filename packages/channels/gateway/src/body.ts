import { InvalidInput, isObject, parseJson } from "@orra/core"
import { HttpError } from "./errors.ts"

/**
 * The JSON object in a request's body, read no further than `maxBytes`.
 *
 * @throws HttpError 415 for anything but JSON (a form of another site can only send other types), 413 when it is too
 *   large; InvalidInput when it is not a JSON object.
 */
export async function readBody(
  request: Request,
  maxBytes: number,
): Promise<Readonly<Record<string, unknown>>> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase()
  if (type !== "application/json") {
    throw new HttpError(415, "unsupported_media_type", 'Send JSON, with "content-type: application/json".')
  }
  const tooLarge = new HttpError(413, "too_large", `A body here has at most ${maxBytes} bytes.`)
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of request.body ?? []) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw tooLarge
    chunks.push(chunk)
  }
  try {
    const value = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks)))
    if (isObject(value)) return value
  } catch (error) {
    throw new InvalidInput(`The body is not JSON: ${error instanceof Error ? error.message : "unreadable"}`)
  }
  throw new InvalidInput("The body must be a JSON object.")
}
