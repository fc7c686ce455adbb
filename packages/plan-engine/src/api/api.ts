import { createHash, timingSafeEqual } from "node:crypto"
import type { IncomingMessage, ServerResponse } from "node:http"
import { isObject, type JsonObject, parseJson } from "@orra/core"
import { parseYaml } from "../planning/grounding-file.ts"
import { ApiError, asApiError } from "./api-error.ts"
import { apiRoutes } from "./api-routes.ts"
import { sendEvents } from "./event-stream.ts"
import { OpenStreams, type RequestRates } from "./limits.ts"
import { mayDo } from "./projects.ts"
import type { ApiAnswer, ApiParts, ApiRequest, ApiRoute } from "./route.ts"
import { written } from "./written.ts"

const HEARTBEAT_MS = 15_000
/** Most characters of what the audit says that a request was about. */
const MAX_SUBJECT = 500

/** What the original says of itself; no client reads it. */
export const VERSION_HEADER = ["X-Orra-PlaneEngine-Version", "0.2.5"] as const

export interface ApiOptions extends ApiParts {
  /** What registers projects. Default: whoever connects from this machine may. */
  readonly adminKey?: string
  /** Most bytes of a request. */
  readonly maxBodyBytes: number
  readonly rates: RequestRates
  /** Most event streams of a project that are open. */
  readonly maxStreams: number
  /** Told of every request that was answered. */
  readonly onAnswer: (answered: Answered) => void
  /** Fires when the engine stops. */
  readonly signal: AbortSignal
  /** How often a stream says that it is still there, in ms. Default 15,000. */
  readonly heartbeatMs?: number
  readonly onError: (error: unknown) => void
}

/** A request that was answered. `path` is that of its route, with `:id`. */
export interface Answered {
  readonly method: string
  readonly path: string
  readonly status: number
  /** How long it took; undefined of a stream, which takes as long as somebody listens. */
  readonly ms: number | undefined
}

/** The HTTP API of the engine, as a listener of a `node:http` server. */
export function api(
  options: ApiOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const routes = apiRoutes(options)
  const streams = new OpenStreams(options.maxStreams)
  return async (request, response) => {
    const began = performance.now()
    response.setHeader(...VERSION_HEADER)
    response.setHeader("X-Content-Type-Options", "nosniff")
    const route = routeOf(routes, request, target(request).path)
    if (!route) return send(response, { status: 404 })
    if ("allow" in route) {
      response.setHeader("Allow", route.allow.join(", "))
      return send(response, { status: 405 })
    }
    const gone = new AbortController()
    response.once("close", () => gone.abort())
    const signal = AbortSignal.any([gone.signal, options.signal])
    let isStream = false
    try {
      const answered = await answer(options, route, request, signal)
      isStream = "events" in answered
      if ("events" in answered) {
        const shown = bearer(request) ?? ""
        const found = await options.projects.byKey(shown)
        using _ = streams.open(found?.project.id ?? "")
        await sendEvents(response, answered.events, {
          heartbeatMs: HEARTBEAT_MS,
          ...options,
          signal,
          mayListen: async () => (await options.projects.byKey(shown)) !== undefined,
          close: () => gone.abort(),
        })
      } else send(response, answered)
    } catch (error) {
      fail(options, response, error)
    } finally {
      const { method, path } = route
      const ms = isStream ? undefined : performance.now() - began
      options.onAnswer({ method, path, status: response.statusCode, ms })
    }
  }
}

function fail({ onError }: ApiOptions, response: ServerResponse, error: unknown): void {
  const known = asApiError(error)
  if (!known) onError(error)
  if (response.headersSent) {
    response.destroy()
    return
  }
  const { status, kind, code, param, retryAfter, message } =
    known ?? new ApiError(500, "internal error", "Something went wrong here: look at the engine's log.")
  // What is left of a request that is too long is not read.
  if (status === 413) response.setHeader("Connection", "close")
  if (retryAfter !== undefined) response.setHeader("Retry-After", retryAfter)
  const facts = { ...(code !== undefined && { code }), ...(param !== undefined && { param }) }
  send(response, { status, body: { error: { kind, ...facts, message } } })
}

/** What the request asks for; undefined when there is no such path. */
function routeOf(
  routes: readonly ApiRoute[],
  { method }: IncomingMessage,
  path: string,
): ApiRoute | { readonly allow: readonly string[] } | undefined {
  const there = routes.filter((route) => idIn(route.path, path) !== undefined)
  if (there.length === 0) return undefined
  return there.find((route) => route.method === method) ?? { allow: there.map((route) => route.method) }
}

