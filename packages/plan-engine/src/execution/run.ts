import { createHash } from "node:crypto"
import { setTimeout as pause } from "node:timers/promises"
import { canonicalJson, errorMessage, InvalidInput, type Json, type JsonObject, OrraError } from "@orra/core"
import {
  leaves,
  needs,
  type Plan,
  type PlanTask,
  parallelGroups,
  type Service,
  TASK_ZERO,
} from "../planning/plan.ts"
import { resolve } from "../planning/reference.ts"
import { Schemas } from "../planning/schema.ts"
import { type Halt, type RunEntry, type RunLog, RunState, type Undo, type UndoOutcome } from "./run-log.ts"

/** A task as it is sent to its service. */
export interface TaskCall {
  readonly task: string
  readonly service: Service
  readonly input: JsonObject
  /** The same for every attempt, in every process: by it a service knows what it has done already. */
  readonly idempotencyKey: string
  readonly attempt: number
  /** Writes what a task has to tell before it is done. */
  readonly progress: (data: Json) => void
  /** Fires when the time is up or the process stops. */
  readonly signal: AbortSignal
}

/** What came of a task. A call that throws has failed, and is tried again. */
export type TaskOutcome =
  | { readonly type: "done"; readonly output: Json; readonly undo?: Undo }
  /** `isFinal`: another attempt would be of no use. */
  | {
      readonly type: "failed"
      readonly error: string
      readonly isFinal?: true
      /** Nothing was heard of it: it may have been done. */
      readonly isUnanswered?: true
    }
  | { readonly type: "aborted"; readonly payload: Json }

/** A task that is to be undone. */
export interface UndoCall extends Omit<TaskCall, "input" | "progress"> {
  readonly data: Json
  readonly halt: Halt
  /** When it is of no use any more, ms since 1970. */
  readonly expiresAt: number
}

export interface RetryOptions {
  /** Attempts at most: 5 of a task, 10 of undoing one. */
  readonly attempts?: number
  /** The pause before the second attempt, in ms, default 2,000; it doubles, up to `maxDelayMs`, default 30,000. */
  readonly delayMs?: number
  readonly maxDelayMs?: number
}

export interface RunPlanOptions {
  /** Unique among all runs: idempotency keys are made of it. */
  readonly id: string
  /** One that is proved. */
  readonly plan: Plan
  readonly services: readonly Service[]
  readonly log: RunLog
  readonly call: (task: TaskCall) => Promise<TaskOutcome>
  /** Undoes a task. Default: there is nothing that could, and every task that has something to undo counts as failed. */
  readonly undo?: (task: UndoCall) => Promise<UndoOutcome>
  readonly retry?: RetryOptions
  readonly undoRetry?: RetryOptions
  /** What one attempt may take, in ms, default 30,000; Infinity where `call` and `undo` see to it themselves. */
  readonly timeoutMs?: number
  /** Ends the plan: nothing more is begun, what is under way is waited for, and what was done is undone. */
  readonly cancel?: AbortSignal
  /** Ends this process's part: the run stays as it is, and goes on when it is run again with its log. */
  readonly signal?: AbortSignal
  /** Keeps what schemas were compiled to, for the next run. Default: nothing is kept. */
  readonly schemas?: Schemas
  /** Told of each entry when it is written. */
  readonly onEntry?: (entry: RunEntry) => void
  /** The time in ms since 1970. Default `Date.now`. */
  readonly now?: () => number
}

/** What came of a plan. */
export type PlanResult =
  | { readonly status: "completed"; readonly results: Readonly<Record<string, Json>> }
  | (Halt & { readonly status: Halt["reason"]; readonly undone: Readonly<Record<string, UndoOutcome>> })

