import { AsyncLocalStorage } from "node:async_hooks"
import { randomBytes } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import type { Readable, Writable } from "node:stream"
import { type NodeIncomingMessageLike, toNodeHandler } from "@modelcontextprotocol/node"
import {
  type AuthMetadataOptions,
  createMcpHandler,
  getOAuthProtectedResourceMetadataUrl,
  hostHeaderValidationResponse,
  isInitializeRequest,
  isLegacyRequest,
  localhostAllowedHostnames,
  oauthMetadataResponse,
  originValidationResponse,
  type Server,
  type ServerEvent,
} from "@modelcontextprotocol/server"
import { StdioServerTransport, serveStdio } from "@modelcontextprotocol/server/stdio"
import { type Caller, type ExposeOptions, type Serving, serverFor } from "./expose.ts"
import { HttpSessions } from "./http-sessions.ts"
import { Listening, newChanges, onlyWatchable, tellOfTools, type Watch, watchable } from "./watch.ts"

export interface HttpOptions extends ExposeOptions {
  /**
   * Who sends this request: from its token, its cookie, a header that a proxy sets. Undefined: 401, and nothing is
   * told or done.
   */
  readonly authenticate: (request: Request) => Promise<Caller | undefined> | Caller | undefined
  /**
   * Where people sign in: tells clients with the 401, and answers for `/.well-known/oauth-protected-resource` and
   * `/.well-known/oauth-authorization-server` where they are mounted too. `authenticate` verifies the tokens.
   */
  readonly oauth?: AuthMetadataOptions
  /** Names under which the server is reached; requests to others, or from pages of others, are refused. Default: this machine. */
  readonly hosts?: readonly string[]
  /**
   * Seals what clients carry while a person decides: at least 32 bytes, the same in every process that serves them.
   * Default: random, so such a call ends with the process.
   */
  readonly secret?: Uint8Array
  /** Told of requests that were refused or failed. */
  readonly onError?: (error: Error) => void
}

/** Tells clients of what they cannot see. */
export interface Told {
  /** The runtime's tools are others now: clients that follow them ask again. */
  toolsChanged(): void
  /** There is something new at the address of one of `resources`: clients that watch it read it again. */
  resourceUpdated(uri: string): void
}

/** What an application mounts, at one path. */
export interface HttpHandler extends Told {
  /** For servers that speak in web requests, such as Hono. */
  readonly fetch: (request: Request) => Promise<Response>
  /** For `node:http` and Express. */
  readonly node: (request: IncomingMessage, response: ServerResponse) => Promise<void>
  /** Ends the requests under way. */
  close(): Promise<void>
}

/**
 * A runtime as a server of the protocol over streamable HTTP, in both its eras.
 *
 * ```ts
 * const { node } = mcpHttp({
 *   runtime,
 *   name: "assistant",
 *   agents: [{ name: "ask", description: "Asks the house's assistant." }],
 *   authenticate: async (request) => {
 *     const user = await userOf(request.headers.get("authorization"))
 *     return user && { namespace: Namespace.of("user", user.id), principal: user.id }
 *   },
 * })
 * createServer(node).listen(8080, "127.0.0.1")
 * ```
 */
