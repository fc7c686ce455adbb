import { EventEmitter } from "node:events"
import {
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  type Server,
} from "@modelcontextprotocol/server"
import type { Caller, ExposeOptions } from "./expose.ts"
import { fixedResources } from "./offers.ts"
import { sessionAt, watchSession } from "./session-resources.ts"

/** What the application tells of: its tools have changed, or what is at an address. */
export type Changes = EventEmitter<{ tools: []; resource: [uri: string] }>

export const newChanges = (): Changes =>
  new EventEmitter<{ tools: []; resource: [string] }>().setMaxListeners(0)

/** Says so whenever there is something new at an address, until the signal. */
export type Watch = (signal: AbortSignal, changed: () => void) => void

/** Addresses that one client may watch over one connection. */
export const MAX_WATCHED = 100

/** How the caller watches an address: a session of theirs, or something that the application offers. */
export function watchable(
  { runtime, sessions = true, resources = [] }: ExposeOptions,
  { namespace }: Caller,
  changes: Changes,
): (uri: string) => Watch | undefined {
  return (uri) => {
    if (fixedResources(resources).some((each) => each.uri === uri)) {
      return (signal, changed) => {
        const told = (of: string): void => void (of === uri && changed())
        changes.on("resource", told)
        signal.addEventListener("abort", () => changes.off("resource", told))
      }
    }
    const found = sessions ? sessionAt(uri, namespace) : undefined
    return found && ((signal, changed) => void watchSession(runtime, found.session, signal, changed))
  }
}

/** Serves what a client of 2025 subscribes to, for as long as it is connected. */
export function subscriptions(server: Server, watchOf: (uri: string) => Watch | undefined): void {
  const watched = new Map<string, AbortController>()
  server.setRequestHandler("resources/subscribe", ({ params: { uri } }) => {
    const watch = watchOf(uri)
    if (!watch) throw new ResourceNotFoundError(uri)
    if (watched.has(uri)) return {}
    if (watched.size >= MAX_WATCHED)
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `At most ${MAX_WATCHED} can be watched.`)
    const stop = new AbortController()
    watched.set(uri, stop)
    watch(stop.signal, () => void server.sendResourceUpdated({ uri }).catch(() => stop.abort()))
    return {}
  })
  server.setRequestHandler("resources/unsubscribe", ({ params: { uri } }) => {
    watched.get(uri)?.abort()
    watched.delete(uri)
    return {}
  })
  atClose(server, () => {
    for (const stop of watched.values()) stop.abort()
  })
}

/** Tells a client that stays connected when the tools have changed. */
export function tellOfTools(server: Server, changes: Changes): void {
  const tell = (): void => void server.sendToolListChanged().catch(() => {})
  changes.on("tools", tell)
  atClose(server, () => void changes.off("tools", tell))
}

function atClose(server: Server, rest: () => void): void {
  const { onclose } = server
  server.onclose = () => {
    rest()
    onclose?.()
  }
}
