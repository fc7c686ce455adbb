import { createHash, timingSafeEqual } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { isObject, type JsonObject, parseJson } from "@orra/core"
import { ApiError, asApiError } from "./api-error.ts"
import { type ApiAnswer, type ApiParts, type ApiRoute, apiRoutes } from "./api-routes.ts"
import { sendEvents } from "./event-stream.ts"

const HEARTBEAT_MS = 15_000

/** What the original says of itself; no client reads it. */
export const VERSION_HEADER = ["X-Orra-PlaneEngine-Version", "0.2.5"] as const

export interface ApiOptions extends ApiParts {
  /** What registers projects. Default: whoever connects from this machine may. */
  readonly adminKey?: string
  /** Most bytes of a request. */
  readonly maxBodyBytes: number
  /** Fires when the engine stops. */
  readonly signal: AbortSignal
  /** How often a stream says that it is still there, in ms. Default 15,000. */
  readonly heartbeatMs?: number
  readonly onError: (error: unknown) => void
}

/** The HTTP API of the engine, as a listener of a `node:http` server. */
export function api(
  options: ApiOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const routes = apiRoutes(options)
  return async (request, response) => {
    response.setHeader(...VERSION_HEADER)
    response.setHeader("X-Content-Type-Options", "nosniff")
    try {
      const gone = new AbortController()
      response.once("close", () => gone.abort())
      const signal = AbortSignal.any([gone.signal, options.signal])
      const answered = await answer(options, routes, request, signal)
      if (!("events" in answered)) return send(response, answered)
      await sendEvents(response, answered.events, { heartbeatMs: HEARTBEAT_MS, ...options, signal })
    } catch (error) {
      if (response.headersSent) {
        options.onError(error)
        response.destroy()
        return
      }
      const known = asApiError(error)
      if (!known) options.onError(error)
      const { status, kind, code, param, message } =
        known ?? new ApiError(500, "internal error", "Something went wrong here: look at the engine's log.")
      // What is left of a request that is too long is not read.
      if (status === 413) response.setHeader("connection", "close")
      const facts = { ...(code !== undefined && { code }), ...(param !== undefined && { param }) }
      send(response, { status, body: { error: { kind, ...facts, message } } })
    }
  }
}

async function answer(
  options: ApiOptions,
  routes: readonly ApiRoute[],
  request: IncomingMessage,
  signal: AbortSignal,
): Promise<ApiAnswer> {
  const { path, query } = target(request)
  const there = routes.filter((route) => idIn(route.path, path) !== undefined)
  const route = there.find(({ method }) => method === request.method)
  if (!route) return { status: there.length > 0 ? 405 : 404 }
  const [lastEventId] = [request.headers["last-event-id"]].flat()
  const asked = { query, id: idIn(route.path, path) ?? "", lastEventId, signal }
  if (route.who !== "project") {
    if (route.who === "admin" && !isAdmin(options, request)) return { status: 403 }
    return await route.answer({ ...asked, body: await body(request, options.maxBodyBytes) })
  }
  const key = bearer(request)
  if (key === undefined) return { status: 403 }
  const project = await options.projects.byKey(key)
  if (!project) throw new ApiError(401, "invalid request error", "This key belongs to no project.")
  return await route.answer({ ...asked, body: await body(request, options.maxBodyBytes) }, project)
}

/** The path, in which clients double slashes, and the query. */
export function target({ url = "/" }: IncomingMessage): {
  readonly path: string
  readonly query: URLSearchParams
} {
  const [path = "/", query = ""] = url.split("?", 2)
  return { path: path.replace(/\/{2,}/g, "/"), query: new URLSearchParams(query) }
}

/** @returns what stands for `:id`, empty where there is none; undefined when the path is another. */
function idIn(pattern: string, path: string): string | undefined {
  const wanted = pattern.split("/")
  const given = path.replace(/(.)\/$/, "$1").split("/")
  if (wanted.length !== given.length) return undefined
  let id = ""
  for (const [index, part] of wanted.entries()) {
    if (part === ":id") id = given[index] ?? ""
    else if (part !== given[index]) return undefined
  }
  return id
}

function bearer({ headers }: IncomingMessage): string | undefined {
  const [, key] = /^Bearer ([^ ]+)$/.exec(headers.authorization ?? "") ?? []
  return key
}

function isAdmin({ adminKey }: ApiOptions, request: IncomingMessage): boolean {
  if (adminKey === undefined) return LOOPBACK.test(request.socket.remoteAddress ?? "")
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest()
  return timingSafeEqual(digest(adminKey), digest(bearer(request) ?? ""))
}

const LOOPBACK = /^(::ffff:)?127\.|^::1$/

/** @throws ApiError for what is too long or no JSON object. Nothing is an empty object. */
async function body(request: IncomingMessage, maxBytes: number): Promise<JsonObject> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes)
      throw new ApiError(413, "invalid request error", `A request has at most ${maxBytes} bytes.`)
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString("utf8")
  if (text.trim() === "") return {}
  try {
    const parsed = parseJson(text)
    if (isObject(parsed)) return parsed as JsonObject
  } catch {
    // Said below.
  }
  throw new ApiError(
    400,
    "invalid request error",
    "The request must be a JSON object.",
    "Orra:JSONMarshalingFail",
  )
}

function send(response: ServerResponse, { status, body }: Exclude<ApiAnswer, { events: unknown }>): void {
  response.statusCode = status
  if (body === undefined) {
    response.end(status === 404 ? "404 page not found\n" : undefined)
    return
  }
  response.setHeader("Content-Type", "application/json")
  response.end(`${JSON.stringify(body)}\n`)
}
