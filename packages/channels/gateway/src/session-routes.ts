import {
  everyItem,
  InvalidInput,
  type JsonObject,
  type Namespace,
  type RunOptions,
  type Runtime,
  readHistory,
  type SessionInfo,
  type Submission,
} from "@orra/core"
import { MESSAGE_BYTES } from "./chat-routes.ts"
import { notFound } from "./errors.ts"
import { eventStream } from "./event-stream.ts"
import { ownNamespace, parseMessage, parseRunOptions, parseSeq, queryNumber } from "./input.ts"
import type { WireSubmission } from "./protocol.ts"
import type { GatewayRequest, Route } from "./route.ts"
import { existingSession, isDeleted, wireHistory, wireSession, writableNamespace } from "./sessions.ts"

const MAX_TITLE = 200
/** Sessions of a page of the list where none are asked for. */
const PAGE = 50

/** What a person marks chats with: to stand first, and to be out of the way. */
const MARKS = ["pinned", "archived"] as const
const MAX_MARKED = 500

const session = "/api/sessions/:namespace"

/** What a person does with their sessions. */
export const sessionRoutes = (now: () => number): readonly Route[] => [
  { method: "GET", path: "/api/sessions", permission: "chat", handle: list },
  { method: "GET", path: session, permission: "chat", handle: read },
  { method: "PATCH", path: session, permission: "chat", handle: change },
  { method: "PUT", path: `${session}/name`, permission: "chat", handle: change },
  { method: "DELETE", path: session, permission: "chat", handle: (request) => remove(request, now()) },
  { method: "POST", path: `${session}/restore`, permission: "chat", handle: restore },
  { method: "GET", path: `${session}/events`, permission: "chat", handle: events },
  { method: "POST", path: `${session}/messages`, permission: "chat", maxBytes: MESSAGE_BYTES, handle: send },
  { method: "POST", path: `${session}/edit`, permission: "chat", maxBytes: MESSAGE_BYTES, handle: edit },
  { method: "POST", path: `${session}/regenerate`, permission: "chat", handle: regenerate },
  { method: "POST", path: `${session}/resume`, permission: "chat", handle: resume },
  { method: "POST", path: `${session}/stop`, permission: "chat", handle: stop },
  { method: "POST", path: `${session}/branch`, permission: "chat", handle: branch },
  { method: "DELETE", path: `${session}/inputs/:inputId`, permission: "chat", handle: cancelInput },
]

const existing = ({ runtime, principal, params }: GatewayRequest) =>
  existingSession(runtime, principal, params["namespace"])

/** True for sessions of delegated tasks and of scheduled jobs: they are below a segment that begins with `~`. */
const isWork = ({ segments }: Namespace): boolean =>
  segments.slice(1).some((segment) => segment.startsWith("~"))

async function list({ runtime, principal, query }: GatewayRequest): Promise<Response> {
  const limit = queryNumber(query, "limit", 500)
  const cursor = query.get("cursor")
  const title = query.get("q")
  const view = query.get("view")
  if (view !== null) return await listMarked(runtime, principal.namespace, view)
  const wanted = Math.max(1, limit ?? PAGE)
  const isSearch = title !== null && title !== ""
  const found: SessionInfo[] = []
  let next = cursor ?? undefined
  do {
    const page = await runtime.list(principal.namespace, {
      limit: wanted - found.length,
      ...(next !== undefined && { cursor: next }),
      ...(isSearch && { title }),
    })
    // What agents hand to one another, and what jobs do, is no chat; what is out of the way is found by its title.
    found.push(
      ...page.items.filter(
        ({ namespace, metadata }) => !isWork(namespace) && (isSearch || metadata["archived"] !== true),
      ),
    )
    next = page.cursor
  } while (next !== undefined && found.length < wanted)
  return Response.json({
    sessions: found.map((info) => wireSession(runtime, info)),
    ...(next !== undefined && { cursor: next }),
  })
}

/** Few are marked, and all of them are shown: they are looked for among all. */
async function listMarked(runtime: Runtime, below: Namespace, mark: string): Promise<Response> {
  if (!MARKS.some((known) => known === mark)) throw new InvalidInput(`"view" is one of ${MARKS.join(", ")}.`)
  const marked: SessionInfo[] = []
  for await (const info of everyItem((page) => runtime.list(below, page)))
    if (info.metadata[mark] === true && marked.length < MAX_MARKED) marked.push(info)
  return Response.json({ sessions: marked.map((info) => wireSession(runtime, info)) })
}

async function read(request: GatewayRequest): Promise<Response> {
  const { runtime, query } = request
  const { namespace } = await existing(request)
  const before = queryNumber(query, "before", Number.MAX_SAFE_INTEGER)
  const limit = queryNumber(query, "limit", 1_000)
  const history = await readHistory(runtime, namespace, {
    ...(before !== undefined && { before }),
    ...(limit !== undefined && { limit }),
  })
  if (!history) throw notFound()
  return Response.json(wireHistory(runtime, history))
}

