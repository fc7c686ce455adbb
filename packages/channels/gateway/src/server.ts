import { createServer, type IncomingMessage, type Server, type ServerOptions } from "node:http"
import { createServer as createSecureServer } from "node:https"
import type { AddressInfo, Socket } from "node:net"
import type { Duplex } from "node:stream"
import { getRequestListener, type HttpBindings } from "@hono/node-server"
import { type Runtime, randomId } from "@orra/core"
import { type Context, Hono } from "hono"
import { type Access, type AccessOptions, authenticate } from "./access.ts"
import { secured } from "./answer-headers.ts"
import type { Assets } from "./assets.ts"
import { assertJson, readBody } from "./body.ts"
import { type Connection, Connections } from "./connections.ts"
import { errorResponse, HttpError, statusOf } from "./errors.ts"
import type { GatewayLogEntry, GatewayOptions, GatewayTeam } from "./gateway.ts"
import type { Caller, Guard, Refusal } from "./guard.ts"
import { listenError } from "./listen-error.ts"
import { readCookie } from "./login-routes.ts"
import type { Permission } from "./protocol.ts"
import type { Route } from "./route.ts"
import { GatewaySocket } from "./socket.ts"
import { answerUnreadable } from "./unreadable.ts"
import { refuse, Upgrades } from "./upgrade.ts"
import { changeFrames } from "./watch-frames.ts"

const BODY_BYTES = 1024 * 1024
/** TCP connections, let in or not: beyond them a flood is turned away before it costs anything. */
const MAX_TCP = 10_000
/** How long `close` waits for what is going on. */
const CLOSE_MS = 500

export interface GatewayServerOptions {
  readonly runtime: Runtime
  readonly team: GatewayTeam
  readonly routes: readonly Route[]
  readonly access: AccessOptions
  readonly guard: Guard
  readonly assets: Assets | undefined
  readonly microphone: boolean
  readonly tls: GatewayOptions["tls"]
  readonly limits: Required<NonNullable<GatewayOptions["limits"]>>
  readonly version: string
  readonly log: (entry: GatewayLogEntry) => void
}

type Env = { Bindings: HttpBindings }

/** Node 22.21 and 24.9 brought the callback; older ones treat every upgrade as one of ours. */
type UpgradingServerOptions = ServerOptions & {
  readonly shouldUpgradeCallback: (request: IncomingMessage) => boolean
}

/** Listens, and lets a request through to its route only past the guard, the credentials and the permission. */
export class GatewayServer {
  readonly #options: GatewayServerOptions
  readonly #server: Server
  /** Every TCP connection, also one that never comes to its first request or the end of its TLS handshake. */
  readonly #sockets = new Set<Socket>()
  readonly #upgrades = new Upgrades()
  readonly #connections: Connections
  readonly #changeFrame: ReturnType<typeof changeFrames>
  #closing = false