export function mcpHttp(options: HttpOptions): HttpHandler {
  const {
    authenticate,
    oauth,
    hosts = localhostAllowedHostnames(),
    secret = randomBytes(32),
    onError,
  } = options
  const serving: Serving = { secret, changes: newChanges() }
  const { changes } = serving
  const challenge = oauth
    ? `Bearer resource_metadata="${getOAuthProtectedResourceMetadataUrl(oauth.resourceServerUrl)}"`
    : "Bearer"
  const callers = new WeakMap<object, Caller>()
  const report = onError && { onerror: onError }
  const sessions = new HttpSessions()
  const listening = new AsyncLocalStorage<readonly { readonly uri: string; readonly watch: Watch }[]>()
  const handler = createMcpHandler(
    ({ authInfo }) => {
      const caller = authInfo && callers.get(authInfo)
      if (!caller) throw new Error("A request came past the door.")
      return serverFor(options, caller, serving)
    },
    { ...report, bus: { publish() {}, subscribe: (told) => listen(told, listening.getStore() ?? []) } },
  )

  /** What is told to one client that listens. */
  function listen(
    told: (event: ServerEvent) => void,
    watched: NonNullable<ReturnType<typeof listening.getStore>>,
  ) {
    const stop = new AbortController()
    const tools = (): void => told({ kind: "tools_list_changed" })
    changes.on("tools", tools)
    for (const { uri, watch } of watched) watch(stop.signal, () => told({ kind: "resource_updated", uri }))
    return () => {
      changes.off("tools", tools)
      stop.abort()
    }
  }

  const fetch = async (request: Request): Promise<Response> => {
    const refused =
      hostHeaderValidationResponse(request, [...hosts]) ?? originValidationResponse(request, [...hosts])
    if (refused) return refused
    const described = oauth && oauthMetadataResponse(request, oauth)
    if (described) return described
    const caller = await authenticate(request)
    if (!caller) return new Response(null, { status: 401, headers: { "www-authenticate": challenge } })
    const authInfo = { token: "", clientId: caller.principal ?? "", scopes: [] }
    callers.set(authInfo, caller)
    if (await isLegacyRequest(request)) {
      const session = request.headers.get("mcp-session-id")
      if (session !== null) return await sessions.serve(request, session, caller)
      const body = await bodyOf(request)
      if (isInitializeRequest(body)) {
        const mcp = serverFor(options, caller, serving)
        tellOfTools(mcp.server, changes)
        return await sessions.begin(request, body, caller, mcp)
      }
    }
    if (request.headers.get("mcp-method") !== "subscriptions/listen")
      return await handler.fetch(request, { authInfo })
    const body = await bodyOf(request)
    const watched = onlyWatchable(body, watchable(options, caller, changes))
    return await listening.run(watched, () => handler.fetch(request, { authInfo, parsedBody: body }))
  }
  const listener = toNodeHandler({ fetch }, report)
  return {
    fetch,
    node: (request, response) => listener(request as NodeIncomingMessageLike, response),
    toolsChanged: () => void changes.emit("tools"),
    resourceUpdated: (uri) => void changes.emit("resource", uri),
    async close() {
      await Promise.all([handler.close(), sessions.close()])
    },
  }
}

/** Undefined for what is no JSON: whoever reads it next says so. */
const bodyOf = (request: Request): Promise<unknown> =>
  request
    .clone()
    .json()
    .catch(() => undefined)

export interface StdioOptions extends ExposeOptions {
  /** Whoever started this program. */
  readonly caller: Caller
  /** Where messages come from and go to, such as a socket. Default: this program's standard input and output. */
  readonly streams?: { readonly input: Readable; readonly output: Writable }
}

/** A runtime as a server on this program's standard input and output; write nothing else to its output. */
export function mcpStdio(options: StdioOptions): Told & { close(): Promise<void> } {
  const { caller, streams } = options
  const serving: Serving = { secret: randomBytes(32), changes: newChanges() }
  const { changes } = serving
  const wire = new StdioServerTransport(streams?.input, streams?.output)
  let server: Server | undefined
  const { close } = serveStdio(
    () => {
      const mcp = serverFor(options, caller, serving)
      server = mcp.server
      tellOfTools(server, changes)
      return mcp
    },
    { transport: wire },
  )
  const listening = new Listening(watchable(options, caller, changes), async (uri) => {
    await server?.sendResourceUpdated({ uri }).catch(() => {})
  })
  const { onmessage, onclose } = wire
  wire.onmessage = (message) => {
    listening.see(message)
    onmessage?.(message)
  }
  wire.onclose = () => {
    listening.close()
    onclose?.()
  }
  return {
    close,
    toolsChanged: () => void changes.emit("tools"),
    resourceUpdated: (uri) => void changes.emit("resource", uri),
  }
}
