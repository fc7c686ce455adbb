import type { Json, JsonObject } from "@orra/core"

/** What undoes a task: what its service gave with the result, and how long that is of use, in ms. */
export interface Undo {
  readonly data: Json
  readonly ttlMs: number
}

/** Why a run does not come to its end. */
export type Halt =
  | { readonly reason: "failed"; readonly task: string; readonly error: string }
  | { readonly reason: "aborted"; readonly task: string; readonly payload: Json }
  | { readonly reason: "cancelled" }

/** How undoing a task ended. */
export type UndoOutcome =
  | { readonly status: "completed" }
  | { readonly status: "partial"; readonly completed: readonly Json[]; readonly remaining: readonly Json[] }
  | { readonly status: "failed"; readonly error: string }
  | { readonly status: "expired" }

/** What is written of a run, one after the other, and never changed. `at` is ms since 1970. */
export type RunEntry = { readonly at: number } & (
  | {
      readonly type: "task_sent"
      readonly task: string
      readonly attempt: number
      readonly key: string
      readonly input: JsonObject
    }
  | { readonly type: "task_progress"; readonly task: string; readonly data: Json }
  | { readonly type: "task_done"; readonly task: string; readonly output: Json; readonly undo?: Undo }
  | {
      readonly type: "task_failed"
      readonly task: string
      readonly attempt: number
      readonly error: string
      readonly isLast: boolean
      /** Nothing was heard of it: it may have been done. */
      readonly isUnanswered?: true
    }
  | { readonly type: "halted"; readonly halt: Halt }
  | { readonly type: "undo_sent"; readonly task: string; readonly attempt: number; readonly key: string }
  | { readonly type: "undo_failed"; readonly task: string; readonly attempt: number; readonly error: string }
  | { readonly type: "undone"; readonly task: string; readonly outcome: UndoOutcome }
  | { readonly type: "finished"; readonly status: "completed" | Halt["reason"] }
)

/** Where a run is written. What `append` has resolved for is there after a crash; one process at a time writes. */
export interface RunLog {
  read(): Promise<readonly RunEntry[]>
  append(entry: RunEntry): Promise<void>
}

/** How a run stands. */
export class RunState {
  /** What tasks gave, in the order they ended. */
  readonly done = new Map<
    string,
    { readonly output: Json; readonly undo: Undo | undefined; readonly at: number }
  >()
  /** The last attempt at each task, and at undoing it. */
  readonly attempts = new Map<string, number>()
  readonly undoAttempts = new Map<string, number>()
  /** Tasks that were sent, and of which it is not known what came of it. */
  readonly open = new Set<string>()
  /** Tasks that failed because nothing was heard of them. */
  readonly unanswered = new Set<string>()
  readonly undone = new Map<string, UndoOutcome>()
  halt: Halt | undefined
  finished: "completed" | Halt["reason"] | undefined

  constructor(entries: readonly RunEntry[] = []) {
    for (const entry of entries) this.add(entry)
  }

  add(entry: RunEntry): void {
    switch (entry.type) {
      case "task_sent":
        this.attempts.set(entry.task, entry.attempt)
        this.open.add(entry.task)
        break
      case "task_done":
        this.done.set(entry.task, { output: entry.output, undo: entry.undo, at: entry.at })
        this.open.delete(entry.task)
        this.unanswered.delete(entry.task)
        break
      case "task_failed":
        this.open.delete(entry.task)
        if (entry.isUnanswered) this.unanswered.add(entry.task)
        else this.unanswered.delete(entry.task)
        break
      case "halted":
        this.halt = entry.halt
        if ("task" in entry.halt) this.open.delete(entry.halt.task)
        break
      case "undo_sent":
        this.undoAttempts.set(entry.task, entry.attempt)
        break
      case "undone":
        this.undone.set(entry.task, entry.outcome)
        break
      case "finished":
        this.finished = entry.status
        break
      case "task_progress":
      case "undo_failed":
        break
    }
  }
}
