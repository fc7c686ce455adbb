import {
  everyItem,
  type Json,
  type JsonObject,
  type Namespace,
  NotFound,
  type Page,
  type RecordListOptions,
  type Records,
  type SessionStore,
  type StoredRecord,
} from "@orra/core"
import { listed, listOf, writeListed } from "../lists.ts"
import type { Plan } from "../planning/plan.ts"
import type { PlanOrigin } from "../planning/planning.ts"
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
  /** Where the plan is from. */
  readonly origin?: PlanOrigin
  /** The services of the plan as they were when it was made. */
  readonly services?: readonly RegisteredService[]
  readonly error?: Json
  /** What every task gave that no other needs, by the ids of tasks. */
  readonly results?: JsonObject
  readonly abort?: { readonly task: string; readonly payload: Json }
  readonly undone?: Readonly<Record<string, UndoOutcome>>
}

export const hasEnded = ({ status }: Pick<Orchestration, "status">): boolean =>
  status !== "pending" && status !== "processing"

/** Told of an orchestration that was written, and of its status before. */
export type OnChange = (orchestration: Orchestration, before: OrchestrationStatus | undefined) => void

/** The orchestrations of an engine's projects, and lists of them by what changed last. */
export class Orchestrations {
  readonly #all: Records
  readonly #root: Namespace
  readonly #onChange: OnChange

  constructor(store: Pick<SessionStore, "records">, root: Namespace, onChange: OnChange = () => {}) {
    this.#all = store.records("plan-orchestrations")
    this.#root = root
    this.#onChange = onChange
  }

  async get(projectId: string, id: string): Promise<Orchestration> {
    const record = /^o_\w+$/.test(id) ? await this.#all.get(this.#at(projectId), id) : undefined
    if (!record) throw new NotFound("orchestration")
    return record.value as unknown as Orchestration
  }

  /** Puts it in, unless it is there: then that one is what it is. */
  async create(orchestration: Orchestration): Promise<Orchestration> {
    const { projectId, id } = orchestration
    const record = await this.#all.get(this.#at(projectId), id)
    if (record) return record.value as unknown as Orchestration
    await this.put(orchestration)
    return orchestration
  }

  async put(orchestration: Orchestration): Promise<void> {
    const { projectId, id } = orchestration
    for (;;) {
      const record = await this.#all.get(this.#at(projectId), id)
      if (await this.#write(orchestration, record)) return
    }
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
      if (await this.#write(changed, record)) return changed
    }
  }

  async #write(orchestration: Orchestration, record: StoredRecord | undefined): Promise<boolean> {
    const isWritten = await writeListed(this.#all, this.#at(orchestration.projectId), record, orchestration)
    const before = record && (record.value as unknown as Orchestration)
    if (isWritten) this.#onChange(orchestration, before?.status)
    return isWritten
  }

  /** Those whose status changed last first, `limit` of them (1 to 500, default 50), also only those of one status. */
  async list(
    projectId: string,
    options: { readonly status?: OrchestrationStatus } & RecordListOptions = {},
  ): Promise<Page<Orchestration>> {
    return await listed(this.#all, this.#at(projectId), options)
  }

  /** How many have not ended, up to `most`. */
  async inFlight(projectId: string, most: number): Promise<number> {
    let count = 0
    for (const status of ["pending", "processing"] as const) {
      const places = everyItem((page) => this.#all.list(listOf(this.#at(projectId), status), page))
      for await (const _ of places) if (++count >= most) return count
    }
    return count
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
