import { setTimeout as pause } from "node:timers/promises"
import {
  errorMessage,
  type Json,
  type JsonObject,
  type Namespace,
  OrraError,
  type SessionStore,
  StoreError,
} from "@orra/core"
import type { PlanProjects } from "../api/projects.ts"
import { derivedId, newId } from "../ids.ts"
import type { Grounding } from "../planning/grounding-file.ts"
import { tryGrounding } from "../planning/grounding-trial.ts"
import type { Plan } from "../planning/plan.ts"
import type { PlanningEvent } from "../planning/planner.ts"
import { Planning, type PlanningOptions, type PlanOrigin } from "../planning/planning.ts"
import { Schemas } from "../planning/schema.ts"
import { timeOf } from "../stored.ts"
import { compensationEvent, orchestrationEvent, timeText } from "../webhooks/plan-events.ts"
import type { PlanWebhooks } from "../webhooks/plan-webhooks.ts"
import type { Connections } from "../wire/connections.ts"
import { calls, contextOf } from "../wire/service-calls.ts"
import type { PlanServices } from "../wire/services.ts"
import type { Durability, Durable, DurableRun } from "./durable/durable.ts"
import { embedded } from "./durable/embedded.ts"
import { FailedCompensations } from "./failed-compensations.ts"
import type { News } from "./news.ts"
import {
  type OnChange,
  type Orchestration,
  type OrchestrationRequest,
  Orchestrations,
  serviceOf,
} from "./orchestration.ts"
import { RecordedLog } from "./recorded-log.ts"
import { type PlanResult, type RetryOptions, runPlan } from "./run.ts"
import { type RunEntry, RunState, type UndoOutcome } from "./run-log.ts"
import { Undoing } from "./undoing.ts"

export interface OrchestratorOptions extends PlanningOptions {
  readonly store: SessionStore
  readonly root: Namespace
  readonly retry?: RetryOptions
  readonly undoRetry?: RetryOptions
  readonly projects: PlanProjects
  readonly services: PlanServices
  readonly connections: Connections
  readonly webhooks: PlanWebhooks
  readonly durable?: Durability
  /** Told of every orchestration that changed, and of every entry of a log. */
  readonly news: News
  readonly onChange: OnChange
  readonly onError: (error: unknown) => void
}

const GRACE_MS = 30 * 60_000
const TIMEOUT_MS = 30_000
/** How long after the store failed a run is tried again, in ms. */
const STORE_PAUSE_MS = 5_000

const STORE_RETRY = {
  attempts: Number.POSITIVE_INFINITY,
  delayMs: STORE_PAUSE_MS,
  maxDelayMs: STORE_PAUSE_MS,
}
const STOPPED = new OrraError("plan_engine_stopped", "The engine stops; it goes on when it starts again.")

/** What came of planning. `code` is that of the error, whose text is `error`. */
type Planned =
  | { readonly status: "processing" }
  | {
      readonly status: "not_actionable" | "failed" | "cancelled"
      readonly updatedAt: number
      readonly code: string
      readonly error: string
    }

interface Ran {
  readonly result: PlanResult
  readonly entries: readonly RunEntry[]
}

/** Plans orchestrations and carries them out, whatever ends in between. */
export class Orchestrator {
  readonly orchestrations: Orchestrations
  readonly failed: FailedCompensations
  readonly undoing: Undoing
  readonly #options: OrchestratorOptions
  readonly #schemas = new Schemas()
  readonly #planning: Planning
  readonly #durable: Durable
  /** Who waits for the plan of an orchestration. */
  readonly #asked = new Map<string, PromiseWithResolvers<Orchestration>>()
  /** Who is told how planning goes on. */
  readonly #watching = new Map<string, (event: PlanningEvent) => void>()
  /** By how much the store's clock is ahead of this process's, in ms, as it was seen last. */
  #ahead = 0
  readonly #time = (): number => Date.now() + this.#ahead

