import { type IncomingHttpHeaders, type IncomingMessage, request } from "node:http"
import { connect as connectTcp } from "node:net"
import {
  Approvals,
  type Entry,
  isEntry,
  MemoryStore,
  Namespace,
  type RunEvent,
  Runtime,
  type RuntimeOptions,
} from "@orra/core"
import {
  type ScriptedAnswer,
  type ScriptedProvider,
  type ScriptedProviderOptions,
  scriptedProvider,
} from "@orra/testing"
import { onTestFinished } from "vitest"
import { WebSocket } from "ws"
import { createGateway, type Gateway, type GatewayLogEntry, type GatewayOptions } from "./gateway.ts"
import type { Principal } from "./principal.ts"
import type { ServerFrame } from "./protocol.ts"

export const OWNER_KEY = "owner-key-0123456789"
export const ADA_KEY = "ada-key-0123456789"
export const GUEST_KEY = "guest-key-0123456789"

export const OWNER: Principal = {
  name: "owner",
  namespace: Namespace.of("web"),
  permissions: ["chat", "model", "owner"],
  key: OWNER_KEY,
}
export const ADA: Principal = {
  name: "ada",
  namespace: Namespace.of("family", "ada"),
  permissions: ["chat"],
  key: ADA_KEY,
}
/** May do nothing at all. */
export const GUEST: Principal = {
  name: "guest",
  namespace: Namespace.of("guest"),
  permissions: [],
  key: GUEST_KEY,
}

export interface Sent {
  readonly method?: string
  readonly key?: string | undefined
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** An object is sent as JSON; text as it is. */
  readonly body?: unknown
  readonly signal?: AbortSignal
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body, parsed. */
  readonly json: Record<string, unknown>
}

export interface Harness {
  readonly gateway: Gateway
  readonly runtime: Runtime
  readonly store: MemoryStore
  readonly provider: ScriptedProvider
  readonly url: string
  readonly port: number
  readonly log: readonly GatewayLogEntry[]
  /** One request whose path goes out exactly as written. */
  send(path: string, sent?: Sent): Promise<Answer>
  /** A WebSocket that is open. */
  connect(options?: { key?: string; headers?: Record<string, string> }): Promise<Client>
  /** Everything in a session's log. */
  entries(namespace: Namespace): Promise<readonly Entry[]>
  /** A session with one message and its answer. */
  converse(namespace: Namespace, text?: string): Promise<void>
}

export type HarnessOptions = Omit<Partial<GatewayOptions>, "runtime"> & {
  readonly script?: readonly ScriptedAnswer[]
  readonly scripted?: ScriptedProviderOptions
  readonly store?: MemoryStore
  /** What the runtime has besides its provider and store. */
  readonly has?: Partial<RuntimeOptions>
}

/** A gateway that listens on a free port until the test ends. */
export async function harness(options: HarnessOptions = {}): Promise<Harness> {
  const { script = [], scripted, store = new MemoryStore(), has, ...rest } = options
  const approvals = new Approvals()
  const provider = scriptedProvider(script, { otherwise: "An answer.", ...scripted })
  const runtime = new Runtime({
    provider,
    store,
    approvals,
    ...has,
    deltaIntervalMs: 1,
    onError: (error) => log.push({ type: "error", error }),
  })
  const log: GatewayLogEntry[] = []
  const gateway = await createGateway({
    principals: [OWNER, ADA, GUEST],
    port: 0,
    approvals,
    log: (entry) => void log.push(entry),
    ...rest,
    runtime,
  })
  const { url, port } = await gateway.listen()
  onTestFinished(async () => {
    await gateway.close()
    await runtime.close()
  })
  return {
    gateway,
    runtime,
    store,
    provider,
    url,
    port,
    log,
    send: (path, sent) => send(port, path, sent),
    connect: (how) => connect(`ws://127.0.0.1:${port}/ws`, how),
    entries: (namespace) => store.read(namespace, { limit: 10_000 }),
    converse: async (namespace, text = "Hello") => void (await runtime.run(namespace, text)),
  }
}

