import { isObject, Namespace, NamespaceError } from "@orra/core"

/** Where what comes of a job goes. */
export type Place =
  /** A chat that is the job's own. */
  | { readonly type: "own" }
  | { readonly type: "chat"; readonly namespace: Namespace }
  /** A channel in Discord, by its id. */
  | { readonly type: "channel"; readonly id: string }

export const OWN: Place = { type: "own" }

const CHANNEL = /^channel:(\d{15,21})$/

/** A place as the job keeps it. */
export function placeText(place: Place): string {
  switch (place.type) {
    case "own":
      return "own"
    case "chat":
      return `chat:${place.namespace.key}`
    case "channel":
      return `channel:${place.id}`
  }
}

/** The place that a text means; undefined for none. */
export function placeOf(text: string): Place | undefined {
  if (text === "own") return OWN
  const channel = CHANNEL.exec(text)
  if (channel?.[1] !== undefined) return { type: "channel", id: channel[1] }
  const namespace = text.startsWith("chat:") ? namespaceOf(text.slice("chat:".length)) : undefined
  return namespace && { type: "chat", namespace }
}

/** The place as the page has it. */
export const placeJson = (place: Place) =>
  place.type === "chat" ? { type: place.type, namespace: place.namespace.key } : place

/** The place that the page means; undefined for none. */
export function placeFrom(value: unknown): Place | undefined {
  if (!isObject(value)) return undefined
  const { type, namespace, id } = value
  return typeof type === "string" ? placeOf(type === "own" ? type : `${type}:${namespace ?? id}`) : undefined
}

function namespaceOf(key: string): Namespace | undefined {
  try {
    return Namespace.parse(key)
  } catch (error) {
    if (error instanceof NamespaceError) return undefined
    throw error
  }
}
