import { type Json, type Namespace, NotFound, type Records, type SessionStore } from "@orra/core"
import { allIn } from "../stored.ts"
import type { Undo, UndoOutcome } from "./run-log.ts"

/** Something that was done and could not be undone: a person has to see to it. Times are ms since 1970. */
export interface FailedCompensation {
  readonly id: string
  readonly projectId: string
  readonly orchestrationId: string
  readonly taskId: string
  readonly serviceId: string
  readonly serviceName: string
  readonly undo: Undo
  /** Why the orchestration did not come to its end, as its service was told. */
  readonly context: Json
  readonly status: "failed" | "expired"
  readonly resolutionState: "pending" | "resolved" | "ignored"
  readonly failure?: string
  readonly resolution?: string
  readonly attemptsMade: number
  readonly at: number
  readonly resolvedAt?: number
}

export class FailedCompensations {
  readonly #records: Records
  readonly #root: Namespace

  constructor(store: Pick<SessionStore, "records">, root: Namespace) {
    this.#records = store.records("plan-failed-compensations")
    this.#root = root
  }

  /** One that is there stays as it is: somebody may have seen to it. */
  async add(failed: FailedCompensation): Promise<void> {
    const at = this.#root.child(failed.projectId)
    if (await this.#records.get(at, failed.id)) return
    await this.#records.put(at, failed.id, failed as unknown as Json)
  }

  /** @throws NotFound. */
  async get(projectId: string, id: string): Promise<FailedCompensation> {
    const record = /^c_\w+$/.test(id) ? await this.#records.get(this.#root.child(projectId), id) : undefined
    if (!record) throw new NotFound("compensation failure")
    return record.value as unknown as FailedCompensation
  }

  /** The newest first. */
  async list(projectId: string): Promise<readonly FailedCompensation[]> {
    const found = await allIn<FailedCompensation>(this.#records, this.#root.child(projectId))
    return found.toSorted((a, b) => b.at - a.at)
  }

  /** @throws NotFound. */
  async settle(
    projectId: string,
    id: string,
    as: Pick<FailedCompensation, "resolutionState" | "resolution" | "resolvedAt">,
  ): Promise<FailedCompensation> {
    const settled = { ...(await this.get(projectId, id)), ...as }
    await this.#records.put(this.#root.child(projectId), id, settled as unknown as Json)
    return settled
  }

  /** What came of trying again. What somebody has seen to meanwhile stays as they said. @throws NotFound. */
  async tried(
    projectId: string,
    id: string,
    {
      outcome,
      attempts,
      at,
    }: { readonly outcome: UndoOutcome; readonly attempts: number; readonly at: number },
  ): Promise<void> {
    const failed = await this.get(projectId, id)
    if (failed.resolutionState !== "pending") return
    const attempted = { ...failed, attemptsMade: failed.attemptsMade + attempts }
    const changed: FailedCompensation =
      outcome.status === "failed"
        ? { ...attempted, status: "failed", failure: outcome.error }
        : { ...attempted, resolutionState: "resolved", resolution: RETRIED[outcome.status], resolvedAt: at }
    await this.#records.put(this.#root.child(projectId), id, changed as unknown as Json)
  }
}

const RETRIED = {
  completed: "It was tried again and undone.",
  partial: "It was tried again and undone in part.",
  expired: "It was tried again too late.",
}