/** The title, marks, or both. */
async function change(request: GatewayRequest): Promise<Response> {
  const body = await request.body()
  const marks = MARKS.filter((mark) => body[mark] !== undefined)
  for (const mark of marks)
    if (typeof body[mark] !== "boolean") throw new InvalidInput(`"${mark}" is true or false.`)
  const title = body["title"] ?? body["name"]
  const { namespace } = await existing(request)
  const info = await request.runtime.update(namespace, {
    ...(title === undefined && marks.length > 0 ? {} : titlePatch(title)),
    ...Object.fromEntries(marks.map((mark) => [mark, body[mark] === true ? true : null])),
  })
  return Response.json(wireSession(request.runtime, info))
}

function titlePatch(title: unknown): JsonObject {
  if (typeof title !== "string") throw new InvalidInput('"title" must be text; empty takes it away.')
  const trimmed = [...title.trim()].slice(0, MAX_TITLE).join("").toWellFormed()
  return { title: trimmed === "" ? null : trimmed, renamed: true }
}

async function remove(request: GatewayRequest, now: number): Promise<Response> {
  const { runtime } = request
  const { namespace } = await existing(request)
  // Marked first, and what waits taken back: nothing may begin in it any more.
  await runtime.update(namespace, { deletedAt: now })
  const history = await readHistory(runtime, namespace, { limit: 1 })
  for (const { inputId } of history?.queued ?? []) await runtime.cancelInput(namespace, inputId)
  await request.team.stop(namespace)
  return Response.json({ deleted: true })
}

async function restore({ runtime, principal, params }: GatewayRequest): Promise<Response> {
  const info = await runtime.info(ownNamespace(principal, params["namespace"]))
  if (!info || !isDeleted(info)) throw notFound()
  return Response.json(wireSession(runtime, await runtime.update(info.namespace, { deletedAt: null })))
}

async function events(request: GatewayRequest): Promise<Response> {
  const { namespace } = await existing(request)
  const last = request.headers.get("last-event-id")
  const after = queryNumber(
    last === null ? request.query : new URLSearchParams({ after: last }),
    "after",
    Number.MAX_SAFE_INTEGER,
  )
  const watching = new AbortController()
  const stream = request.runtime.subscribe(namespace, {
    signal: watching.signal,
    ...(after !== undefined && { after }),
  })
  return eventStream(stream, () => watching.abort())
}

const submitted = (submission: Submission): Response =>
  Response.json(wireSubmission(submission), { status: 202 })

export const wireSubmission = ({ namespace, ...rest }: Submission): WireSubmission => ({
  namespace: namespace.key,
  ...rest,
})

async function send(request: GatewayRequest): Promise<Response> {
  const { runtime, principal, params, body } = request
  const input = await body()
  const message = parseMessage(input["message"])
  const namespace = await writableNamespace(runtime, principal, params["namespace"])
  return submitted(await runtime.submit(namespace, message, parseRunOptions(request, input, message)))
}

async function edit(request: GatewayRequest): Promise<Response> {
  const body = await request.body()
  const { namespace } = await existing(request)
  const seq = parseSeq(body["seq"], "seq")
  const message = parseMessage(body["message"])
  const { whenBusy: _, ...options } = parseRunOptions(request, body, message)
  return submitted(await request.runtime.edit(namespace, seq, message, options))
}

async function regenerate(request: GatewayRequest): Promise<Response> {
  const body = await request.body()
  const { namespace } = await existing(request)
  const options = againOptions(request, body)
  return submitted(await request.runtime.regenerate(namespace, parseSeq(body["seq"], "seq"), options))
}

async function resume(request: GatewayRequest): Promise<Response> {
  const body = await request.body()
  const { namespace } = await existing(request)
  return submitted(await request.runtime.resume(namespace, againOptions(request, body)))
}

/** Of a message that was sent before it can be said who answers it now, and with which model. */
function againOptions(
  request: GatewayRequest,
  body: Readonly<Record<string, unknown>>,
): Pick<RunOptions, "agent" | "model"> {
  const { agent, model } = parseRunOptions(request, body)
  return { ...(agent !== undefined && { agent }), ...(model !== undefined && { model }) }
}

async function stop(request: GatewayRequest): Promise<Response> {
  const { namespace } = await existing(request)
  return Response.json({ stopped: await request.team.stop(namespace) })
}

async function branch(request: GatewayRequest): Promise<Response> {
  const body = await request.body()
  const { namespace } = await existing(request)
  await request.runtime.switchBranch(namespace, parseSeq(body["tip"], "tip"))
  return Response.json({ switched: true })
}

async function cancelInput(request: GatewayRequest): Promise<Response> {
  const { namespace } = await existing(request)
  return Response.json({
    cancelled: await request.runtime.cancelInput(namespace, request.params["inputId"] ?? ""),
  })
}
