import { EventEmitter } from "node:events"
import {
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  type Server,
  type SubscriptionFilter,
} from "@modelcontextprotocol/server"
import { isObject } from "@orra/core"
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

/** Takes out of a client's request to listen what it cannot watch, so that nothing is promised of it, and gives the rest. */
export function onlyWatchable(
  request: unknown,
  watchOf: (uri: string) => Watch | undefined,
): readonly { readonly uri: string; readonly watch: Watch }[] {
  const filter =
    isObject(request) &&
    isObject(request["params"]) &&
    (request["params"]["notifications"] as SubscriptionFilter)
  if (!filter || !Array.isArray(filter.resourceSubscriptions)) return []
  const watched = [...new Set(filter.resourceSubscriptions)].slice(0, MAX_WATCHED).flatMap((uri) => {
    const watch = typeof uri === "string" ? watchOf(uri) : undefined
    return watch ? [{ uri, watch }] : []
  })
  filter.resourceSubscriptions = watched.map(({ uri }) => uri)
  return watched
}

/**
 * Watches what a client of 2026 listens to on standard input and output. The SDK passes what is told on to whoever
 * listens to it, and says to nobody what that is: so each message is looked at before it.
 */
export class Listening {
  readonly #watchOf: (uri: string) => Watch | undefined
  readonly #changed: (uri: string) => void
  /** By address: the requests that wait for it. */
  readonly #watched = new Map<string, { readonly stop: AbortController; readonly requests: Set<unknown> }>()

  constructor(watchOf: (uri: string) => Watch | undefined, changed: (uri: string) => void) {
    this.#watchOf = watchOf
    this.#changed = changed
  }

  see(message: unknown): void {
    if (!isObject(message)) return
    const { method, params, id } = message
    if (method === "subscriptions/listen" && id !== undefined) this.#begin(message, id)
    else if (method === "notifications/cancelled" && isObject(params)) this.#end(params["requestId"])
  }

  close(): void {
    for (const { stop } of this.#watched.values()) stop.abort()
    this.#watched.clear()
  }

  #begin(message: unknown, id: unknown): void {
    const watchOf = (uri: string): Watch | undefined =>
      this.#watched.size < MAX_WATCHED || this.#watched.has(uri) ? this.#watchOf(uri) : undefined
    for (const { uri, watch } of onlyWatchable(message, watchOf)) {
      const known = this.#watched.get(uri)
      if (known) known.requests.add(id)
      else {
        const stop = new AbortController()
        this.#watched.set(uri, { stop, requests: new Set([id]) })
        watch(stop.signal, () => this.#changed(uri))
      }
    }
  }

  #end(id: unknown): void {
    for (const [uri, { stop, requests }] of this.#watched) {
      if (!requests.delete(id) || requests.size > 0) continue
      stop.abort()
      this.#watched.delete(uri)
    }
  }
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