  constructor(options: OrchestratorOptions) {
    this.#options = options
    this.#planning = new Planning({ ...options, schemas: this.#schemas })
    const { news, onChange } = options
    this.orchestrations = new Orchestrations(options.store, options.root, (orchestration, before) => {
      news.tell(orchestration.id, orchestration.projectId)
      onChange(orchestration, before)
    })
    this.failed = new FailedCompensations(options.store, options.root)
    const { store, root, connections, undoRetry, durable = embedded(), onError } = options
    this.undoing = new Undoing({
      store,
      root,
      connections,
      orchestrations: this.orchestrations,
      failed: this.failed,
      log: (orchestration) => this.log(orchestration),
      calls: (orchestration) => this.#calls(orchestration),
      start: (workflow, at, input) => this.#durable.start(workflow, at, input),
      onFailed: (...what) => this.#recordFailure(...what),
      ...(undoRetry && { undoRetry }),
    })
    this.#durable = durable({
      store,
      root,
      onError,
      workflows: {
        orchestration: (run, input) => this.#carryOut(run, input as unknown as Orchestration),
        ...this.undoing.workflows,
      },
    })
  }

  /**
   * Plans what somebody wants, and begins with it.
   *
   * @param watch Told its id, and how planning goes on where it is planned by this engine.
   * @returns the orchestration with its plan, under way.
   * @throws what `makePlan` throws, and OrraError `plan_cancelled`: it has ended then, as `not_actionable`, `failed` or `cancelled`.
   */
  async create(
    projectId: string,
    request: OrchestrationRequest,
    watch: (event: PlanningEvent | { readonly type: "created"; readonly id: string }) => void = () => {},
  ): Promise<Orchestration> {
    const at = await this.#now()
    const id = newId("o_")
    const orchestration: Orchestration = {
      ...request,
      id,
      projectId,
      status: "pending",
      createdAt: at,
      updatedAt: at,
    }
    const asked = Promise.withResolvers<Orchestration>()
    asked.promise.catch(() => {})
    this.#asked.set(id, asked)
    this.#watching.set(id, watch)
    watch({ type: "created", id })
    try {
      const input = orchestration as unknown as Json
      await this.#durable.start("orchestration", this.#at(orchestration), input)
      return await asked.promise
    } finally {
      this.#asked.delete(id)
      this.#watching.delete(id)
    }
  }

  /** Ends an orchestration: what is under way is waited for, then what was done is undone. @throws NotFound. */
  async cancel(projectId: string, id: string): Promise<Orchestration> {
    const cancelled = await this.orchestrations.update(projectId, id, (orchestration) =>
      orchestration.status === "pending" || orchestration.status === "processing"
        ? { ...orchestration, isCancelled: true }
        : orchestration,
    )
    await this.#durable.cancel(this.#at(cancelled))
    return cancelled
  }

  /** Plans the use cases of a grounding that need not be applied; carries nothing out. */
  async tryGrounding(projectId: string, grounding: Grounding, signal: AbortSignal) {
    const services = await this.#alive(projectId, GRACE_MS)
    return { services, trials: await tryGrounding(grounding, { ...this.#options, services, signal }) }
  }

  /** What is written of a run. */
  async entries(orchestration: Orchestration): Promise<readonly RunEntry[]> {
    return await this.log(orchestration).read()
  }

  log(orchestration: Orchestration): RecordedLog {
    return new RecordedLog(this.#options.store.records("plan-runs"), this.#at(orchestration))
  }

  /** Goes on with everything that has not ended, as after a crash. */
  async recover(): Promise<void> {
    await this.#durable.open()
  }

  /** Ends this process's part. Everything stays as it is, and goes on in the next one. */
  async stop(): Promise<void> {
    await this.#durable.close()
    for (const { reject } of this.#asked.values()) reject(STOPPED)
  }

  /** An orchestration from its start to its end. */
  async #carryOut(run: DurableRun, orchestration: Orchestration): Promise<Json> {
    const asked = this.#asked.get(orchestration.id)
    const planning = await run.step("plan", () => this.#plan(orchestration, run), STORE_RETRY)
    if (planning.status !== "processing") {
      const { code, ...end } = planning
      await run.step("end", () => this.#end({ ...orchestration, ...end }), STORE_RETRY)
      asked?.reject(new OrraError(code, planning.error))
      return planning.status
    }
    const planned = await this.#stored(run, () =>
      this.orchestrations.get(orchestration.projectId, orchestration.id),
    )
    asked?.resolve(planned)
    const { result, entries } = await this.#stored(run, () => this.#run(planned, run))
    return await run.step("end", () => this.#finish(planned, result, entries), STORE_RETRY)
  }

  /** A store that was away for a while is no reason to leave a plan where it is. */
  async #stored<T>({ signal }: DurableRun, work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof StoreError) || signal.aborted) throw error
        this.#options.onError(error)
        await pause(STORE_PAUSE_MS, undefined, { signal })
      }
    }
  }

  /** What was planned is in the orchestration; what it comes to otherwise is told, and has yet to be written. */
  async #plan(orchestration: Orchestration, run: DurableRun): Promise<Planned> {
    const { action, data, projectId, id, graceMs = GRACE_MS } = orchestration
    const { status } = await this.orchestrations.create(orchestration)
    if (status === "processing") return { status }
    const alive = await this.#alive(projectId, graceMs)
    let plan: Plan
    let origin: PlanOrigin
    try {
      const made = await this.#planning.plan({
        projectId,
        action,
        data,
        services: alive,
        signal: AbortSignal.any([run.signal, run.cancelled]),
        onProgress: (event) => this.#watching.get(id)?.(event),
      })
      plan = made.plan
      origin = made.origin
    } catch (error) {
      run.signal.throwIfAborted()
      if (run.cancelled.aborted)
        return {
          status: "cancelled",
          updatedAt: await this.#now(),
          code: "plan_cancelled",
          error: "It was cancelled while it was planned: nothing was done.",
        }
      const code = error instanceof OrraError ? error.code : "plan_failed"
      return {
        status: code === "plan_not_actionable" ? "not_actionable" : "failed",
        updatedAt: await this.#now(),
        code,
        error: errorMessage(error),
      }
    }
    const used = new Set(plan.tasks.map(({ service }) => service.toLowerCase()))
    const updatedAt = await this.#now()
    await this.orchestrations.update(projectId, id, (current) => ({
      ...current,
      status: "processing",
      updatedAt,
      plan,
      origin,
      services: alive.filter((service) => used.has(service.id)),
    }))
    return { status: "processing" }
  }

  /** One that has been away for longer than it would be waited for is of no use to a plan. */
  async #alive(projectId: string, graceMs: number) {
    const { services, connections } = this.#options
    return (await services.list(projectId)).filter(({ id }) => connections.awayMs(id) <= graceMs)
  }

  async #run(orchestration: Orchestration, run: DurableRun): Promise<Ran> {
    const { retry, undoRetry, news } = this.#options
    const { id, plan, services = [] } = orchestration
    if (!plan)
      throw new OrraError("plan_missing", `The orchestration ${id} has no plan: restore it from a backup.`)
    const log = this.log(orchestration)
    // What one engine has done another one may undo: their clocks may differ, so the time is the store's.
    await this.#now()
    const result = await runPlan({
      id,
      plan,
      services,
      log,
      ...this.#calls(orchestration),
      timeoutMs: Number.POSITIVE_INFINITY,
      cancel: orchestration.isCancelled ? AbortSignal.abort() : run.cancelled,
      signal: run.signal,
      onEntry: () => news.tell(id),
      schemas: this.#schemas,
      now: this.#time,
      ...(retry && { retry }),
      ...(undoRetry && { undoRetry }),
    })
    return { result, entries: await log.read() }
  }

  #calls(orchestration: Orchestration): ReturnType<typeof calls> {
    const { connections } = this.#options
    const { timeoutMs = TIMEOUT_MS, graceMs = GRACE_MS } = orchestration
    return calls({ connections, orchestration, timeoutMs, graceMs, now: this.#time })
  }

  async #finish(
    run: Orchestration,
    result: PlanResult,
    entries: readonly RunEntry[],
  ): Promise<Orchestration["status"]> {
    const ended: Orchestration = {
      ...run,
      status: result.status,
      // The same in every process that ends it.
      updatedAt: entries.at(-1)?.at ?? run.updatedAt,
      ...endOf(run, result),
    }
    if (result.status !== "completed") {
      const state = new RunState(entries)
      for (const [task, outcome] of Object.entries(result.undone))
        await this.#recordFailure(ended, task, outcome, state)
    }
    const status = await this.#end(ended)
    if (status !== "completed") await this.undoing.expect(ended, entries)
    return status
  }

  async #end(ended: Orchestration): Promise<Orchestration["status"]> {
    const { projects, webhooks } = this.#options
    const project = await projects.get(ended.projectId)
    // First what is told, then that it has ended: a crash in between tells it again, under the same event id.
    if (project) await webhooks.add(project, "webhooks", orchestrationEvent(ended))
    await this.orchestrations.put(ended)
    return ended.status
  }

  /** What was done and could not be undone is written down for a person. */
  async #recordFailure(
    ended: Orchestration,
    task: string,
    outcome: UndoOutcome,
    { done, halt, undoAttempts }: RunState,
  ): Promise<void> {
    const undo = done.get(task)?.undo
    const service = serviceOf(ended, task)
    if (!undo || !service || !halt || (outcome.status !== "failed" && outcome.status !== "expired")) return
    const { projects, webhooks } = this.#options
    const project = await projects.get(ended.projectId)
    const failure = {
      id: derivedId("c_", `${ended.id}\n${task}`),
      projectId: ended.projectId,
      orchestrationId: ended.id,
      taskId: task,
      serviceId: service.id,
      serviceName: service.name,
      undo,
      context: {
        orchestrationId: ended.id,
        ...contextOf(halt, ended),
        timestamp: timeText(ended.updatedAt),
      },
      status: outcome.status,
      resolutionState: "pending",
      ...(outcome.status === "failed" && { failure: outcome.error }),
      attemptsMade: undoAttempts.get(task) ?? 0,
      at: ended.updatedAt,
    } as const
    await this.failed.add(failure)
    if (project) await webhooks.add(project, "compensationFailureWebhooks", compensationEvent(failure))
  }

  #at({ projectId, id }: Pick<Orchestration, "projectId" | "id">): Namespace {
    return this.#options.root.child(projectId, id)
  }

  async #now(): Promise<number> {
    const now = await timeOf(this.#options.store)
    this.#ahead = now - Date.now()
    return now
  }
}

function endOf(run: Orchestration, result: PlanResult): Partial<Orchestration> {
  if (result.status === "completed") return { results: result.results as JsonObject }
  const { undone } = result
  switch (result.reason) {
    case "failed": {
      const { task, error } = result
      const producer = serviceOf(run, task)?.id ?? ""
      return { undone, error: { id: `task_fail_${task}`, producer, error } as Json }
    }
    case "aborted":
      return { undone, abort: { task: result.task, payload: result.payload } }
    case "cancelled":
      return { undone }
  }
}
