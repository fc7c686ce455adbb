import type { Json, JsonObject } from "@orra/core"
import { type Orchestration, serviceOf } from "../execution/orchestration.ts"
import type { RunPlanOptions, TaskCall, UndoCall } from "../execution/run.ts"
import type { Halt } from "../execution/run-log.ts"
import { newId } from "../ids.ts"
import type { Service } from "../planning/plan.ts"
import type { Reply } from "./ask.ts"
import type { Connections } from "./connections.ts"
import { taskOutcome, undoOutcome } from "./service-frame.ts"

/** How `runPlan` reaches services over their sockets: requests as the original's clients know them. Times in ms. */
export function calls({
  connections,
  orchestration,
  timeoutMs,
  graceMs,
  now,
}: {
  readonly connections: Connections
  readonly orchestration: Orchestration
  readonly timeoutMs: number
  readonly graceMs: number
  /** The time that all engines go by, in ms since 1970. */
  readonly now: () => number
}): Required<Pick<RunPlanOptions, "call" | "undo">> {
  const revertible = new Set(orchestration.services?.filter((each) => each.revertible).map(({ id }) => id))
  /** When undoing began, the same at every attempt of this process. */
  const undoingSince = new Date(now()).toISOString()

  const ask = (
    {
      task,
      service,
      idempotencyKey,
      signal,
    }: Pick<TaskCall, "task" | "service" | "idempotencyKey" | "signal">,
    message: JsonObject,
    prefix: "e_" | "e_comp_",
    graceMs: number,
    onProgress: (data: Json) => void,
  ): Promise<Reply> =>
    connections.ask({
      service: service.id,
      key: idempotencyKey,
      message: () => ({
        ...message,
        id: task,
        executionId: newId(prefix),
        idempotencyKey,
        serviceId: service.id,
      }),
      timeoutMs,
      graceMs,
      onProgress: ({ data }) => onProgress(data),
      signal,
    })

  return {
    call: async (call) => {
      const reply = await ask(call, { type: "task_request", input: call.input }, "e_", graceMs, call.progress)
      if (reply.type === "late") return { type: "failed", error: late(timeoutMs), isUnanswered: true }
      if (reply.type === "away")
        return { type: "failed", error: away(call.service, graceMs), isFinal: true, isUnanswered: true }
      return taskOutcome(reply, revertible.has(call.service.id))
    },
    undo: async (call: UndoCall) => {
      const { data, halt, expiresAt } = call
      const compensationContext = {
        orchestrationId: orchestration.id,
        ...contextOf(halt, orchestration),
        timestamp: undoingSince,
      }
      const request = { type: "compensation_request", input: data, compensationContext }
      // What is of no use any more is not waited with.
      const patienceMs = Math.min(graceMs, Math.max(0, expiresAt - now()))
      const reply = await ask(call, request, "e_comp_", patienceMs, () => {})
      if (reply.type === "late") return { status: "failed", error: late(timeoutMs) }
      if (reply.type === "away") return { status: "failed", error: away(call.service, patienceMs) }
      return undoOutcome(reply)
    },
  }
}

/** What a service is told of why it undoes a task. The original knows no cancelling: it is an abort for it. */
export function contextOf(halt: Halt, orchestration: Orchestration): JsonObject {
  switch (halt.reason) {
    case "failed": {
      const producer = serviceOf(orchestration, halt.task)?.id ?? ""
      return { reason: "failed", payload: { id: `task_fail_${halt.task}`, producer, error: halt.error } }
    }
    case "aborted":
      return { reason: "aborted", payload: halt.payload }
    case "cancelled":
      return { reason: "aborted" }
  }
}

const late = (ms: number): string => `There was no answer within ${ms} ms.`
const away = ({ name }: Service, ms: number): string =>
  `The service ${name} was not connected for ${ms} ms: start it again.`
