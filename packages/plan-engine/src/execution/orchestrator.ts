import { setTimeout as pause } from "node:timers/promises"
import {
  errorMessage,
  type Json,
  type JsonObject,
  type Namespace,
  OrraError,
  type Provider,
  type SessionStore,
  StoreError,
} from "@orra/core"
import type { PlanProjects } from "../api/projects.ts"
import { derivedId, newId } from "../ids.ts"
import { type Groundings, groundingContext } from "../planning/groundings.ts"
import { makePlan } from "../planning/planner.ts"
import { compensationEvent, orchestrationEvent, timeText } from "../webhooks/plan-events.ts"
import type { PlanWebhooks } from "../webhooks/plan-webhooks.ts"
import type { Connections } from "../wire/connections.ts"
import { calls, contextOf } from "../wire/service-calls.ts"
import type { PlanServices } from "../wire/services.ts"
import { FailedCompensations } from "./failed-compensations.ts"
import type { News } from "./news.ts"
import { type Orchestration, type OrchestrationRequest, Orchestrations, serviceOf } from "./orchestration.ts"
import { RecordedLog } from "./recorded-log.ts"
import { type PlanResult, type RetryOptions, runPlan } from "./run.ts"
import { type RunEntry, RunState } from "./run-log.ts"

export interface OrchestratorOptions {
  readonly store: SessionStore
  readonly root: Namespace
  readonly provider: Provider
  readonly model?: string
  readonly retry?: RetryOptions
  readonly undoRetry?: RetryOptions
  readonly projects: PlanProjects
  readonly services: PlanServices
  readonly groundings: Groundings
  readonly connections: Connections
  readonly webhooks: PlanWebhooks
  /** Told of every orchestration that changed, and of every entry of a log. */
  readonly news: News
  readonly onError: (error: unknown) => void
}

const GRACE_MS = 30 * 60_000
const TIMEOUT_MS = 30_000
/** How long after the store failed a run is tried again, in ms. */
const STORE_PAUSE_MS = 5_000

/** Plans orchestrations and carries them out, whatever ends in between. */
export class Orchestrator {
  readonly orchestrations: Orchestrations
  readonly failed: FailedCompensations
  readonly #options: OrchestratorOptions
  readonly #stop = new AbortController()
  readonly #running = new Map<string, { readonly cancel: AbortController; readonly ended: Promise<void> }>()
  readonly #planning = new Set<Promise<unknown>>()

  constructor(options: OrchestratorOptions) {
    this.#options = options
    const { news } = options
    this.orchestrations = new Orchestrations(options.store, options.root, ({ id, projectId }) =>
      news.tell(id, projectId),
    )
    this.failed = new FailedCompensations(options.store, options.root)
  }

  /**
   * Plans what somebody wants, and begins with it.
   *
   * @returns the orchestration with its plan, under way.
   * @throws what `makePlan` throws: it has ended then, as `not_actionable` or `failed`.
   */
  async create(projectId: string, request: OrchestrationRequest): Promise<Orchestration> {
    const at = await this.#now()
    const id = newId("o_")
    const orchestration = {
      ...request,
      id,
      projectId,
      status: "pending",
      createdAt: at,
      updatedAt: at,
    } as const
    await this.orchestrations.create(orchestration)
    const planning = this.#plan(orchestration)
    this.#planning.add(planning)
    try {
      return await planning
    } finally {
      this.#planning.delete(planning)
    }
  }

  /** Ends an orchestration: what is under way is waited for, then what was done is undone. @throws NotFound. */
  async cancel(projectId: string, id: string): Promise<Orchestration> {
    const cancelled = await this.orchestrations.update(projectId, id, (orchestration) =>
      orchestration.status === "pending" || orchestration.status === "processing"
        ? { ...orchestration, isCancelled: true }
        : orchestration,
    )
    this.#running.get(id)?.cancel.abort()
    return cancelled
  }

  /** What is written of a run. */
  async entries(orchestration: Orchestration): Promise<readonly RunEntry[]> {
    return await this.log(orchestration).read()
  }

  log({ projectId, id }: Orchestration): RecordedLog {
    const { store, root } = this.#options
    return new RecordedLog(store.records("plan-runs"), root.child(projectId, id))
  }

  /** Goes on with everything that has not ended, as after a crash. */
  async recover(): Promise<void> {
    for (const orchestration of await this.orchestrations.open()) {
      const { status } = orchestration
      if (status === "processing") this.#start(orchestration)
      else if (status === "pending") this.#planAgain(orchestration)
      else await this.orchestrations.close(orchestration)
    }
  }

