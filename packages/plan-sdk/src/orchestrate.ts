import { setTimeout as pause } from "node:timers/promises"
import { isObject, type Json, type JsonObject, OrraError, parseJson } from "@orra/core"
import { EventSourceParserStream } from "eventsource-parser/stream"

/** An engine, and a key of a project of it. */
export interface EngineAccess {
  /** Such as `http://127.0.0.1:8005`. */
  readonly url: string
  readonly apiKey: string
}

/** What is wanted. */
export interface PlanRequest {
  /** In words. */
  readonly action: string
  /** What is known, by name: it reaches services as it is. */
  readonly data?: JsonObject
  /** How long a task may take, in ms. Default: the engine's, 30 s. */
  readonly timeoutMs?: number
  /** How long a service that has gone is waited for, in ms. Default: the engine's, 30 min. */
  readonly graceMs?: number
}

/** How a plan ended. */
export interface PlanEnd {
  readonly id: string
  readonly status: "completed" | "failed" | "aborted" | "cancelled"
  /** What every task gave that no other needed. */
  readonly results?: readonly Json[]
  /** What each of them gave, by the ids of tasks. */
  readonly resultsByTask?: JsonObject
  /** Why it failed. */
  readonly error?: Json
  /** Which task aborted it, and with what. */
  readonly abortInfo?: JsonObject
}

export interface OrchestrateOptions {
  /** Cancels the plan: what is under way is waited for, and what was done is undone, by the engine, later. */
  readonly signal?: AbortSignal
  /** Told of the plan once it is made: each task with its id and the name of its service. */
  readonly onPlan?: (tasks: readonly { readonly id: string; readonly service: string }[]) => void
  /** Told of everything that is written of the run: `{ type: "task_sent", task: "task1", ... }`. */
  readonly onEntry?: (entry: JsonObject) => void
}

const LONGEST_PAUSE_MS = 10_000

/**
 * Has an engine plan something and carry it out, and waits for the end, also of an engine that is restarted meanwhile.
 *
 * ```ts
 * const { status, results } = await orchestrate({ url, apiKey }, { action: "Where is my order?", data: { orderId } })
 * ```
 *
 * @throws OrraError `plan_not_actionable` with why the services cannot do it, `plan_refused` with what the engine says,
 *   `plan_engine_unreachable`; the reason of the signal, when the plan was cancelled.
 */
export async function orchestrate(
  engine: EngineAccess,
  { action, data = {}, timeoutMs, graceMs }: PlanRequest,
  { signal = new AbortController().signal, onPlan, onEntry }: OrchestrateOptions = {},
): Promise<PlanEnd> {
  signal.throwIfAborted()
  // Not with the signal: what the engine has begun to plan it would carry out, and nobody would know its id.
  const created = await requested(engine, "POST", "/orchestrations", {
    action: { content: action },
    data: Object.entries(data).map(([field, value]) => ({ field, value })),
    ...(timeoutMs !== undefined && { timeout: `${timeoutMs}ms` }),
    ...(graceMs !== undefined && { healthCheckGracePeriod: `${graceMs}ms` }),
  })
  const id = String(created["id"])
  try {
    signal.throwIfAborted()
    onPlan?.(tasksOf(created["plan"]))
    return await followed(engine, id, signal, onEntry)
  } catch (error) {
    if (signal.aborted) await requested(engine, "POST", `/orchestrations/${id}/cancel`)
    throw error
  }
}

function tasksOf(plan: Json | undefined): readonly { readonly id: string; readonly service: string }[] {
  const tasks = isObject(plan) && Array.isArray(plan["tasks"]) ? (plan["tasks"] as readonly JsonObject[]) : []
  return tasks.map((task) => ({ id: String(task["id"]), service: String(task["service_name"]) }))
}

async function followed(
  engine: EngineAccess,
  id: string,
  signal: AbortSignal,
  onEntry: OrchestrateOptions["onEntry"],
): Promise<PlanEnd> {
  let last: string | undefined
  for (let failures = 0; ; failures++) {
    try {
      const response = await sent(engine, "GET", `/orchestrations/${id}/log?follow`, undefined, signal, last)
      const events = response.body
        ?.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
        .pipeThrough(new EventSourceParserStream())
      for await (const event of events ?? []) {
        failures = 0
        const value = parseJson(event.data) as JsonObject
        if (event.event === "end") return value as unknown as PlanEnd
        last = event.id
        onEntry?.(value)
      }
    } catch (error) {
      signal.throwIfAborted()
      if (error instanceof OrraError && error.code !== "plan_engine_unreachable") throw error
    }
    await pause(Math.min(500 * 2 ** failures, LONGEST_PAUSE_MS), undefined, { signal })
  }
}

async function requested(
  engine: EngineAccess,
  method: string,
  path: string,
  body?: JsonObject,
): Promise<JsonObject> {
  return parseJson(await (await sent(engine, method, path, body)).text()) as JsonObject
}

/** @throws OrraError unless the engine did as it was told. */
async function sent(
  { url, apiKey }: EngineAccess,
  method: string,
  path: string,
  body?: JsonObject,
  signal?: AbortSignal,
  lastEventId?: string,
): Promise<Response> {
  let response: Response
  try {
    response = await fetch(`${url.replace(/\/+$/, "")}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${apiKey}`,
        ...(body && { "content-type": "application/json" }),
        ...(lastEventId !== undefined && { "last-event-id": lastEventId }),
      },
      ...(body && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    })
  } catch (error) {
    signal?.throwIfAborted()
    throw unreachable(url, error)
  }
  if (response.ok) return response
  throw refusal(response.status, await response.text())
}

export const unreachable = (url: string, cause: unknown): OrraError =>
  new OrraError(
    "plan_engine_unreachable",
    `The plan engine at ${url} does not answer: is it running there?`,
    { url },
    cause,
  )

function refusal(status: number, text: string): OrraError {
  let said: Json = text
  try {
    said = parseJson(text)
  } catch {
    // A proxy in between answers as it likes.
  }
  const error = isObject(said) && isObject(said["error"]) ? said["error"] : {}
  const message = String(error["message"] ?? `The plan engine answered ${status}: is the key right?`).replace(
    // What the code says already.
    /^preparation failed with status not_actionable: /,
    "",
  )
  const code = error["code"] === "Orra:ActionNotActionable" ? "plan_not_actionable" : "plan_refused"
  return new OrraError(code, message, {
    status,
    ...(error["code"] !== undefined && { engine: error["code"] }),
  })
}