async function answer(
  options: ApiOptions,
  route: ApiRoute,
  request: IncomingMessage,
  signal: AbortSignal,
): Promise<ApiAnswer> {
  const { path, query } = target(request)
  const [lastEventId] = [request.headers["last-event-id"]].flat()
  const asked = async (): Promise<ApiRequest> => ({
    query,
    id: idIn(route.path, path) ?? "",
    lastEventId,
    wantsEvents: request.headers.accept?.includes("text/event-stream") ?? false,
    signal,
    body: await body(request, options.maxBodyBytes),
  })
  if (route.who === "host" && !isHost(options, request)) return { status: 403 }
  if (route.who === "host" || route.who === "anybody") {
    const answered = await route.answer(await asked())
    const made =
      "body" in answered && isObject(answered.body) ? (answered.body as JsonObject)["id"] : undefined
    if (route.method === "POST" && typeof made === "string")
      await written(options, { route, by: "host", project: made, id: "" }, answered)
    return answered
  }
  const shown = bearer(request)
  if (shown === undefined) return { status: 403 }
  const known = await options.projects.byKey(shown)
  if (!known)
    throw new ApiError(
      401,
      "invalid request error",
      "This key belongs to no project, was revoked, or has expired.",
      "Orra:KeyUnknown",
    )
  const { project, key } = known
  const seconds = options.rates.take(key.id)
  if (seconds > 0) throw tooFast(seconds)
  const { who, answer: act } = route
  const done = async (): Promise<ApiAnswer> => {
    if (!mayDo(key, who)) throw scopeMissing(who)
    return await act(await asked(), project, key)
  }
  if (route.method === "GET") return await done()
  const id = idIn(route.path, path) || (query.get("url") ?? "").slice(0, MAX_SUBJECT)
  const what = { route, by: key.id, project: project.id, id }
  let answered: ApiAnswer
  try {
    answered = await done()
  } catch (error) {
    const refused = asApiError(error)
    await written(options, what, { status: refused?.status ?? 500 }, refused?.code)
    throw error
  }
  await written(options, what, answered)
  return answered
}

const scopeMissing = (scope: string): ApiError =>
  new ApiError(
    403,
    "invalid operation",
    `This key has not the scope "${scope}": use one that has.`,
    "Orra:ScopeMissing",
  )

const tooFast = (seconds: number): ApiError =>
  new ApiError(
    429,
    "invalid operation",
    `This key asks more often than it may: ask again in ${seconds} s.`,
    "Orra:TooManyRequests",
    undefined,
    seconds,
  )

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

function isHost({ adminKey }: ApiOptions, request: IncomingMessage): boolean {
  if (adminKey === undefined)
    return LOOPBACK.test(request.socket.remoteAddress ?? "") && !isOfForeignPage(request)
  const digest = (text: string): Buffer => createHash("sha256").update(text).digest()
  return timingSafeEqual(digest(adminKey), digest(bearer(request) ?? ""))
}

/** A page of another site, in a browser on this machine: it can send a request here, and must not make projects. */
function isOfForeignPage({ headers }: IncomingMessage): boolean {
  const { origin } = headers
  if (origin === undefined) return false
  const host = URL.canParse(origin) ? new URL(origin).hostname : ""
  return !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(host)
}

const LOOPBACK = /^(::ffff:)?127\.|^::1$/

/** @throws ApiError for what is too long or no JSON object. Nothing is an empty object. */
async function body(request: IncomingMessage, maxBytes: number): Promise<JsonObject> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes)
      throw new ApiError(
        413,
        "invalid request error",
        `A request has at most ${maxBytes} bytes.`,
        "Orra:RequestTooLarge",
      )
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString("utf8")
  if (text.trim() === "") return {}
  if (/yaml/i.test(request.headers["content-type"] ?? "")) return parseYaml(text)
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

function send(response: ServerResponse, answer: Exclude<ApiAnswer, { events: unknown }>): void {
  response.statusCode = answer.status
  if ("text" in answer) {
    response.setHeader("Content-Type", answer.type)
    response.end(answer.text)
    return
  }
  const { status, body } = answer
  if (body === undefined) {
    response.end(status === 404 ? "404 page not found\n" : undefined)
    return
  }
  response.setHeader("Content-Type", "application/json")
  response.end(`${JSON.stringify(body)}\n`)
}
