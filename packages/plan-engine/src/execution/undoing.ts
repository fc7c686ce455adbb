import {
  everyItem,
  type Json,
  type Namespace,
  OrraError,
  type Records,
  type SessionStore,
  VersionConflict,
} from "@orra/core"
import { timeOf } from "../stored.ts"
import type { Connections } from "../wire/connections.ts"
import type { calls } from "../wire/service-calls.ts"
import { type AnsweredFrame, taskOutcome } from "../wire/service-frame.ts"
import type { DurableRun, Workflow } from "./durable/durable.ts"
import type { FailedCompensation, FailedCompensations } from "./failed-compensations.ts"
import { type Orchestration, type Orchestrations, serviceOf } from "./orchestration.ts"
import type { RecordedLog } from "./recorded-log.ts"
import { type RetryOptions, UNDO_RETRY, undoKey } from "./run.ts"
import { type RunEntry, RunState, type Undo, type UndoOutcome } from "./run-log.ts"

export interface UndoingOptions {
  readonly store: SessionStore
  readonly root: Namespace
  readonly connections: Pick<Connections, "recall">
  readonly orchestrations: Orchestrations
  readonly failed: FailedCompensations
  readonly undoRetry?: RetryOptions
  readonly log: (orchestration: Orchestration) => RecordedLog
  readonly calls: (orchestration: Orchestration) => ReturnType<typeof calls>
  /** Begins one of `workflows`. */
  readonly start: (workflow: string, at: Namespace, input: Json) => Promise<void>
  /** Writes down what could not be undone, and tells whoever wants to know. */
  readonly onFailed: (
    orchestration: Orchestration,
    task: string,
    outcome: UndoOutcome,
    state: RunState,
  ) => Promise<void>
}

/** Which task of an orchestration. */
type TaskOf = { readonly projectId: string; readonly orchestrationId: string; readonly taskId: string }
type RetryInput = TaskOf & { readonly failure: string }
type LateInput = TaskOf & { readonly output: Json; readonly undo: Undo }

/** So long a service knows what it has done: later nothing is heard of it any more. */
const KNOWN_MS = 24 * 60 * 60_000

/**
 * Undoing after a plan has ended: what could not be undone is tried again when somebody asks for it, and what a service says
 * only then that it has done is undone after all. It outlives the engine as plans do.
 */
export class Undoing {
  readonly #options: UndoingOptions
  /** Tasks of which nothing was heard when their plan ended, by their services and idempotency keys. */
  readonly #unanswered: Records

  constructor(options: UndoingOptions) {
    this.#options = options
    this.#unanswered = options.store.records("plan-unanswered")
  }

  readonly workflows: Readonly<Record<string, Workflow>> = {
    "retry-undo": (run, input) => this.#retried(run, input as RetryInput),
    "undo-late": (run, input) => this.#undoneLate(run, input as unknown as LateInput),
  }

  /**
   * Tries again to undo what could not be undone, as soon as its service is there, however long that took.
   *
   * @throws NotFound; OrraError `plan_compensation_settled` for one that somebody has seen to.
   */
  async retry(projectId: string, id: string): Promise<FailedCompensation> {
    const failure = await this.#options.failed.get(projectId, id)
    const { orchestrationId, taskId, resolutionState } = failure
    if (resolutionState !== "pending")
      throw new OrraError(
        "plan_compensation_settled",
        `This compensation is ${resolutionState}: there is nothing to try again.`,
      )
    const at = this.#options.root.child(projectId, orchestrationId, "undo", taskId)
    await this.#options.start("retry-undo", at, { projectId, orchestrationId, taskId, failure: id })
    return failure
  }

  /** Keeps in mind what a plan that did not come to its end has not heard of. */
  async expect(orchestration: Orchestration, entries: readonly RunEntry[]): Promise<void> {
    const { id: orchestrationId, projectId } = orchestration
    for (const taskId of new RunState(entries).unanswered) {
      const sent = entries.findLast((entry) => entry.type === "task_sent" && entry.task === taskId)
      const service = serviceOf(orchestration, taskId)
      if (sent?.type !== "task_sent" || !service) continue
      const place = this.#place(service.id)
      await this.#forgetOld(place)
      await this.#unanswered.put(place, sent.key, { projectId, orchestrationId, taskId })
      // It may have come since the time was up.
      this.#options.connections.recall(service.id, sent.key)
    }
  }

  /** What a service says of a task that nobody waits for. */
  async heard(service: string, frame: AnsweredFrame): Promise<void> {
    const place = this.#place(service)
    const record = await this.#unanswered.get(place, frame.key)
    if (!record) return
    const task = record.value as TaskOf
    const { projectId, orchestrationId, taskId } = task
    const orchestration = await this.#options.orchestrations.get(projectId, orchestrationId)
    const { revertible = false } = serviceOf(orchestration, taskId) ?? {}
    const outcome = taskOutcome(frame, revertible)
    if (outcome.type === "done" && outcome.undo) {
      const { output, undo } = outcome
      const at = this.#options.root.child(projectId, orchestrationId, "late", taskId)
      await this.#options.start("undo-late", at, { ...task, output, undo: { ...undo } })
    }
    await this.#unanswered.delete(place, frame.key)
  }

