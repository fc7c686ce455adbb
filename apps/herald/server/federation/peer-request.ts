import { isObject, parseJson } from "@orra/core"
import type { Peer } from "./peers.ts"

/** A peer that can be asked. */
export type Reachable = Peer & { readonly url: string }

const MAX_BYTES = 4_000_000

/** Asks another Herald for something, as this one. */
export const requestPeer = (
  { url, shows }: Reachable,
  path: string,
  { body, signal }: { readonly body?: unknown; readonly signal: AbortSignal },
): Promise<Response> =>
  fetch(`${url}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${shows}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    // A redirect would show the key to somebody else.
    redirect: "error",
    signal,
  })

/** What it answered, read so far as it may go; undefined where that is no JSON. @throws Error when it is too long. */
export async function answerOf(response: Response): Promise<unknown> {
  const decoder = new TextDecoder()
  let text = ""
  for await (const bytes of response.body ?? []) {
    text += decoder.decode(bytes, { stream: true })
    if (text.length > MAX_BYTES) throw new Error("The answer is too long.")
  }
  try {
    return parseJson(text)
  } catch {
    return undefined
  }
}

/** What it says of a refusal. */
export const reasonIn = (said: unknown): string | undefined =>
  isObject(said) && typeof said["error"] === "string" ? said["error"].slice(0, 500) : undefined

export const unknownTo = ({ name }: Reachable): string =>
  `${name} does not know this Herald: the names and the secret must be the same on both sides.`
