import {
  everyItem,
  type Json,
  type JsonObject,
  type Namespace,
  NotFound,
  type Records,
  type SessionStore,
  VersionConflict,
} from "@orra/core"
import type { Plan } from "../planning/plan.ts"
import { allIn } from "../stored.ts"
import type { RegisteredService } from "../wire/services.ts"
import type { UndoOutcome } from "./run-log.ts"

export type OrchestrationStatus =
  | "pending"
  | "processing"
  | "completed"
  | "failed"
  | "not_actionable"
  | "aborted"
  | "cancelled"

/** What somebody wants done, in words and data. */
export interface OrchestrationRequest {
  readonly action: string
  readonly data: readonly { readonly field: string; readonly value: Json }[]
  /** What a task may take without a sign of life, in ms. Default 30,000. */
  readonly timeoutMs?: number
  /** How long a service may be away, in ms. Default 30 minutes. */
  readonly graceMs?: number
}

/** Times are ms since 1970. */
export interface Orchestration extends OrchestrationRequest {
  readonly id: string
  readonly projectId: string
  readonly status: OrchestrationStatus
  readonly createdAt: number
  /** When the status changed last. */
  readonly updatedAt: number
  /** Somebody cancelled it; it may not have ended yet. */
  readonly isCancelled?: true
  readonly plan?: Plan
  /** The services of the plan as they were when it was made. */
  readonly services?: readonly RegisteredService[]
  readonly error?: Json
  /** What every task gave that no other needs, by the ids of tasks. */
  readonly results?: JsonObject
  readonly abort?: { readonly task: string; readonly payload: Json }
  readonly undone?: Readonly<Record<string, UndoOutcome>>
}

/** The orchestrations of an engine's projects, and which of them have not ended. */
export class Orchestrations {
  readonly #all: Records
  readonly #open: Records
  readonly #root: Namespace

  constructor(store: Pick<SessionStore, "records">, root: Namespace) {
    this.#all = store.records("plan-orchestrations")
    this.#open = store.records("plan-open")
    this.#root = root
  }

  async get(projectId: string, id: string): Promise<Orchestration> {
    const record = /^o_\w+$/.test(id) ? await this.#all.get(this.#at(projectId), id) : undefined
    if (!record) throw new NotFound("orchestration")
    return record.value as unknown as Orchestration
  }

  async create(orchestration: Orchestration): Promise<void> {
    const { projectId, id } = orchestration
    // First: one that is open and is not there is nothing, one that is there and not open would never go on.
    await this.#open.put(this.#at(projectId), id, true)
    await this.put(orchestration)
  }

  async put(orchestration: Orchestration): Promise<void> {
    const { projectId, id } = orchestration
    await this.#all.put(this.#at(projectId), id, orchestration as unknown as Json)
  }

  /** Changes it, again when somebody else wrote in between. @throws NotFound. */
  async update(
    projectId: string,
    id: string,
    change: (orchestration: Orchestration) => Orchestration,
  ): Promise<Orchestration> {
    for (;;) {
      const record = await this.#all.get(this.#at(projectId), id)
      if (!record) throw new NotFound("orchestration")
      const changed = change(record.value as unknown as Orchestration)
      try {
        const { version: expected } = record
        await this.#all.put(this.#at(projectId), id, changed as unknown as Json, { expected })
        return changed
      } catch (error) {
        if (!(error instanceof VersionConflict)) throw error
      }
    }
  }

  async close({ projectId, id }: Orchestration): Promise<void> {
    await this.#open.delete(this.#at(projectId), id)
  }

  /** The newest first. */
  async list(projectId: string): Promise<readonly Orchestration[]> {
    const found = await allIn<Orchestration>(this.#all, this.#at(projectId))
    return found.toSorted((a, b) => b.updatedAt - a.updatedAt)
  }

  /** All that have not ended, of all projects. */
  async open(): Promise<readonly Orchestration[]> {
    const found: Orchestration[] = []
    for await (const { namespace, key } of everyItem((page) =>
      this.#open.list(this.#root, { ...page, below: true }),
    )) {
      const record = await this.#all.get(namespace, key)
      if (record) found.push(record.value as unknown as Orchestration)
      else await this.#open.delete(namespace, key)
    }
    return found
  }

  #at = (projectId: string): Namespace => this.#root.child(projectId)
}

/** The service that a task of the plan is for. */
export const serviceOf = (
  { plan, services = [] }: Pick<Orchestration, "plan" | "services">,
  taskId: string,
): RegisteredService | undefined => {
  const task = plan?.tasks.find(({ id }) => id === taskId)
  return services.find(({ id }) => id === task?.service.toLowerCase())
}
