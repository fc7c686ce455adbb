import type { Json, JsonObject } from "@orra/core"
import type { FailedCompensation } from "../execution/failed-compensations.ts"
import { type Orchestration, serviceOf } from "../execution/orchestration.ts"
import type { Grounding } from "../planning/grounding-file.ts"
import type { GroundingTrial } from "../planning/grounding-trial.ts"
import { parallelGroups, type Service, TASK_ZERO } from "../planning/plan.ts"
import type { Delivery } from "../webhooks/deliveries.ts"
import { resultList, timeText } from "../webhooks/plan-events.ts"
import type { RegisteredService } from "../wire/services.ts"
import { writeDuration } from "./go-duration.ts"
import { SCOPES } from "./key-scopes.ts"
import type { PlanProject, ProjectKey } from "./projects.ts"

/** The time that is none, as Go writes it. */
const NO_TIME = "0001-01-01T00:00:00Z"

/** What registering a project answers: the only time that its key and the secret of its webhooks are shown. */
export const projectView = (project: PlanProject, apiKey: string): JsonObject => ({
  id: project.id,
  name: project.name,
  apiKey,
  additionalAPIKeys: [],
  webhooks: project.webhooks,
  compensationFailureWebhooks: project.compensationFailureWebhooks,
  webhookSecret: project.webhookSecret,
  createdAt: timeText(project.createdAt),
  updatedAt: timeText(project.updatedAt),
})

/** What is told of a project that is there. */
export const projectItem = ({ id, name, createdAt, updatedAt }: PlanProject): JsonObject => ({
  id,
  name,
  createdAt: timeText(createdAt),
  updatedAt: timeText(updatedAt),
})

export const keyView = ({ id, createdAt, scopes = SCOPES, expiresAt }: ProjectKey): JsonObject => ({
  id,
  createdAt: timeText(createdAt),
  scopes,
  ...(expiresAt !== undefined && { expiresAt: timeText(expiresAt) }),
})

export const registeredView = ({ id, name, revertible, version }: RegisteredService): JsonObject => ({
  id,
  name,
  status: "registered",
  revertible,
  version,
})

export const serviceView = (service: RegisteredService, isConnected: boolean): JsonObject => ({
  ...registeredView(service),
  kind: service.kind,
  description: service.description,
  schema: { input: service.input, output: service.output },
  healthy: isConnected,
})

/** What creating an orchestration answers. */
export function createdView(orchestration: Orchestration): JsonObject {
  const { id, projectId, action, data, plan, origin, status, createdAt, timeoutMs, graceMs } = orchestration
  const tasks = (plan?.tasks ?? []).map((task) => {
    const service = serviceOf(orchestration, task.id)
    return {
      id: task.id,
      service: service?.id ?? task.service,
      input: task.input,
      service_name: service?.name ?? "",
      capabilities: service ? [service.description] : [],
      expected_input: service?.input ?? {},
      expected_output: service?.output ?? {},
    }
  })
  return {
    id,
    projectID: projectId,
    action: { type: "", content: action },
    data: data as unknown as Json,
    plan: { tasks, parallel_groups: plan ? (parallelGroups(plan) ?? []) : [] },
    results: null,
    status,
    timestamp: timeText(createdAt),
    ...(timeoutMs !== undefined && { timeout: writeDuration(timeoutMs) }),
    ...(graceMs !== undefined && { healthCheckGracePeriod: writeDuration(graceMs) }),
    taskZero: { id: TASK_ZERO, input: plan?.taskZero ?? {} },
    ...(origin?.grounding && { groundingHit: origin.grounding as unknown as JsonObject }),
  }
}

/** How the groups of the list are called. */
const GROUPS = {
  pending: "pending",
  processing: "processing",
  completed: "completed",
  failed: "failed",
  not_actionable: "notActionable",
  aborted: "aborted",
  cancelled: "cancelled",
} as const satisfies Record<Orchestration["status"], string>