/** Where a session is in the API. */
export const sessionPath = (namespace: Namespace | string, rest = ""): string =>
  `/api/sessions/${encodeURIComponent(String(namespace))}${rest}`

export async function send(port: number, path: string, sent: Sent = {}): Promise<Answer> {
  const { key, headers = {}, body, signal } = sent
  const text = body === undefined || typeof body === "string" ? body : JSON.stringify(body)
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const outgoing = request({
    port,
    path,
    host: "127.0.0.1",
    method: sent.method ?? (body === undefined ? "GET" : "POST"),
    agent: false,
    ...(signal && { signal }),
    headers: {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(text !== undefined && {
        "content-type": "application/json",
        "content-length": String(Buffer.byteLength(text)),
      }),
      ...(headers as Record<string, string>),
    },
  })
  outgoing.on("error", reject)
  outgoing.on("response", (incoming) => {
    incoming.on("error", reject)
    const chunks: Buffer[] = []
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
    incoming.on("end", () => {
      const whole = Buffer.concat(chunks).toString()
      resolve({
        status: incoming.statusCode ?? 0,
        headers: incoming.headers,
        text: whole,
        get json() {
          return JSON.parse(whole) as Record<string, unknown>
        },
      })
    })
  })
  outgoing.end(text)
  return promise
}

/** A WebSocket and what it was sent. */
export class Client {
  readonly socket: WebSocket
  readonly frames: ServerFrame[] = []
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  readonly #waiting = new Set<() => void>()

  constructor(socket: WebSocket) {
    this.socket = socket
    socket.on("error", () => {})
    socket.on("message", (data) => {
      this.frames.push(JSON.parse(String(data)) as ServerFrame)
      for (const look of this.#waiting) look()
    })
    this.closed = new Promise((resolve) =>
      socket.on("close", (code, reason) => resolve({ code, reason: String(reason) })),
    )
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame))
  }

  /** The first frame, also of those that came already, that fits. */
  frame<T extends ServerFrame["type"]>(
    type: T,
    fits: (frame: Extract<ServerFrame, { type: T }>) => boolean = () => true,
  ): Promise<Extract<ServerFrame, { type: T }>> {
    return new Promise((resolve) => {
      const look = () => {
        const found = this.frames.find(
          (frame): frame is Extract<ServerFrame, { type: T }> =>
            frame.type === type && fits(frame as Extract<ServerFrame, { type: T }>),
        )
        if (!found) return
        this.#waiting.delete(look)
        resolve(found)
      }
      this.#waiting.add(look)
      look()
    })
  }

  /** Resolves when the server has handled all that was sent before. */
  async settled(): Promise<void> {
    const before = this.frames.filter(({ type }) => type === "pong").length
    this.send({ type: "ping" })
    while (this.frames.filter(({ type }) => type === "pong").length === before) {
      await new Promise<void>((resolve) => {
        const look = () => {
          this.#waiting.delete(look)
          resolve()
        }
        this.#waiting.add(look)
      })
    }
  }

  /** The entries of a session so far, in the order they came. */
  entries(namespace: Namespace): readonly Entry[] {
    return this.frames.flatMap((frame) =>
      frame.type === "event" && frame.namespace === namespace.key && "seq" in frame.event
        ? [frame.event]
        : [],
    )
  }

  close(): Promise<unknown> {
    this.socket.close()
    return this.closed
  }
}

/** Opens a WebSocket. @throws Error with the status when it is refused. */
export async function connect(
  url: string,
  { key, headers = {} }: { key?: string; headers?: Record<string, string> } = {},
): Promise<Client> {
  const socket = new WebSocket(url, {
    headers: { ...(key !== undefined && { authorization: `Bearer ${key}` }), ...headers },
  })
  const client = new Client(socket)
  await new Promise<void>((resolve, reject) => {
    socket.once("open", resolve)
    socket.once("unexpected-response", (outgoing, incoming) => {
      outgoing.destroy()
      reject(new Error(String(incoming.statusCode)))
    })
    socket.once("error", reject)
  })
  onTestFinished(() => socket.terminate())
  await client.frame("hello")
  return client
}

