import { InvalidInput, type Namespace } from "@orra/core"
import type { EditOptions } from "./edit.ts"
import type { FiringOptions } from "./firing.ts"
import type { Deliver } from "./notices.ts"
import type { PlanOptions } from "./plan.ts"
import { Zone } from "./zone.ts"

export interface SchedulerOptions {
  /** Whose jobs it does: those of this namespace and of all below. */
  readonly prefix: Namespace
  /**
   * Tells somebody how a firing ended, or that a job was paused. Give it in each process. Default: nobody is told, and the
   * log says so.
   */
  readonly deliver?: Deliver
  /**
   * Whether those who made a job are still there, with their rights. Asked before each firing; where they are not, the
   * job is paused. Default: they are.
   */
  readonly isActive?: FiringOptions["isActive"]
  /**
   * Awaited before an agent is asked: while somebody talks with theirs, a job can wait. Default: nothing is waited for.
   */
  readonly ready?: FiringOptions["ready"]
  /** The zone of schedules that name none. Default "UTC". */
  readonly timezone?: string
  /** The model of jobs that are `lightweight`, or what says it when one is done. Default: the runtime's. */
  readonly lightModel?: string | (() => string | undefined)
  /** The least time between two firings of a schedule, in ms. Default 1,000, which is the least. */
  readonly minIntervalMs?: number
  /** Jobs of one namespace at most. Default 100. */
  readonly maxJobs?: number
  /** Firings that go on in this process at the same time. Others wait. Default 20. */
  readonly maxRunning?: number
  /** So late a firing is not missed, in ms. Default 60,000. */
  readonly graceMs?: number
  /** What was missed longer ago is not made up for, in ms. Default a day. */
  readonly catchUpMs?: number
  /** How long a run may take, in ms, waiting for approvals included. Default an hour. */
  readonly runMs?: number
  /**
   * After so long, in ms, others do what a process has begun that says nothing any more; so long may telling somebody
   * take. Default 60,000.
   */
  readonly claimMs?: number
  /** The longest time between two looks at what other processes have changed, in ms. Default 1,000. */
  readonly pollMs?: number
  /** Told of failures that have no caller. Default: the console is. */
  readonly onError?: (error: unknown) => void
}

/** What the options leave open, filled in. */
export interface Limits
  extends PlanOptions,
    Pick<EditOptions, "limits" | "maxJobs">,
    Pick<FiringOptions, "isActive" | "lightModel" | "onError" | "ready" | "runMs"> {
  readonly maxRunning: number
  readonly pollMs: number
}

/** @throws InvalidInput for an interval that is too short; CronError (`timezone_unknown`). */
export function limitsOf(options: SchedulerOptions): Limits {
  const { minIntervalMs = 1_000, lightModel, onError = (error: unknown) => console.error(error) } = options
  if (!(minIntervalMs >= 1_000)) throw new InvalidInput("`minIntervalMs` is 1,000 or more.")
  const timezone = Zone.of(options.timezone ?? "UTC").name
  return {
    lightModel: typeof lightModel === "function" ? lightModel : () => lightModel,
    isActive: options.isActive ?? (() => true),
    ready: options.ready ?? (async () => {}),
    onError: (error) => {
      try {
        onError(error)
      } catch {
        // There is nobody left to tell.
      }
    },
    limits: (now) => ({ now, timezone, minIntervalMs }),
    maxJobs: options.maxJobs ?? 100,
    maxRunning: options.maxRunning ?? 20,
    graceMs: options.graceMs ?? 60_000,
    catchUpMs: options.catchUpMs ?? 86_400_000,
    runMs: options.runMs ?? 3_600_000,
    claimMs: options.claimMs ?? 60_000,
    pollMs: options.pollMs ?? 1_000,
  }
}
