import { isObject, type Json, type JsonObject, parseJson } from "@orra/core"
import type { TaskOutcome } from "../execution/run.ts"
import type { UndoOutcome } from "../execution/run-log.ts"

/** What a service says. `key` is the idempotency key of the task it is about. */
export type ServiceFrame =
  | { readonly type: "pong" }
  | {
      readonly type: "result"
      readonly key: string
      readonly execution: string
      readonly result: Json
      readonly error?: string
    }
  | { readonly type: "progress"; readonly key: string; readonly data: Json }
  | { readonly type: "aborted"; readonly key: string; readonly payload: Json }
  /** It works on a task: the answer to one that came twice. */
  | { readonly type: "working"; readonly key: string }
  /** A type nobody knows: it is acknowledged, and nothing else. */
  | { readonly type: "unknown" }

/** What answers a task. */
export type AnsweredFrame = Extract<ServiceFrame, { type: "result" | "aborted" }>

export interface Received {
  /** The id of the envelope, which is acknowledged; bare frames have none. */
  readonly id?: string
  readonly frame: ServiceFrame
}

/**
 * Reads a frame: in its envelope, or bare, as the original's client sends it again after it was away.
 *
 * @returns undefined for what is none.
 */
export function readFrame(text: string): Received | undefined {
  let parsed: Json
  try {
    parsed = parseJson(text)
  } catch {
    return undefined
  }
  if (!isObject(parsed)) return undefined
  const envelope = parsed as JsonObject
  const { id, payload } = envelope
  const isBare = !isObject(payload) && typeof envelope["type"] === "string"
  const body = isBare ? envelope : payload
  if (!isObject(body)) return undefined
  const frame = frameIn(body as JsonObject)
  return { frame, ...(!isBare && typeof id === "string" && id !== "" && { id }) }
}

function frameIn(payload: JsonObject): ServiceFrame {
  const { type, idempotencyKey: key, executionId, result = null, error } = payload
  if (type === "pong") return { type }
  if (typeof key !== "string") return { type: "unknown" }
  const task = isObject(result) ? ((result as JsonObject)["task"] ?? null) : null
  switch (type) {
    case "task_result": {
      const execution = String(executionId)
      const isFailed = error !== undefined && error !== null && error !== ""
      return { type: "result", key, execution, result, ...(isFailed && { error: textOf(error) }) }
    }
    case "task_interim_result":
      return { type: "progress", key, data: task }
    case "task_abort_result":
      return { type: "aborted", key, payload: task }
    case "task_status":
      return { type: "working", key }
    default:
      return { type: "unknown" }
  }
}

const textOf = (error: Json): string => (typeof error === "string" ? error : JSON.stringify(error))

/** How long what undoes a task is of use where its service does not say, in ms. */
const DEFAULT_TTL_MS = 24 * 60 * 60 * 1_000

/** What came of a task. A service that aborted one says so at its next attempt in an ordinary result. */
export function taskOutcome(frame: AnsweredFrame, isRevertible: boolean): TaskOutcome {
  if (frame.type === "aborted") return { type: "aborted", payload: frame.payload }
  if (frame.error !== undefined) return { type: "failed", error: frame.error }
  const { status, task = null, compensation } = membersOf(frame.result)
  if (status === "aborted") return { type: "aborted", payload: task }
  const { data, ttl } = membersOf(compensation)
  if (!isRevertible || data === undefined) return { type: "done", output: task }
  return {
    type: "done",
    output: task,
    undo: { data, ttlMs: typeof ttl === "number" && ttl > 0 ? ttl : DEFAULT_TTL_MS },
  }
}

/** What came of undoing one. */
export function undoOutcome(frame: AnsweredFrame): UndoOutcome {
  if (frame.type === "aborted") return { status: "failed", error: `It aborted: ${textOf(frame.payload)}` }
  if (frame.error !== undefined) return { status: "failed", error: frame.error }
  const members = membersOf(frame.result)
  if (members["status"] === "failed")
    return { status: "failed", error: textOf(members["error"] ?? "The service says that it failed.") }
  if (members["status"] !== "partial") return { status: "completed" }
  const { completed, remaining } = membersOf(members["partial"])
  return { status: "partial", completed: listOf(completed), remaining: listOf(remaining) }
}

const membersOf = (value: Json | undefined): JsonObject => (isObject(value) ? (value as JsonObject) : {})
const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? value : [])