/** What the server says to these bytes, until it closes. */
export async function sendRaw(port: number, bytes: string): Promise<string> {
  const socket = connectTcp({ port, host: "127.0.0.1" })
  onTestFinished(() => void socket.destroy())
  let said = ""
  socket.on("data", (chunk) => {
    said += chunk.toString("latin1")
  })
  await new Promise<void>((resolve) => {
    // A connection that is cut says what it said before.
    socket.on("error", () => {})
    socket.on("close", () => resolve())
    socket.write(bytes)
  })
  return said
}

/** A stream of server-sent events that is read as it comes. */
export interface EventStream {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Entries so far, in the order they came. */
  readonly entries: readonly Entry[]
  /** Resolves when an entry fits. */
  entry(fits: (entry: Entry) => boolean): Promise<Entry>
  /** Leaves. */
  close(): void
  readonly closed: Promise<void>
}

export async function openEvents(port: number, path: string, sent: Sent = {}): Promise<EventStream> {
  const { key, headers, method = "GET", body } = sent
  const entries: Entry[] = []
  const looks = new Set<() => void>()
  const { promise: closed, resolve: onClosed } = Promise.withResolvers<void>()
  const outgoing = request({
    port,
    path,
    host: "127.0.0.1",
    method,
    agent: false,
    headers: {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
      ...(headers as Record<string, string>),
    },
  })
  outgoing.on("error", () => onClosed())
  outgoing.on("close", () => onClosed())
  outgoing.end(body === undefined ? undefined : JSON.stringify(body))
  const incoming = await new Promise<IncomingMessage>((resolve) => outgoing.once("response", resolve))
  onTestFinished(() => void outgoing.destroy())
  let rest = ""
  incoming.on("error", () => {})
  incoming.setEncoding("utf8")
  incoming.on("data", (chunk: string) => {
    const blocks = (rest + chunk).split("\n\n")
    rest = blocks.pop() ?? ""
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1]
      if (data === undefined) continue
      const event = JSON.parse(data) as RunEvent
      if (isEntry(event)) entries.push(event)
    }
    for (const look of looks) look()
  })
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    entries,
    closed,
    entry: (fits) =>
      new Promise((resolve) => {
        const look = () => {
          const found = entries.find(fits)
          if (!found) return
          looks.delete(look)
          resolve(found)
        }
        looks.add(look)
        look()
      }),
    close: () => void outgoing.destroy(),
  }
}

/** The answer to a WebSocket handshake: 101 and nothing, or the refusal. */
export async function handshake(port: number, sent: Sent & { readonly path?: string } = {}): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const { key, headers, path = "/ws" } = sent
  const outgoing = request({
    port,
    path,
    host: "127.0.0.1",
    agent: false,
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(headers as Record<string, string>),
    },
  })
  outgoing.on("error", reject)
  outgoing.on("upgrade", (incoming, socket) => {
    socket.destroy()
    resolve({ status: 101, headers: incoming.headers, text: "", json: {} })
  })
  outgoing.on("response", (incoming) => {
    let text = ""
    incoming.on("data", (chunk) => {
      text += String(chunk)
    })
    incoming.on("end", () =>
      resolve({
        status: incoming.statusCode ?? 0,
        headers: incoming.headers,
        text,
        json: text ? (JSON.parse(text) as Record<string, unknown>) : {},
      }),
    )
  })
  outgoing.end()
  return promise
}

/** The token of a login link. */
export const tokenOf = (link: string): string => link.split("#")[1] ?? ""

/** The cookie of a browser that logs in with a key. */
export async function logIn(port: number, key: string): Promise<string> {
  const { headers } = await send(port, "/api/login", { body: { key } })
  return headers["set-cookie"]?.[0]?.split(";")[0] ?? ""
}
