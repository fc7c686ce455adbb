import type { RunEvent } from "@orra/core"
import type { ServerFrame } from "../api/types.ts"

export type ConnectionState = "connecting" | "online" | "offline"

export interface ConnectionStatus {
  readonly state: ConnectionState
  /** ms since 1970 of the next attempt, while offline. Undefined where it comes when the page is looked at. */
  readonly retryAt?: number
}

/** Where a chat's events go. `cursor` says what has been seen when the connection has to begin again. */
export interface Follower {
  readonly cursor: () => number
  readonly onEvent: (event: RunEvent) => void
  readonly onError?: (code: string, message: string) => void
}

const LONGEST_MS = 30_000

/** Waits before attempts, in ms: short at first, then up to half a minute, never in step with other tabs. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const full = Math.min(LONGEST_MS, 500 * 2 ** attempt)
  return full / 2 + (random() * full) / 2
}

const PING_MS = 20_000
const SILENCE_MS = 45_000

/**
 * One socket for the page. It comes back by itself, and then each followed chat goes on after the last entry it has
 * seen. A server that says nothing to pings counts as gone.
 */
export class Connection {
  readonly #url: string
  readonly #onClosed: () => void
  readonly #followers = new Map<string, Set<Follower>>()
  readonly #frames = new Set<(frame: ServerFrame) => void>()
  readonly #listeners = new Set<() => void>()
  #status: ConnectionStatus = { state: "connecting" }
  #socket: WebSocket | undefined
  #attempt = 0
  #retry: ReturnType<typeof setTimeout> | undefined
  #ping: ReturnType<typeof setInterval> | undefined
  #heardAt = 0
  #stopped = true

  /** `onClosed` is called when an attempt fails: the reason may be that nobody is logged in. */
  constructor(url: string, onClosed: () => void) {
    this.#url = url
    this.#onClosed = onClosed
  }

  readonly status = (): ConnectionStatus => this.#status

  readonly onStatus = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Frames that concern no single chat: the list of sessions, the server's greeting. */
  onFrame(listener: (frame: ServerFrame) => void): () => void {
    this.#frames.add(listener)
    return () => this.#frames.delete(listener)
  }

  start(): void {
    if (!this.#stopped) return
    this.#stopped = false
    window.addEventListener("online", this.retryNow)
    window.addEventListener("offline", this.#onOffline)
    document.addEventListener("visibilitychange", this.#onVisible)
    this.#connect()
  }

  stop(): void {
    this.#stopped = true
    window.removeEventListener("online", this.retryNow)
    window.removeEventListener("offline", this.#onOffline)
    document.removeEventListener("visibilitychange", this.#onVisible)
    clearTimeout(this.#retry)
    clearInterval(this.#ping)
    this.#socket?.close()
    this.#socket = undefined
  }

  /** Events of a chat, from the follower's cursor on. @returns the function that ends it. */
  follow(namespace: string, follower: Follower): () => void {
    const followers = this.#followers.get(namespace) ?? new Set()
    this.#followers.set(namespace, followers)
    followers.add(follower)
    this.#subscribe(namespace)
    return () => {
      followers.delete(follower)
      if (followers.size > 0) return
      this.#followers.delete(namespace)
      this.#send({ type: "unsubscribe", namespace })
    }
  }

  readonly retryNow = (): void => {
    if (this.#stopped || this.#status.state === "online") return
    clearTimeout(this.#retry)
    this.#attempt = 0
    this.#connect()
  }

  /** A socket would go on as if nothing were, until its silence is noticed. */
  readonly #onOffline = (): void => {
    const socket = this.#socket
    if (!socket) return
    this.#onLost()
    socket.close()
  }

  readonly #onVisible = (): void => {
    if (document.visibilityState === "visible" && this.#status.state === "offline") this.retryNow()
  }

  #connect(): void {
    this.#socket?.close()
    const socket = new WebSocket(this.#url)
    this.#socket = socket
    let isGreeted = false
    socket.onmessage = ({ data }) => {
      if (this.#socket !== socket) return
      this.#heardAt = Date.now()
      const frame = JSON.parse(String(data)) as ServerFrame
      if (frame.type === "hello" && !isGreeted) {
        isGreeted = true
        this.#onOpen()
      }
      this.#dispatch(frame)
    }
    socket.onclose = () => {
      if (this.#socket === socket) this.#onLost()
    }
  }

  #onOpen(): void {
    this.#attempt = 0
    this.#set({ state: "online" })
    this.#send({ type: "watch" })
    for (const namespace of this.#followers.keys()) this.#subscribe(namespace)
    clearInterval(this.#ping)
    this.#ping = setInterval(() => {
      if (Date.now() - this.#heardAt > SILENCE_MS) return this.#socket?.close()
      this.#send({ type: "ping" })
    }, PING_MS)
  }

  #onLost(): void {
    clearInterval(this.#ping)
    this.#socket = undefined
    if (this.#stopped) return
    const wait = backoff(this.#attempt++)
    if (document.visibilityState === "hidden" && wait >= LONGEST_MS / 2) {
      // Half a minute of attempts is enough for a restart: then a page that nobody looks at waits until it is looked at.
      this.#set({ state: "offline" })
    } else {
      this.#set({ state: "offline", retryAt: Date.now() + wait })
      this.#retry = setTimeout(() => this.#connect(), wait)
    }
    this.#onClosed()
  }

  #subscribe(namespace: string): void {
    const followers = this.#followers.get(namespace)
    if (!followers || followers.size === 0) return
    const after = Math.min(...[...followers].map((follower) => follower.cursor()))
    this.#send({ type: "subscribe", namespace, after })
  }

  #dispatch(frame: ServerFrame): void {
    if (frame.type === "event") {
      for (const follower of this.#followers.get(frame.namespace) ?? []) follower.onEvent(frame.event)
      return
    }
    if (frame.type === "error" && frame.namespace !== undefined) {
      for (const follower of this.#followers.get(frame.namespace) ?? [])
        follower.onError?.(frame.code, frame.error)
      return
    }
    for (const listener of this.#frames) listener(frame)
  }

  #send(frame: unknown): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(frame))
  }

  #set(status: ConnectionStatus): void {
    this.#status = status
    for (const listener of this.#listeners) listener()
  }
}