/**
 * Carries out a plan: each task as soon as what it needs is there. Everything is in the log before it counts, so that a
 * run that was cut off anywhere goes on when it is run again: what was done is not done again, and what was sent is sent
 * with the same key.
 *
 * ```ts
 * const result = await runPlan({ id, plan, services, log, call: async ({ service, input, idempotencyKey }) => ... })
 * if (result.status === "completed") console.log(result.results) // of each task that no other needs
 * ```
 *
 * When a task fails for good, aborts, or the plan is cancelled, nothing more is begun; what is under way is waited for;
 * then everything that was done and can be undone is, each task after those that needed it.
 *
 * @throws InvalidInput for a plan that was not proved; the reason of `signal`; whatever the log throws, after which the run can be run again.
 */
export async function runPlan(options: RunPlanOptions): Promise<PlanResult> {
  if (!parallelGroups(options.plan))
    throw new InvalidInput("The plan was not proved: its tasks wait for each other.")
  return await new Run(options, await options.log.read()).finish()
}

const TASK_RETRY = { attempts: 5, delayMs: 2_000, maxDelayMs: 30_000 }
export const UNDO_RETRY = { attempts: 10, delayMs: 2_000, maxDelayMs: 60_000 }

class Run {
  readonly #options: RunPlanOptions
  readonly #services: ReadonlyMap<string, Service>
  readonly #schemas: Schemas
  /** Fires when the run halts: nobody waits for another attempt. */
  readonly #halted = new AbortController()
  readonly #state: RunState
  #writing: Promise<unknown> = Promise.resolve()

  constructor(options: RunPlanOptions, entries: readonly RunEntry[]) {
    this.#options = options
    this.#schemas = options.schemas ?? new Schemas()
    this.#state = new RunState(entries)
    this.#services = new Map(options.services.map((service) => [service.id.toLowerCase(), service]))
    if (this.#state.halt) this.#halted.abort()
  }

  async finish(): Promise<PlanResult> {
    const { plan, cancel, signal } = this.#options
    signal?.throwIfAborted()
    const onCancel = (): void => void this.#halt({ reason: "cancelled" }).catch(() => {})
    cancel?.addEventListener("abort", onCancel, { once: true })
    try {
      if (this.#state.finished === undefined) {
        if (cancel?.aborted) await this.#halt({ reason: "cancelled" })
        await this.#tasks()
        if (this.#state.halt) await this.#undoAll(this.#state.halt)
        await this.#write({ type: "finished", status: this.#state.halt?.reason ?? "completed" })
      }
    } finally {
      cancel?.removeEventListener("abort", onCancel)
    }
    const { halt, done, undone } = this.#state
    if (halt) return { ...halt, status: halt.reason, undone: Object.fromEntries(undone) }
    const results = leaves(plan).map((id) => [id, done.get(id)?.output ?? null] as const)
    return { status: "completed", results: Object.fromEntries(results) }
  }

  /** Every task by itself: it waits for those it needs. What was sent before a halt is asked for once more. */
  async #tasks(): Promise<void> {
    const { tasks } = this.#options.plan
    const ends = new Map<string, Promise<void>>()
    const endOf = (task: PlanTask): Promise<void> => {
      const known = ends.get(task.id)
      if (known) return known
      const end = this.#after(task, () => tasks.filter(({ id }) => needs(task).has(id)).map(endOf))
      ends.set(task.id, end)
      return end
    }
    await settle(tasks.map(endOf))
  }

  async #after(task: PlanTask, needed: () => readonly Promise<void>[]): Promise<void> {
    await Promise.all(needed())
    const { done, halt, open } = this.#state
    const isReady = [...needs(task)].every((id) => done.has(id))
    if (done.has(task.id) || !isReady || (halt && !open.has(task.id))) return
    await this.#task(task)
  }

