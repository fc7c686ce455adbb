import type { IncomingHttpHeaders, IncomingMessage, Server } from "node:http"
import { createServer as createSecureServer } from "node:https"
import type { AddressInfo } from "node:net"
import type { Duplex } from "node:stream"
import { createAdaptorServer, type HttpBindings } from "@hono/node-server"
import { OrraError, type Runtime, randomId } from "@orra/core"
import { type Context, Hono } from "hono"
import { type WebSocket, WebSocketServer } from "ws"
import { type Access, type AccessOptions, authenticate } from "./access.ts"
import type { Assets } from "./assets.ts"
import { readBody } from "./body.ts"
import { errorResponse, HttpError, statusOf } from "./errors.ts"
import type { GatewayLogEntry } from "./gateway.ts"
import type { Caller, Guard, Refusal } from "./guard.ts"
import type { Route } from "./route.ts"
import { GatewaySocket } from "./socket.ts"

const BODY_BYTES = 1024 * 1024
const FRAME_BYTES = 1024 * 1024
const HEADERS_MS = 10_000
const REQUEST_MS = 60_000
/** Sockets of one principal at the same time. */
const MAX_SOCKETS = 1_000

/** Said with every answer: nothing from elsewhere is loaded, framed, or told where it came from. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; "),
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}

export interface GatewayServerOptions {
  readonly runtime: Runtime
  readonly routes: readonly Route[]
  readonly access: AccessOptions
  readonly guard: Guard
  readonly assets: Assets | undefined
  readonly tls: { readonly key: string | Buffer; readonly cert: string | Buffer } | undefined
  readonly version: string
  readonly log: (entry: GatewayLogEntry) => void
}

type Env = { Bindings: HttpBindings }

/** Listens, and lets a request through to its route only past the guard, the credentials and the permission. */
export class GatewayServer {
  readonly #options: GatewayServerOptions
  readonly #server: Server
  readonly #upgrades = new WebSocketServer({
    noServer: true,
    maxPayload: FRAME_BYTES,
    perMessageDeflate: false,
  })
  readonly #sockets = new Map<GatewaySocket, Access>()

  constructor(options: GatewayServerOptions) {
    this.#options = options
    const app = new Hono<Env>({ strict: true })
    for (const route of options.routes) {
      app.on(route.method, route.path, (context) =>
        this.#respond(context, route, (access, caller) => this.#handle(context, route, access, caller)),
      )
    }
    app.all("*", (context) => this.#respond(context, undefined, () => this.#asset(context.req.raw)))
    this.#server = createAdaptorServer({
      fetch: app.fetch,
      overrideGlobalObjects: false,
      ...(options.tls && { createServer: createSecureServer, serverOptions: { ...options.tls } }),
    }) as Server
    this.#server.headersTimeout = HEADERS_MS
    this.#server.requestTimeout = REQUEST_MS
    this.#server.on("upgrade", (request, socket, head) => {
      this.#upgrade(request, socket, head).catch((error: unknown) => {
        options.log({ type: "error", error })
        socket.destroy()
      })
    })
  }

  async listen(host: string, port: number): Promise<AddressInfo> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)))
      this.#server.listen(port, host, resolve)
    })
    return this.#server.address() as AddressInfo
  }

  /** Closes what a login has open, when it has ended. */
  closeLogin(loginId: string): void {
    for (const [socket, { login }] of this.#sockets)
      if (login?.id === loginId) socket.close(4401, "logged out")
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#sockets.keys()) socket.close(1001, "the server is stopping")
    this.#server.closeIdleConnections()
    const rest = setTimeout(() => {
      for (const socket of this.#sockets.keys()) socket.terminate()
      this.#server.closeAllConnections()
    }, 500)
    await closed
    clearTimeout(rest)
  }

  /** The way of every request: guard, credentials, permission, handler, headers, log. */
  async #respond(
    context: Context<Env>,
    route: Route | undefined,
    handle: (access: Access | undefined, caller: Caller) => Promise<Response>,
  ): Promise<Response> {
    const began = performance.now()
    const requestId = randomId()
    const { incoming } = context.env
    const { method, path } = context.req
    const { guard, access: credentials, log } = this.#options
    let caller: Caller | undefined
    let access: Access | undefined
    let response: Response
    try {
      caller = allowed(
        guard.caller(incoming.headers as IncomingHttpHeaders, incoming.socket.remoteAddress ?? ""),
      )
      if (route && route.permission !== "open")
        access = await authenticate(incoming.headers, caller, credentials)
      if (route && method !== "GET") {
        const refusal = guard.crossSite(incoming.headers, caller, access?.login !== undefined)
        if (refusal) throw toError(refusal)
      }
      if (route && route.permission !== "open" && !access?.principal.permissions.includes(route.permission)) {
        throw new HttpError(403, "forbidden", "This login may not do that.")
      }
      response = await handle(access, caller)
    } catch (error) {
      if (statusOf(error) >= 500) log({ type: "error", requestId, error })
      response = errorResponse(error, requestId)
    }
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.headers.set(name, value)
    if (path.startsWith("/api/") && !response.headers.has("cache-control")) {
      response.headers.set("cache-control", "no-store")
    }
    log({
      type: "request",
      requestId,
      method,
      path,
      status: response.status,
      ms: Math.round(performance.now() - began),
      address: caller?.address ?? "",
      principal: access?.principal.name,
    })
    return response
  }

  async #handle(
    context: Context<Env>,
    route: Route,
    access: Access | undefined,
    caller: Caller,
  ): Promise<Response> {
    const { raw } = context.req
    const request = {
      runtime: this.#options.runtime,
      caller,
      login: access?.login,
      params: context.req.param(),
      query: new URL(raw.url).searchParams,
      headers: raw.headers,
      signal: raw.signal,
      body: () => readBody(raw, route.maxBytes ?? BODY_BYTES),
    }
    if (route.permission === "open") return await route.handle(request)
    if (!access) throw new HttpError(401, "unauthorized", "Log in first.")
    return await route.handle({ ...request, principal: access.principal })
  }

  async #asset(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    const isPage = request.method === "GET" && !pathname.startsWith("/api/") && pathname !== "/ws"
    const response = isPage ? await this.#options.assets?.serve(pathname, request.headers) : undefined
    return response ?? errorResponse(new HttpError(404, "not_found", "There is nothing at this address."))
  }

  /** A WebSocket is opened only after the same checks as any request; a refusal is an HTTP answer before it opens. */
  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const { guard, access: credentials, runtime, version, log } = this.#options
    socket.on("error", () => socket.destroy())
    let access: Access
    try {
      if (new URL(request.url ?? "/", "http://localhost").pathname !== "/ws") {
        throw new HttpError(404, "not_found", "There is nothing at this address.")
      }
      const caller = allowed(guard.caller(request.headers, request.socket.remoteAddress ?? ""))
      // Before the credentials: a page of another site learns nothing from the answer.
      const refusal = guard.crossSite(request.headers, caller, request.headers.authorization === undefined)
      if (refusal) throw toError(refusal)
      access = await authenticate(request.headers, caller, credentials)
      const open = [...this.#sockets.values()].filter(
        ({ principal }) => principal === access.principal,
      ).length
      if (open >= MAX_SOCKETS)
        throw new HttpError(429, "too_many_sockets", "Close some of your connections first.")
    } catch (error) {
      return await refuse(socket, errorResponse(error))
    }
    this.#upgrades.handleUpgrade(request, socket, head, (webSocket: WebSocket) => {
      const opened = new GatewaySocket(webSocket, {
        runtime,
        principal: access.principal,
        version,
        onError: (error) => log({ type: "error", error }),
      })
      this.#sockets.set(opened, access)
      webSocket.on("close", () => this.#sockets.delete(opened))
    })
  }
}

const toError = ({ status, code, error }: Refusal): HttpError => new HttpError(status, code, error)

function allowed(caller: Caller | Refusal): Caller {
  if ("status" in caller) throw toError(caller)
  return caller
}

async function refuse(socket: Duplex, response: Response): Promise<void> {
  const body = await response.text()
  const headers = [
    ...response.headers,
    ["connection", "close"],
    ["content-length", String(Buffer.byteLength(body))],
  ]
  const head = headers.map(([name, value]) => `${name}: ${value}`).join("\r\n")
  socket.end(`HTTP/1.1 ${response.status} Refused\r\n${head}\r\n\r\n${body}`)
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): Error {
  const { code } = error
  if (code === "EADDRINUSE") {
    return new OrraError(
      "port_in_use",
      `Port ${port} is in use: stop the other program, or choose another port.`,
      { port },
      error,
    )
  }
  if (code === "EACCES") {
    return new OrraError(
      "port_not_allowed",
      `Port ${port} needs rights you do not have: choose one above 1023.`,
      { port },
      error,
    )
  }
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND") {
    return new OrraError("host_unknown", `"${host}" is not an address of this machine.`, { host }, error)
  }
  return error
}
