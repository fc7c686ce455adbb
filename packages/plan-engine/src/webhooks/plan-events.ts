import type { Json, JsonObject } from "@orra/core"
import type { FailedCompensation } from "../execution/failed-compensations.ts"
import type { Orchestration } from "../execution/orchestration.ts"

/** A time in ms since 1970 as clients of the original read it. */
export const timeText = (ms: number): string => new Date(ms).toISOString()

const seconds = (ms: number): number => Math.floor(ms / 1_000)

/** What comes of an orchestration, as a list: what every task gave that no other needs. */
export const resultList = ({ results }: Orchestration): readonly Json[] | undefined =>
  results && Object.values(results)

/** What webhooks are told of an orchestration that has ended, in whatever way. */
export function orchestrationEvent(orchestration: Orchestration): JsonObject {
  const { id, projectId, status, updatedAt, error, abort } = orchestration
  const results = resultList(orchestration)
  return {
    event_id: `${id}-${status}-${seconds(updatedAt)}`,
    type: `orchestration.${status}`,
    project_id: projectId,
    orchestration_id: id,
    status,
    timestamp: timeText(updatedAt),
    ...(results && { results }),
    ...(error !== undefined && { error }),
    ...(abort && { abort_reason: abort.payload }),
  }
}

/** What webhooks are told of something that could not be undone. */
export function compensationEvent(failed: FailedCompensation): JsonObject {
  const { id, projectId, orchestrationId, taskId, serviceId, serviceName, status, failure, undo, at } = failed
  return {
    event_id: `${id}-${status}-${seconds(at)}`,
    type: "compensation.failed",
    compensation_id: id,
    project_id: projectId,
    orchestration_id: orchestrationId,
    task_id: taskId,
    service_id: serviceId,
    service_name: serviceName,
    status,
    failure: failure ?? "",
    compensation_data: { data: undo.data, context: failed.context, ttl: undo.ttlMs },
    timestamp: timeText(at),
  }
}