  async #task(task: PlanTask): Promise<void> {
    const { retry, call } = this.#options
    const service = this.#services.get(task.service.toLowerCase())
    const prepared = service ? this.#inputOf(task, service) : `There is no service ${task.service} any more.`
    if (!service || typeof prepared === "string") {
      const error = typeof prepared === "string" ? prepared : "There is no such service."
      await this.#write({ type: "task_failed", task: task.id, attempt: 0, error, isLast: true })
      return await this.#halt({ reason: "failed", task: task.id, error })
    }
    const { attempts, delayMs, maxDelayMs } = { ...TASK_RETRY, ...retry }
    const key = taskKey(this.#options.id, task, this.#state.done)
    const before = this.#state.attempts.get(task.id) ?? 0
    // A log that fails is noticed by what is written next.
    const progress = (data: Json): void =>
      void this.#write({ type: "task_progress", task: task.id, data }).catch(() => {})
    // What was sent and not heard of again is not an attempt that failed.
    const first = this.#state.open.has(task.id) ? before : before + 1
    for (let attempt = Math.max(1, Math.min(first, attempts)); ; attempt++) {
      await this.#write({ type: "task_sent", task: task.id, attempt, key, input: prepared })
      const outcome = await this.#attempt((signal) =>
        call({ task: task.id, service, input: prepared, idempotencyKey: key, attempt, progress, signal }),
      )
      if (outcome.type === "done") {
        const { output, undo } = outcome
        return await this.#write({ type: "task_done", task: task.id, output, ...(undo && { undo }) })
      }
      if (outcome.type === "aborted")
        return await this.#halt({ reason: "aborted", task: task.id, payload: outcome.payload })
      const isLast = attempt >= attempts || outcome.isFinal === true
      const { error, isUnanswered } = outcome
      const failed = { type: "task_failed", task: task.id, attempt, error, isLast } as const
      await this.#write({ ...failed, ...(isUnanswered && { isUnanswered }) })
      if (isLast) return await this.#halt({ reason: "failed", task: task.id, error })
      await this.#rest(Math.min(maxDelayMs, delayMs * 2 ** (attempt - 1)), this.#halted.signal)
      if (this.#halted.signal.aborted) return
    }
  }

  /** The input with what other tasks gave, as the service's schema wants it; or what is wrong with it. */
  #inputOf(task: PlanTask, service: Service): JsonObject | string {
    const outputs = new Map<string, Json>([[TASK_ZERO, this.#options.plan.taskZero]])
    for (const [id, { output }] of this.#state.done) outputs.set(id, output)
    try {
      const input = resolve(task.input, outputs) as JsonObject
      const faults = this.#schemas.faults(service.input, input)
      return faults.length === 0
        ? input
        : `What ${task.id} would be given does not fit: ${faults.join("; ")}.`
    } catch (error) {
      if (error instanceof OrraError) return error.message
      throw error
    }
  }

  async #attempt(call: (signal: AbortSignal) => Promise<TaskOutcome>): Promise<TaskOutcome> {
    try {
      return await this.#inTime(call)
    } catch (error) {
      return { type: "failed", error: errorMessage(error) }
    }
  }

  /** @throws what the call throws; an error that says so when it takes too long; the reason of `signal`. */
  async #inTime<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { timeoutMs = 30_000, signal } = this.#options
    const timeout = Number.isFinite(timeoutMs) ? AbortSignal.timeout(timeoutMs) : undefined
    const end = AbortSignal.any([timeout, signal].filter((each) => each !== undefined))
    const { promise, reject } = Promise.withResolvers<never>()
    const onEnd = (): void =>
      reject(timeout?.aborted ? new Error(`There was no answer within ${timeoutMs} ms.`) : end.reason)
    end.addEventListener("abort", onEnd, { once: true })
    try {
      return await Promise.race([call(end), promise])
    } finally {
      end.removeEventListener("abort", onEnd)
      signal?.throwIfAborted()
    }
  }

  /** Undoes what was done, each task after those that needed it. */
  async #undoAll(halt: Halt): Promise<void> {
    const { tasks } = this.#options.plan
    const ends = new Map<string, Promise<void>>()
    const endOf = (task: PlanTask): Promise<void> => {
      const known = ends.get(task.id)
      if (known) return known
      const later = (): readonly Promise<void>[] =>
        tasks.filter((other) => needs(other).has(task.id)).map(endOf)
      const end = (async () => {
        await Promise.all(later())
        await this.#undoOne(task, halt)
      })()
      ends.set(task.id, end)
      return end
    }
    await settle(tasks.map(endOf))
  }