/** Orchestrations by their status; groups of which there is none are not there. */
export function listView(orchestrations: readonly Orchestration[]): JsonObject {
  const groups: Record<string, JsonObject[]> = {}
  for (const orchestration of orchestrations) {
    const name = GROUPS[orchestration.status]
    groups[name] ??= []
    groups[name].push(listItem(orchestration))
  }
  return groups
}

/** An orchestration as lists have it. */
export function listItem(orchestration: Orchestration): JsonObject {
  const { id, action, status, error, updatedAt, undone } = orchestration
  return {
    id,
    action,
    status,
    ...(error !== undefined && { error }),
    timestamp: timeText(updatedAt),
    ...(undone && { compensation: compensationSummary(orchestration) }),
  }
}

function compensationSummary({ plan, services = [], undone = {} }: Orchestration): JsonObject {
  const revertible = new Set(services.filter((each) => each.revertible).map(({ id }) => id))
  const outcomes = Object.values(undone).map(({ status }) => status)
  return {
    active: 0,
    total: (plan?.tasks ?? []).filter(({ service }) => revertible.has(service.toLowerCase())).length,
    completed: outcomes.filter((status) => status === "completed" || status === "partial").length,
    failed: outcomes.filter((status) => status === "failed" || status === "expired").length,
  }
}

/** What came of an orchestration, as its inspection has it. */
export function endView(orchestration: Orchestration): JsonObject {
  const { error, abort, results } = orchestration
  const service = abort && serviceOf(orchestration, abort.task)
  const list = resultList(orchestration)
  return {
    ...(error !== undefined && { error }),
    ...(abort && {
      abortInfo: {
        taskId: abort.task,
        serviceId: service?.id ?? "",
        serviceName: service?.name ?? "",
        payload: abort.payload,
      },
    }),
    ...(list && { results: list }),
    ...(results && { resultsByTask: results }),
  }
}

export const groundingView = (grounding: Grounding, { id }: PlanProject): JsonObject => ({
  ...(grounding as unknown as JsonObject),
  projectID: id,
})

/** What came of a use case that was tried. */
export function trialView(trial: GroundingTrial, services: readonly Service[]): JsonObject {
  const { useCase, action } = trial
  if ("error" in trial) return { useCase: useCase.action, action, isPlanned: false, error: trial.error }
  const tasks = trial.plan.tasks.map(({ id, service, input }) => ({
    id,
    service,
    service_name: services.find((each) => each.id === service.toLowerCase())?.name ?? "",
    input,
  }))
  return { useCase: useCase.action, action, isPlanned: true, tasks }
}

export const failedCompensationView = (failed: FailedCompensation): JsonObject => {
  const { undo, context, at, resolvedAt, failure, resolution } = failed
  return {
    id: failed.id,
    projectId: failed.projectId,
    orchestrationId: failed.orchestrationId,
    taskId: failed.taskId,
    serviceId: failed.serviceId,
    serviceName: failed.serviceName,
    compensationData: { data: undo.data, context, ttl: undo.ttlMs },
    status: failed.status,
    resolutionState: failed.resolutionState,
    ...(failure !== undefined && { failure }),
    ...(resolution !== undefined && { resolution }),
    attemptsMade: failed.attemptsMade,
    maxAttempts: 10,
    timestamp: timeText(at),
    resolvedAt: resolvedAt === undefined ? NO_TIME : timeText(resolvedAt),
  }
}

/** How telling a webhook went; with all it is told when one is asked for. */
export const deliveryView = (delivery: Delivery): JsonObject => {
  const { id, url, status, tried, body, createdAt, updatedAt } = delivery
  return {
    id,
    url,
    state: status,
    event: body["type"] ?? "",
    eventId: body["event_id"] ?? "",
    orchestrationId: body["orchestration_id"] ?? "",
    tried,
    attempts: delivery.attempts.map(({ at, ms, answered, error }) => ({
      timestamp: timeText(at),
      ms,
      ...(answered !== undefined && { answered }),
      ...(error !== undefined && { error }),
    })),
    createdAt: timeText(createdAt),
    updatedAt: timeText(updatedAt),
  }
}
