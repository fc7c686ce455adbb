import { InvalidInput, isObject, Namespace, type RunOptions, type UserPart, type WhenBusy } from "@orra/core"
import { HttpError, notFound } from "./errors.ts"
import type { GatewayTeam } from "./gateway.ts"
import type { Principal } from "./principal.ts"
import type { WireMessage } from "./protocol.ts"

/** The namespace of one of the principal's sessions; anything else answers as one that does not exist. */
export const ownNamespace = (principal: Principal, key: unknown): Namespace =>
  namespaceIn([principal.namespace], key)

/** A namespace at or below one of these. @throws HttpError 404 */
export function namespaceIn(places: readonly Namespace[], key: unknown): Namespace {
  if (typeof key !== "string") throw notFound()
  let namespace: Namespace
  try {
    namespace = Namespace.parse(key)
  } catch {
    throw notFound()
  }
  if (!places.some((place) => place.contains(namespace))) throw notFound()
  return namespace
}

const WHEN_BUSY: readonly WhenBusy[] = ["queue", "steer", "interrupt", "reject"]
const IMAGES = ["image/png", "image/jpeg", "image/gif", "image/webp"]
const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/
const FILES = /^(application\/pdf|text\/[\w.+-]{1,64})$/
const MAX_PARTS = 32
const MAX_NAME = 255

/** A message from the outside. @throws InvalidInput with what is wrong. */
export function parseMessage(value: unknown): WireMessage {
  if (typeof value === "string") return value
  if (!Array.isArray(value)) throw new InvalidInput('"message" must be text or a list of parts.')
  if (value.length > MAX_PARTS) throw new InvalidInput(`A message has at most ${MAX_PARTS} parts.`)
  return value.map(parsePart)
}

function parsePart(part: unknown): UserPart {
  if (!isObject(part)) throw new InvalidInput("Each part of a message must be an object.")
  const { type, text, mediaType, data, name } = part
  if (type === "text" && typeof text === "string") return { type, text }
  if (typeof mediaType !== "string" || typeof data !== "string" || !isBase64(data)) {
    throw new InvalidInput(
      'A part is {type: "text", text}, or an "image" or "file" with mediaType and base64 data, not empty.',
    )
  }
  if (type === "image" && IMAGES.includes(mediaType)) return { type, mediaType, data }
  if (type === "image") throw new InvalidInput(`Images are ${IMAGES.join(", ")}.`)
  if (type !== "file") throw new InvalidInput('The "type" of a part is text, image or file.')
  if (!FILES.test(mediaType))
    throw new InvalidInput("Files are application/pdf or text/...: convert this one.")
  if (typeof name !== "string" || name === "") throw new InvalidInput('A file needs a "name".')
  return { type, mediaType, name: [...name].slice(0, MAX_NAME).join("").toWellFormed(), data }
}

/** Something, and nothing but base64: what a service cannot read it refuses with every later message as well. */
const isBase64 = (data: string): boolean => data !== "" && data.length % 4 === 0 && BASE64.test(data)

/** The options of a message that its sender may choose. @throws HttpError when they may not choose the model. */
export function parseRunOptions(
  { principal, team }: { readonly principal: Principal; readonly team: GatewayTeam },
  body: Readonly<Record<string, unknown>>,
  message?: WireMessage,
): Pick<RunOptions, "agent" | "model" | "whenBusy" | "inputId"> {
  const { model, whenBusy, inputId } = body
  const agent = agentOf(team, body["agent"], message)
  if (model !== undefined && model !== null) {
    if (typeof model !== "string" || model === "" || model.length > 200)
      throw new InvalidInput('"model" must be the name of a model.')
    if (!principal.permissions.includes("model")) {
      throw new HttpError(403, "model_not_allowed", "This key may not choose the model: leave it out.")
    }
  }
  if (whenBusy !== undefined && !WHEN_BUSY.includes(whenBusy as WhenBusy)) {
    throw new InvalidInput(`"whenBusy" must be one of ${WHEN_BUSY.join(", ")}.`)
  }
  if (inputId !== undefined && (typeof inputId !== "string" || !/^[\w-]{1,64}$/.test(inputId))) {
    throw new InvalidInput('"inputId" must be 1 to 64 letters, digits, "_" or "-".')
  }
  // The run that goes on is another agent's: what is for this one waits for its end.
  const mode = agent !== undefined && whenBusy === "steer" ? "queue" : whenBusy
  return {
    ...(agent !== undefined && { agent }),
    ...(typeof model === "string" && { model }),
    ...(mode !== undefined && { whenBusy: mode as WhenBusy }),
    ...(inputId !== undefined && { inputId }),
  }
}

/** @throws InvalidInput where no agent can be chosen, and what the team throws. */
function agentOf(team: GatewayTeam, asked: unknown, message: WireMessage | undefined): string | undefined {
  if (asked === undefined || asked === null) return team.agentFor?.(message, undefined)
  if (typeof asked !== "string") throw new InvalidInput('"agent" must be the name of an agent.')
  if (!team.agentFor) throw new InvalidInput('There are no agents to choose from: leave "agent" out.')
  return team.agentFor(message, asked)
}

/** The number of an entry. */
export function parseSeq(value: unknown, name: string): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value > 0) return value
  throw new InvalidInput(`"${name}" must be the number of an entry.`)
}

/** A whole number in a query, or undefined when it is not there. */
export function queryNumber(query: URLSearchParams, name: string, max: number): number | undefined {
  const text = query.get(name)
  if (text === null) return undefined
  const value = Number(text)
  if (text !== "" && Number.isSafeInteger(value) && value >= 0 && value <= max) return value
  throw new InvalidInput(`"${name}" must be a whole number from 0 to ${max}.`)
}