  async #undoOne(task: PlanTask, halt: Halt): Promise<void> {
    const { undo, undoRetry, now = Date.now } = this.#options
    const service = this.#services.get(task.service.toLowerCase())
    const done = this.#state.done.get(task.id)
    if (!done?.undo || this.#state.undone.has(task.id)) return
    const { data, ttlMs } = done.undo
    const ended = (outcome: UndoOutcome): Promise<void> =>
      this.#write({ type: "undone", task: task.id, outcome })
    if (!undo || !service)
      return await ended({ status: "failed", error: `Nothing is there that undoes ${task.id}.` })
    const { attempts, delayMs, maxDelayMs } = { ...UNDO_RETRY, ...undoRetry }
    const key = undoKey(this.#options.id, task.id)
    const expiresAt = done.at + ttlMs
    for (let attempt = Math.min((this.#state.undoAttempts.get(task.id) ?? 0) + 1, attempts); ; attempt++) {
      if (now() >= expiresAt) return await ended({ status: "expired" })
      await this.#write({ type: "undo_sent", task: task.id, attempt, key })
      let error: string
      try {
        const outcome = await this.#inTime((signal) =>
          undo({ task: task.id, service, data, halt, expiresAt, idempotencyKey: key, attempt, signal }),
        )
        if (outcome.status !== "failed") return await ended(outcome)
        error = outcome.error
      } catch (cause) {
        this.#options.signal?.throwIfAborted()
        error = errorMessage(cause)
      }
      await this.#write({ type: "undo_failed", task: task.id, attempt, error })
      if (attempt >= attempts) return await ended({ status: "failed", error })
      await this.#rest(Math.min(maxDelayMs, delayMs * 2 ** (attempt - 1)))
    }
  }

  /** The first halt counts. */
  async #halt(halt: Halt): Promise<void> {
    if (this.#state.halt) return
    await this.#write({ type: "halted", halt })
    this.#halted.abort()
  }

  /** @throws the reason of `signal`. */
  async #rest(ms: number, until?: AbortSignal): Promise<void> {
    const { signal } = this.#options
    const any = AbortSignal.any([signal, until].filter((each) => each !== undefined))
    await pause(ms, undefined, { signal: any }).catch(() => {})
    signal?.throwIfAborted()
  }

  /** One entry after the other; what it says counts when it is written. */
  #write(entry: DistributiveOmit<RunEntry, "at">): Promise<void> {
    const { log, now = Date.now, onEntry = () => {}, signal } = this.#options
    const written = this.#writing.then(async () => {
      signal?.throwIfAborted()
      // Two tasks can fail at the same time: the first halt is the one that counts.
      if (entry.type === "halted" && this.#state.halt) return
      const whole = { ...entry, at: now() } as RunEntry
      await log.append(whole)
      this.#state.add(whole)
      onEntry(whole)
    })
    this.#writing = written.catch(() => {})
    return written
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

/** Waits for all, whatever becomes of them, then fails with the first failure. */
async function settle(work: readonly Promise<void>[]): Promise<void> {
  const ends = await Promise.allSettled(work)
  for (const end of ends) if (end.status === "rejected") throw end.reason
}

/** The key of a task, of its run and what others gave for it: the same for every attempt, in every process. */
export function taskKey(
  run: string,
  task: PlanTask,
  done: ReadonlyMap<string, { readonly output: Json }>,
): string {
  const given = [...needs(task)]
    .toSorted()
    .map((id) => `${id}:${canonicalJson(done.get(id)?.output ?? null)}`)
  return sha256([run, task.id, ...given].join("\n"))
}

/** The key of undoing a task: the same for every attempt, whoever makes it. */
export const undoKey = (run: string, task: string): string => sha256([run, task, "undo"].join("\n"))

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")
