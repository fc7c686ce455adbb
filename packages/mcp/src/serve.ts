import { randomBytes } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { type NodeIncomingMessageLike, toNodeHandler } from "@modelcontextprotocol/node"
import {
  createMcpHandler,
  hostHeaderValidationResponse,
  localhostAllowedHostnames,
  originValidationResponse,
} from "@modelcontextprotocol/server"
import { serveStdio } from "@modelcontextprotocol/server/stdio"
import { type Caller, type ExposeOptions, serverFor } from "./expose.ts"

export interface HttpOptions extends ExposeOptions {
  /**
   * Who sends this request: from its token, its cookie, a header that a proxy sets. Undefined: 401, and nothing is
   * told or done.
   */
  readonly authenticate: (request: Request) => Promise<Caller | undefined> | Caller | undefined
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

/** What an application mounts, at one path. */
export interface HttpHandler {
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
  const { authenticate, hosts = localhostAllowedHostnames(), secret = randomBytes(32), onError } = options
  const callers = new WeakMap<object, Caller>()
  const report = onError && { onerror: onError }
  const handler = createMcpHandler(({ authInfo }) => {
    const caller = authInfo && callers.get(authInfo)
    if (!caller) throw new Error("A request came past the door.")
    return serverFor(options, caller, secret)
  }, report)
  const fetch = async (request: Request): Promise<Response> => {
    const refused =
      hostHeaderValidationResponse(request, [...hosts]) ?? originValidationResponse(request, [...hosts])
    if (refused) return refused
    const caller = await authenticate(request)
    if (!caller) return new Response(null, { status: 401, headers: { "www-authenticate": "Bearer" } })
    const authInfo = { token: "", clientId: caller.principal ?? "", scopes: [] }
    callers.set(authInfo, caller)
    return await handler.fetch(request, { authInfo })
  }
  const listener = toNodeHandler({ fetch }, report)
  return {
    fetch,
    node: (request, response) => listener(request as NodeIncomingMessageLike, response),
    close: handler.close,
  }
}

export interface StdioOptions extends ExposeOptions {
  /** Whoever started this program. */
  readonly caller: Caller
}

/** A runtime as a server on this program's standard input and output; write nothing else to its output. */
export function mcpStdio(options: StdioOptions): { close(): Promise<void> } {
  const secret = randomBytes(32)
  return serveStdio(() => serverFor(options, options.caller, secret))
}
