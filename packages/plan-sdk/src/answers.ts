import { errorMessage, isObject, type Json, type JsonObject, OrraError } from "@orra/core"
import type { TaskSchema } from "./schema.ts"
import {
  FinalFailure,
  type Handler,
  type OriginalTask,
  type RevertContext,
  type RevertHandler,
  TaskAborted,
} from "./task.ts"

/** What the engine is told of a task, and whether that is the last word: after a failure it asks again, and is answered anew. */
export interface Answer {
  readonly payload: JsonObject
  readonly isFinal: boolean
}

/** What a frame of the engine is at most; above it the connection breaks, again and again. */
const MAX_BYTES = 10 * 1024 * 1024 + 60 * 1024

export const failure = (error: unknown, isFinal: boolean): Answer => ({
  payload: { type: "task_result", result: null, error: errorMessage(error) || "The handler failed." },
  isFinal,
})

const result = (value: JsonObject): Answer => ({
  payload: { type: "task_result", result: value, error: null },
  isFinal: true,
})

/** Has a handler do a task. Never throws. */
export async function answerTask(
  request: JsonObject,
  {
    attempt,
    wasInterrupted,
    signal,
    handler,
    schema,
    revertTtlMs,
    onUpdate,
  }: {
    readonly attempt: number
    readonly wasInterrupted: boolean
    readonly signal: AbortSignal
    readonly handler: Handler<never>
    readonly schema: TaskSchema
    /** Undefined when the task cannot be undone. */
    readonly revertTtlMs: number | undefined
    readonly onUpdate: (data: Json) => void
  },
): Promise<Answer> {
  let input: unknown
  try {
    input = await schema.input.parse(request["input"] ?? null)
  } catch (error) {
    return failure(error, true)
  }
  let aborted: Answer | undefined
  const task = {
    ...identity(request),
    input,
    attempt,
    wasInterrupted,
    signal,
    pushUpdate: onUpdate,
    abort: (payload: Json = null): never => {
      aborted = {
        payload: { type: "task_abort_result", result: { task: asJson(payload) ?? null } },
        isFinal: true,
      }
      throw new TaskAborted()
    },
  }
  let output: unknown
  try {
    output = await handler(task as never)
  } catch (error) {
    return aborted ?? failure(error, error instanceof FinalFailure)
  }
  // A handler that caught what `abort` throws has aborted all the same.
  if (aborted) return aborted
  // From here on it has been done: a result that cannot be told is no reason to do it again.
  try {
    const value = asJson(await schema.output.parse(output))
    return revertTtlMs === undefined
      ? bounded(result({ ...(value !== undefined && { task: value }), compensation: null }))
      : revertible(request, value, revertTtlMs)
  } catch (error) {
    return failure(error, true)
  }
}

/** A large result is not sent twice: what undoes it finds it by the task's key. */
function revertible(request: JsonObject, value: Json | undefined, ttl: number): Answer {
  const taskResult = value ?? null
  const whole = { originalTask: request, taskResult }
  const answered = (data: JsonObject): Answer =>
    result({ ...(value !== undefined && { task: value }), compensation: { data, ttl } })
  const answer = answered(whole)
  return sizeOf(answer) <= MAX_BYTES ? answer : bounded(answered({ originalTask: request }))
}

function bounded(answer: Answer): Answer {
  if (sizeOf(answer) <= MAX_BYTES) return answer
  throw new OrraError("plan_result_too_large", "A result can have 10 MiB as JSON: give where it is instead.")
}

const sizeOf = ({ payload }: Answer): number => Buffer.byteLength(JSON.stringify(payload))

/** Has a handler undo a task. Never throws. */
export async function answerRevert(
  request: JsonObject,
  {
    handler,
    schema,
    resultOf,
  }: {
    readonly handler: RevertHandler<never, never>
    readonly schema: TaskSchema
    /** The result that was too large to come back with the request. */
    readonly resultOf: (idempotencyKey: string) => Promise<Json>
  },
): Promise<Answer> {
  try {
    const data = isObject(request["input"]) ? (request["input"] as JsonObject) : {}
    const original = isObject(data["originalTask"]) ? (data["originalTask"] as JsonObject) : {}
    const { idempotencyKey } = identity(original)
    const given = "taskResult" in data ? data["taskResult"] : await resultOf(idempotencyKey)
    const task: OriginalTask<unknown> = {
      ...identity(original),
      input: await schema.input.parse(original["input"] ?? null),
    }
    const context = (request["compensationContext"] ?? null) as RevertContext | null
    const outcome = (await handler(task as never, given as never, context)) ?? { status: "completed" }
    if (outcome.status === "failed") return failure(outcome.error ?? "It could not be undone.", false)
    return result(asJson(outcome) as JsonObject)
  } catch (error) {
    return failure(error, false)
  }
}

export const identity = (request: JsonObject) => ({
  id: String(request["id"] ?? ""),
  idempotencyKey: String(request["idempotencyKey"] ?? ""),
  executionId: String(request["executionId"] ?? ""),
  serviceId: String(request["serviceId"] ?? ""),
})

/** As it will travel. @throws OrraError (`plan_result_invalid`) for what JSON cannot say. */
export function asJson(value: unknown): Json | undefined {
  try {
    const text = JSON.stringify(value)
    return text === undefined ? undefined : (JSON.parse(text) as Json)
  } catch (error) {
    throw new OrraError(
      "plan_result_invalid",
      "A result or an update is not JSON: it has a cycle, a BigInt, or too much.",
      {},
      error,
    )
  }
}