  /** Ends this process's part. Everything stays as it is, and goes on in the next one. */
  async stop(): Promise<void> {
    this.#stop.abort(
      new OrraError("plan_engine_stopped", "The engine stops; it goes on when it starts again."),
    )
    await Promise.allSettled([...this.#planning, ...[...this.#running.values()].map(({ ended }) => ended)])
  }

  #planAgain(orchestration: Orchestration): void {
    const planning = this.#plan(orchestration).catch(this.#options.onError)
    this.#planning.add(planning)
    void planning.finally(() => this.#planning.delete(planning))
  }

  async #plan(orchestration: Orchestration): Promise<Orchestration> {
    const { provider, model, services, groundings, connections } = this.#options
    const { action, data, projectId, id, graceMs = GRACE_MS } = orchestration
    try {
      const known = await services.list(projectId)
      // One that has been away for longer than it would be waited for is of no use to a plan.
      const alive = known.filter((service) => connections.awayMs(service.id) <= graceMs)
      const context = groundingContext(await groundings.list(projectId))
      const { plan } = await makePlan({
        provider,
        services: alive,
        action,
        data: Object.fromEntries(data.map(({ field, value }) => [field, value])),
        signal: this.#stop.signal,
        ...(context !== undefined && { context }),
        ...(model !== undefined && { model }),
      })
      const used = new Set(plan.tasks.map(({ service }) => service.toLowerCase()))
      const updatedAt = await this.#now()
      const planned = await this.orchestrations.update(projectId, id, (current) => ({
        ...current,
        status: "processing",
        updatedAt,
        plan,
        services: alive.filter((service) => used.has(service.id)),
      }))
      this.#start(planned)
      return planned
    } catch (error) {
      this.#stop.signal.throwIfAborted()
      const isImpossible = error instanceof OrraError && error.code === "plan_not_actionable"
      await this.#end({
        ...orchestration,
        status: isImpossible ? "not_actionable" : "failed",
        updatedAt: await this.#now(),
        error: errorMessage(error),
      })
      throw error
    }
  }

  #start(orchestration: Orchestration): void {
    const cancel = new AbortController()
    if (orchestration.isCancelled) cancel.abort()
    const { id } = orchestration
    const ended = this.#run(orchestration, cancel.signal)
      .catch((error: unknown) => {
        if (!this.#stop.signal.aborted) this.#options.onError(error)
      })
      .finally(() => this.#running.delete(id))
    this.#running.set(id, { cancel, ended })
  }

  async #run(orchestration: Orchestration, cancel: AbortSignal): Promise<void> {
    const { retry, undoRetry, connections, news, onError } = this.#options
    const { id, plan, services = [], timeoutMs = TIMEOUT_MS, graceMs = GRACE_MS } = orchestration
    if (!plan) return
    for (;;) {
      const log = this.log(orchestration)
      try {
        const result = await runPlan({
          id,
          plan,
          services,
          log,
          ...calls({ connections, orchestration, timeoutMs, graceMs }),
          timeoutMs: Number.POSITIVE_INFINITY,
          cancel,
          signal: this.#stop.signal,
          onEntry: () => news.tell(id),
          ...(retry && { retry }),
          ...(undoRetry && { undoRetry }),
        })
        return await this.#finish(orchestration, result, await log.read())
      } catch (error) {
        // A store that was away for a while is no reason to leave a plan where it is.
        if (!(error instanceof StoreError) || this.#stop.signal.aborted) throw error
        onError(error)
        await pause(STORE_PAUSE_MS, undefined, { signal: this.#stop.signal })
      }
    }
  }

  async #finish(run: Orchestration, result: PlanResult, entries: readonly RunEntry[]): Promise<void> {
    const ended: Orchestration = {
      ...run,
      status: result.status,
      // The same in every process that ends it.
      updatedAt: entries.at(-1)?.at ?? run.updatedAt,
      ...endOf(run, result),
    }
    await this.#recordFailures(ended, result, entries)
    await this.#end(ended)
  }

  async #end(ended: Orchestration): Promise<void> {
    const { projects, webhooks } = this.#options
    const project = await projects.get(ended.projectId)
    // First what is told, then that it has ended: a crash in between tells it again, under the same event id.
    if (project) await webhooks.add(project, "webhooks", orchestrationEvent(ended))
    await this.orchestrations.put(ended)
    await this.orchestrations.close(ended)
  }

  /** Everything that was done and could not be undone is written down for a person. */
  async #recordFailures(
    ended: Orchestration,
    result: PlanResult,
    entries: readonly RunEntry[],
  ): Promise<void> {
    if (result.status === "completed") return
    const { projects, webhooks } = this.#options
    const project = await projects.get(ended.projectId)
    const state = new RunState(entries)
    for (const [task, outcome] of Object.entries(result.undone)) {
      const undo = state.done.get(task)?.undo
      const service = serviceOf(ended, task)
      if (!undo || !service || (outcome.status !== "failed" && outcome.status !== "expired")) continue
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
          ...contextOf(result, ended),
          timestamp: timeText(ended.updatedAt),
        },
        status: outcome.status,
        resolutionState: "pending",
        ...(outcome.status === "failed" && { failure: outcome.error }),
        attemptsMade: state.undoAttempts.get(task) ?? 0,
        at: ended.updatedAt,
      } as const
      await this.failed.add(failure)
      if (project) await webhooks.add(project, "compensationFailureWebhooks", compensationEvent(failure))
    }
  }

  async #now(): Promise<number> {
    return (await this.#options.store.now?.()) ?? Date.now()
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
