import type { ObservedPlan, ObservedStep, PlanObserver } from "@orra/telemetry"
import { type Orchestration, serviceOf } from "../execution/orchestration.ts"
import type { RunEntry } from "../execution/run-log.ts"
import type { Delivery, DeliveryAttempt } from "../webhooks/deliveries.ts"

/** Tells observers what has ended. What fails in one of them changes nothing else. */
export function telling(
  observers: readonly PlanObserver[],
  {
    entries,
    onError,
  }: {
    readonly entries: (orchestration: Orchestration) => Promise<readonly RunEntry[]>
    readonly onError: (error: unknown) => void
  },
) {
  const tell = (say: (observer: PlanObserver) => void): void => {
    for (const observer of observers) {
      try {
        say(observer)
      } catch (error) {
        onError(error)
      }
    }
  }
  return {
    ended(orchestration: Orchestration): void {
      entries(orchestration).then((log) => {
        const plan = observed(orchestration, log)
        tell((observer) => observer.ended(plan))
      }, onError)
    },
    attempted({ body, status, tried }: Delivery, { at, ms, answered }: DeliveryAttempt): void {
      const delivery = {
        plan: String(body["orchestration_id"]),
        event: String(body["type"]),
        attempt: tried,
        from: at,
        to: at + ms,
        ...(answered !== undefined && { answered }),
        outcome: status,
      }
      tell((observer) => observer.told(delivery))
    },
  }
}

/** What an orchestration took, by its log. */
export function observed(orchestration: Orchestration, entries: readonly RunEntry[]): ObservedPlan {
  const { id, status, createdAt, updatedAt, plan } = orchestration
  const steps: ObservedStep[] = []
  const open = new Map<string, Pick<ObservedStep, "type" | "task" | "attempt" | "from">>()
  const ended = (type: "task" | "undo", task: string, to: number, outcome: string): void => {
    const begun = open.get(`${type} ${task}`)
    if (!begun) return
    const service = serviceOf(orchestration, task)?.name
    steps.push({ ...begun, to, outcome, ...(service !== undefined && { service }) })
    open.delete(`${type} ${task}`)
  }
  const plannedAt = entries.at(0)?.at ?? updatedAt
  steps.push({
    type: "plan",
    task: "plan",
    attempt: 1,
    from: createdAt,
    to: plannedAt,
    outcome: plan ? "done" : status,
  })
  for (const entry of entries) {
    switch (entry.type) {
      case "task_sent":
      case "undo_sent": {
        const type = entry.type === "task_sent" ? "task" : "undo"
        // What was sent again after a crash is still the same attempt.
        const { from = entry.at } = open.get(`${type} ${entry.task}`) ?? {}
        open.set(`${type} ${entry.task}`, { type, task: entry.task, attempt: entry.attempt, from })
        break
      }
      case "task_done":
        ended("task", entry.task, entry.at, "done")
        break
      case "task_failed":
        ended("task", entry.task, entry.at, entry.isUnanswered ? "unknown" : "failed")
        break
      case "halted":
        if (entry.halt.reason === "aborted") ended("task", entry.halt.task, entry.at, "aborted")
        break
      case "undo_failed":
        ended("undo", entry.task, entry.at, "failed")
        break
      case "undone":
        ended("undo", entry.task, entry.at, entry.outcome.status)
        break
      case "task_progress":
      case "finished":
        break
    }
  }
  return { id, status, from: createdAt, to: updatedAt, steps }
}
