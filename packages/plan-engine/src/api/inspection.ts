import type { Json, JsonObject } from "@orra/core"
import { type Orchestration, serviceOf } from "../execution/orchestration.ts"
import type { RunEntry, UndoOutcome } from "../execution/run-log.ts"
import { needs, type PlanTask, TASK_ZERO } from "../planning/plan.ts"
import { resolve } from "../planning/reference.ts"
import { timeText } from "../webhooks/plan-events.ts"
import { endView } from "./plan-views.ts"

/** Durations of an inspection are in nanoseconds. */
const NANO = 1_000_000

/**
 * Everything that is known of an orchestration: each task, how it went, what it was given and gave, and how it was undone.
 * `now` is ms since 1970; `isConnected` says of a service whether it is there.
 */
export function inspection(
  orchestration: Orchestration,
  entries: readonly RunEntry[],
  { now, isConnected }: { readonly now: number; readonly isConnected: (service: string) => boolean },
): JsonObject {
  const { id, status, action, updatedAt, plan, origin } = orchestration
  const tasks = plan?.tasks.map((task) => taskView(orchestration, task, entries, isConnected))
  return {
    id,
    status,
    action,
    timestamp: timeText(updatedAt),
    ...endView(orchestration),
    ...(tasks && { tasks }),
    ...(plan && { taskZero: plan.taskZero }),
    ...(origin && { planning: origin as unknown as JsonObject }),
    duration: Math.max(0, now - updatedAt) * NANO,
  }
}

function taskView(
  orchestration: Orchestration,
  task: PlanTask,
  all: readonly RunEntry[],
  isConnected: (service: string) => boolean,
): JsonObject {
  const service = serviceOf(orchestration, task.id)
  const entries = all.filter((entry) => aboutTask(entry) === task.id)
  const history = entries.flatMap((entry) => {
    const state = taskStatus(entry)
    return state ? [{ at: entry.at, ...state }] : []
  })
  const last = history.at(-1)
  const ofType = <T extends RunEntry["type"]>(type: T) =>
    entries.filter((entry): entry is Extract<RunEntry, { type: T }> => entry.type === type)
  const [done] = ofType("task_done")
  const [halted] = ofType("halted")
  const failed = ofType("task_failed").at(-1)
  const interim = ofType("task_progress")
  const sent = ofType("task_sent").at(-1)
  const isPaused = last?.status === "processing" && service && !isConnected(service.id)
  const about = { orchestrationId: orchestration.id, taskId: task.id, serviceId: service?.id ?? "" }
  return {
    id: task.id,
    serviceId: service?.id ?? task.service,
    serviceName: service?.name ?? "",
    needs: [...needs(task)],
    status: isPaused ? "paused" : (last?.status ?? "pending"),
    statusHistory: history.map(({ at, status, error }, index) => ({
      id: `evt_${task.id}_${index}`,
      ...about,
      status,
      timestamp: timeText(at),
      ...(error !== undefined && { error }),
    })),
    input: sent?.input ?? known(orchestration, task),
    ...(done && { output: done.output }),
    ...(halted?.halt.reason === "aborted" && { abortPayload: halted.halt.payload }),
    ...(last?.status === "failed" && failed && { error: failed.error }),
    duration: history.length === 0 ? 0 : ((history.at(-1)?.at ?? 0) - (history[0]?.at ?? 0)) * NANO,
    ...(interim.length > 0 && {
      interimResults: interim.map(({ at, data }, index) => ({
        id: `interim_${task.id}_${index}`,
        timestamp: timeText(at),
        data,
      })),
    }),
    ...compensationView(task.id, entries),
    isRevertible: service?.revertible ?? false,
  }
}

function aboutTask(entry: RunEntry): string | undefined {
  if ("task" in entry) return entry.task
  return entry.type === "halted" && "task" in entry.halt ? entry.halt.task : undefined
}

function taskStatus(entry: RunEntry): { readonly status: string; readonly error?: string } | undefined {
  if (entry.type === "task_sent") return { status: "processing" }
  if (entry.type === "task_done") return { status: "completed" }
  if (entry.type === "task_failed") return { status: "failed", error: entry.error }
  return entry.type === "halted" && entry.halt.reason === "aborted" ? { status: "aborted" } : undefined
}

/** What a task will be given, as far as it is known before. */
function known({ plan }: Orchestration, { input }: PlanTask): JsonObject {
  const outputs = new Map<string, Json>([[TASK_ZERO, plan?.taskZero ?? {}]])
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) => {
      try {
        return [name, resolve(value, outputs)]
      } catch {
        return [name, value]
      }
    }),
  )
}

function compensationView(task: string, entries: readonly RunEntry[]): JsonObject {
  const history: { status: string; attempt: number; at: number; error?: string }[] = []
  let attempt = 0
  for (const entry of entries) {
    const { at } = entry
    if (entry.type === "undo_sent") {
      attempt = entry.attempt
      history.push({ status: "processing", attempt, at })
    } else if (entry.type === "undo_failed")
      history.push({ status: "failed", attempt, at, error: entry.error })
    else if (entry.type === "undone") history.push({ attempt, at, ...outcomeView(entry.outcome) })
  }
  const last = history.at(-1)
  if (!last) return {}
  return {
    compensation: {
      status: last.status,
      attempt: last.attempt,
      max_attempts: MAX_ATTEMPTS,
      timestamp: timeText(last.at),
    },
    compensationHistory: history.map((each, index) => ({
      id: `comp_${task}_${index}`,
      taskId: task,
      status: each.status,
      attempt: each.attempt,
      maxAttempts: MAX_ATTEMPTS,
      timestamp: timeText(each.at),
      ...(each.error !== undefined && { error: each.error }),
    })),
  }
}

const MAX_ATTEMPTS = 10

const outcomeView = (outcome: UndoOutcome): { status: string; error?: string } =>
  outcome.status === "failed" ? { status: outcome.status, error: outcome.error } : { status: outcome.status }