  async #retried(
    run: DurableRun,
    { projectId, orchestrationId, taskId, failure }: RetryInput,
  ): Promise<Json> {
    const { failed, orchestrations } = this.#options
    const orchestration = await orchestrations.get(projectId, orchestrationId)
    const { undo } = await failed.get(projectId, failure)
    const { outcome, attempts } = await this.#undo(run, orchestration, taskId, undo, Number.POSITIVE_INFINITY)
    await this.#write(run, orchestration, taskId, outcome)
    return await run.step("settle", async () => {
      await failed.tried(projectId, failure, { outcome, attempts, at: await this.#now() })
      return null
    })
  }

  async #undoneLate(
    run: DurableRun,
    { projectId, orchestrationId, taskId, output, undo }: LateInput,
  ): Promise<Json> {
    const { orchestrations, onFailed, log } = this.#options
    const orchestration = await orchestrations.get(projectId, orchestrationId)
    const doneAt = await run.step("done", async () => {
      const at = await this.#now()
      await this.#append(orchestration, (state) =>
        state.done.has(taskId) ? [] : [{ type: "task_done", task: taskId, output, undo, at }],
      )
      return at
    })
    const { outcome } = await this.#undo(run, orchestration, taskId, undo, doneAt + undo.ttlMs)
    await this.#write(run, orchestration, taskId, outcome)
    return await run.step("fail", async () => {
      const state = new RunState(await log(orchestration).read())
      await onFailed(orchestration, taskId, outcome, state)
      return null
    })
  }

  /** Each attempt waits for its service, for as long as a task would. */
  async #undo(
    run: DurableRun,
    orchestration: Orchestration,
    task: string,
    { data }: Undo,
    expiresAt: number,
  ): Promise<{ readonly outcome: UndoOutcome; readonly attempts: number }> {
    const { calls, log, undoRetry } = this.#options
    const service = serviceOf(orchestration, task)
    const { halt } = new RunState(await log(orchestration).read())
    if (!service || !halt) return { outcome: NOTHING_UNDOES, attempts: 0 }
    const { attempts, delayMs, maxDelayMs } = { ...UNDO_RETRY, ...undoRetry }
    const idempotencyKey = undoKey(orchestration.id, task)
    for (let attempt = 1; ; attempt++) {
      if ((await this.#now()) >= expiresAt) return { outcome: { status: "expired" }, attempts: attempt - 1 }
      const { signal } = run
      const asked = { task, service, data, halt, expiresAt, idempotencyKey, attempt, signal }
      const outcome = (await run.step(
        `undo ${attempt}`,
        async () => (await calls(orchestration).undo(asked)) as unknown as Json,
      )) as unknown as UndoOutcome
      if (outcome.status !== "failed" || attempt >= attempts) return { outcome, attempts: attempt }
      await run.sleep(`pause ${attempt}`, Math.min(maxDelayMs, delayMs * 2 ** (attempt - 1)))
    }
  }

  /** Writes it where what was undone at the end of the plan is. */
  async #write(
    run: DurableRun,
    orchestration: Orchestration,
    task: string,
    outcome: UndoOutcome,
  ): Promise<void> {
    const { projectId, id } = orchestration
    await run.step("write", async () => {
      const at = await this.#now()
      await this.#append(orchestration, (state) =>
        isSame(state.undone.get(task), outcome) ? [] : [{ type: "undone", task, outcome, at }],
      )
      await this.#options.orchestrations.update(projectId, id, (current) => ({
        ...current,
        undone: { ...current.undone, [task]: outcome },
      }))
      return null
    })
  }

  async #append(
    orchestration: Orchestration,
    entriesOf: (state: RunState) => readonly RunEntry[],
  ): Promise<void> {
    for (;;) {
      const log = this.#options.log(orchestration)
      const entries = entriesOf(new RunState(await log.read()))
      try {
        for (const entry of entries) await log.append(entry)
        return
      } catch (error) {
        // Another task of it is undone at the same time.
        if (!(error instanceof VersionConflict)) throw error
      }
    }
  }

  async #forgetOld(place: Namespace): Promise<void> {
    const now = await this.#now()
    for await (const { key, updatedAt } of everyItem((page) => this.#unanswered.list(place, page)))
      if (updatedAt < now - KNOWN_MS) await this.#unanswered.delete(place, key)
  }

  async #now(): Promise<number> {
    return await timeOf(this.#options.store)
  }

  #place(service: string): Namespace {
    return this.#options.root.child("unanswered", service)
  }
}

const NOTHING_UNDOES: UndoOutcome = { status: "failed", error: "Nothing is there that undoes it." }

const isSame = (a: UndoOutcome | undefined, b: UndoOutcome): boolean =>
  JSON.stringify(a) === JSON.stringify(b)