  constructor(options: GatewayServerOptions) {
    this.#options = options
    this.#connections = new Connections(options.limits.connections)
    this.#changeFrame = changeFrames(options.runtime)
    const app = new Hono<Env>({ strict: true })
    for (const route of options.routes) {
      app.on(route.method, route.path, (context) =>
        this.#respond(context, route, (access, caller) => this.#handle(context, route, access, caller)),
      )
    }
    app.all("*", (context) => this.#respond(context, undefined, () => this.#asset(context.req.raw)))
    app.onError((error) => this.#failed(error))
    const listener = getRequestListener(app.fetch, {
      overrideGlobalObjects: false,
      errorHandler: (error) => this.#failed(error),
    })
    const { headersMs, requestMs } = options.limits
    const serverOptions: UpgradingServerOptions = {
      // The guard looks at it, and answers as it answers everything.
      requireHostHeader: false,
      headersTimeout: Math.min(headersMs, requestMs),
      requestTimeout: requestMs,
      connectionsCheckingInterval: Math.min(5_000, headersMs),
      // Some clients offer HTTP/2 with every request; they are answered as if they had not.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
    }
    this.#server = options.tls
      ? createSecureServer({ handshakeTimeout: headersMs, ...serverOptions, ...options.tls }, listener)
      : createServer(serverOptions, listener)
    this.#server.maxConnections = MAX_TCP
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket)
      socket.once("close", () => this.#sockets.delete(socket))
    })
    answerUnreadable(this.#server)
    this.#server.on("upgrade", (request, socket, head) => void this.#upgrade(request, socket, head))
  }

  async listen(host: string, port: number): Promise<AddressInfo> {
    await new Promise<void>((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException) => reject(listenError(error, host, port))
      this.#server.once("error", onError)
      this.#server.listen(port, host, () => {
        this.#server.off("error", onError)
        this.#server.on("error", (error) => this.#options.log({ type: "error", error }))
        resolve()
      })
    })
    return this.#server.address() as AddressInfo
  }

  /** Closes what a login has open, when it has ended. */
  closeLogin(loginId: string): void {
    this.#connections.closeLogin(loginId)
  }

  /** Closes what is open of logins that ended elsewhere, or whose time is up. */
  async closeEndedLogins(): Promise<void> {
    for (const id of this.#connections.logins)
      if (!(await this.#options.access.logins.goesOn(id))) this.closeLogin(id)
  }

  async close(): Promise<void> {
    this.#closing = true
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#connections.close()
    this.#server.closeIdleConnections()
    const rest = setTimeout(() => {
      this.#connections.terminate()
      // The server's own `closeAllConnections` leaves those that are still in their TLS handshake.
      for (const socket of this.#sockets) socket.destroy()
    }, CLOSE_MS)
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
    const { incoming, outgoing } = context.env
    const { method, path } = context.req
    const { guard, log } = this.#options
    let caller: Caller | undefined
    let access: Access | undefined
    let response: Response
    try {
      caller = allowed(guard.caller(incoming))
      if (route) access = await this.#admit(incoming, caller, route)
      response = await handle(access, caller)
      if (method === "HEAD") response = await withoutBody(response)
      else if (access && response.headers.get("content-type")?.startsWith("text/event-stream"))
        await this.#hold(response, access, outgoing)
    } catch (error) {
      if (statusOf(error) >= 500) log({ type: "error", requestId, error })
      response = errorResponse(error, requestId)
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
    return secured(response, { microphone: this.#options.microphone })
  }

  /** Who may do what the route does. @throws HttpError for everybody else. */
  async #admit(request: IncomingMessage, caller: Caller, route: Route): Promise<Access | undefined> {
    const { headers, method } = request
    const changes = method !== "GET" && method !== "HEAD"
    const byCookie =
      headers.authorization === undefined && readCookie(headers.cookie, caller.secure) !== undefined
    // Before the credentials: a page of another site learns nothing from the answer.
    this.#assertSameSite(request, caller, changes && byCookie)
    if (changes) assertJson(headers["content-type"])
    if (route.permission === "open") return undefined
    const access = await authenticate(headers, caller, this.#options.access)
    assertMay(access, route.permission)
    return access
  }

  #assertSameSite({ headers }: IncomingMessage, caller: Caller, mustSay: boolean): void {
    const refusal = this.#options.guard.crossSite(headers, caller, mustSay)
    if (refusal) throw toError(refusal)
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
      team: this.#options.team,
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

  /** A stream stays open, so it counts, and ends with the login that opened it. */
  async #hold(response: Response, access: Access, outgoing: HttpBindings["outgoing"]): Promise<void> {
    try {
      this.#assertOpen(access)
    } catch (error) {
      await response.body?.cancel()
      throw error
    }
    if (outgoing.destroyed) return
    const end = () => outgoing.destroy()
    const connection: Connection = { close: end, terminate: end }
    this.#connections.add(connection, access)
    outgoing.once("close", () => this.#connections.remove(connection))
  }

  /** Looked at when something is about to stay open: much may have happened since the credentials were. */
  #assertOpen(access: Access): void {
    if (this.#closing) throw new HttpError(503, "closed", "The server is stopping.")
    if (access.login && this.#options.access.logins.hasEnded(access.login)) {
      throw new HttpError(401, "unauthorized", "This login has ended.")
    }
    this.#connections.assertRoom(access)
  }

  async #asset(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url)
    const reads = request.method === "GET" || request.method === "HEAD"
    const isPage = reads && !pathname.startsWith("/api/") && pathname !== "/ws"
    const response = isPage ? await this.#options.assets?.serve(pathname, request.headers) : undefined
    return response ?? errorResponse(nothingHere())
  }

  /** A WebSocket is opened only after the same checks as any request; a refusal is an HTTP answer before it opens. */
  async #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const began = performance.now()
    const requestId = randomId()
    const { guard, access: credentials, runtime, team, version, log } = this.#options
    socket.on("error", () => socket.destroy())
    let caller: Caller | undefined
    let access: Access | undefined
    let status = 101
    try {
      if (request.url?.split("?", 1)[0] !== "/ws") throw nothingHere()
      caller = allowed(guard.caller(request))
      this.#assertSameSite(request, caller, request.headers.authorization === undefined)
      access = await authenticate(request.headers, caller, credentials)
      assertMay(access, "chat")
      this.#assertOpen(access)
      const by = access
      this.#upgrades.accept(request, socket, head, (webSocket) => {
        const opened = new GatewaySocket(webSocket, {
          runtime,
          team,
          version,
          principal: by.principal,
          changeFrame: this.#changeFrame,
          onError: (error) => log({ type: "error", error }),
        })
        this.#connections.add(opened, by)
        webSocket.on("close", () => this.#connections.remove(opened))
      })
    } catch (error) {
      status = statusOf(error)
      if (status >= 500) log({ type: "error", requestId, error })
      await refuse(socket, errorResponse(error, requestId))
    }
    log({
      type: "request",
      requestId,
      method: "GET",
      path: "/ws",
      status,
      ms: Math.round(performance.now() - began),
      address: caller?.address ?? "",
      principal: access?.principal.name,
    })
  }

  /** The answer when something failed outside of a route: a request that is none, or a bug. */
  #failed(error: unknown): Response {
    const known =
      error instanceof Error && error.name === "RequestError"
        ? new HttpError(400, "invalid_request", "This is no valid request.")
        : error
    const requestId = randomId()
    if (statusOf(known) >= 500) this.#options.log({ type: "error", requestId, error })
    return secured(errorResponse(known, requestId))
  }
}

/** The answer to HEAD: what the body would have cost is not spent. */
async function withoutBody(response: Response): Promise<Response> {
  await response.body?.cancel()
  return new Response(null, response)
}

const nothingHere = (): HttpError => new HttpError(404, "not_found", "There is nothing at this address.")

const toError = ({ status, code, error }: Refusal): HttpError => new HttpError(status, code, error)

function allowed(caller: Caller | Refusal): Caller {
  if ("status" in caller) throw toError(caller)
  return caller
}

function assertMay({ principal }: Access, permission: Permission): void {
  if (!principal.permissions.includes(permission))
    throw new HttpError(403, "forbidden", "This login may not do that.")
}
