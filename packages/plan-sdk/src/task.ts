import { type Json, type JsonObject, OrraError } from "@orra/core"

/** A task as it comes to a handler. */
export interface Task<Input = JsonObject> {
  /** Its id in the plan, such as `task1`: not unique. */
  readonly id: string
  readonly input: Input
  /** The same for every attempt at this task, in every process: pass it on to what knows such keys. */
  readonly idempotencyKey: string
  /** Another one for each attempt of the engine. */
  readonly executionId: string
  readonly serviceId: string
  /** 1 at first; one more whenever the handler failed, or was interrupted. */
  readonly attempt: number
  /** The process ended in the middle of the last attempt: what the handler does besides answering may have been done. */
  readonly wasInterrupted: boolean
  /** Fires when the service shuts down and cannot wait any longer. */
  readonly signal: AbortSignal
  /** Tells the engine how it goes on. The task's time begins anew with it. */
  pushUpdate(data: Json): void
  /** Ends the whole plan: what was done is undone. Nothing after it is carried out. */
  abort(payload?: Json): never
}

/** What a handler gives is the task's result; what it throws, its failure, after which the engine asks again. */
export type Handler<Input = JsonObject, Output = unknown> = (task: Task<Input>) => Output | Promise<Output>

/** The task that is to be undone, as it was asked for. */
export interface OriginalTask<Input = JsonObject> {
  readonly id: string
  readonly input: Input
  readonly idempotencyKey: string
  readonly executionId: string
}

/** Why a task is undone. A plan that was cancelled is `aborted` without a payload. */
export interface RevertContext {
  readonly orchestrationId: string
  readonly reason: "failed" | "aborted"
  readonly payload?: Json
  readonly timestamp: string
}

/** How undoing went. Nothing means `completed`. */
export type RevertOutcome =
  | { readonly status: "completed" }
  | { readonly status: "partial"; readonly partial: { readonly completed: Json; readonly remaining: Json } }
  | { readonly status: "failed"; readonly error?: string }

export type RevertHandler<Input = JsonObject, Output = unknown> = (
  task: OriginalTask<Input>,
  result: Output,
  context: RevertContext | null,
) => RevertOutcome | undefined | Promise<RevertOutcome | undefined> | Promise<void> | void

/** What a handler throws for a failure after which asking again is of no use: it is not called again. */
export class FinalFailure extends OrraError {
  constructor(message: string) {
    super("plan_task_failed", message)
  }
}

/** What a handler's `abort` throws, to leave the handler. */
export class TaskAborted extends Error {
  constructor() {
    super("The task was aborted.")
    this.name = "TaskAborted"
  }
}
