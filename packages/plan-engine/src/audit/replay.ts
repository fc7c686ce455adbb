import { canonicalJson, type Json, type JsonObject, OrraError } from "@orra/core"
import { type PlanResult, taskKey, undoKey } from "../execution/run.ts"
import { type Halt, type RunEntry, RunState, type UndoOutcome } from "../execution/run-log.ts"
import { leaves, needs, type Plan, type PlanTask, TASK_ZERO } from "../planning/plan.ts"
import { resolve } from "../planning/reference.ts"

export type DifferenceCode =
  | "task_unknown"
  | "too_early"
  | "input"
  | "attempt"
  | "key"
  | "not_sent"
  | "done_twice"
  | "after_halt"
  | "halt"
  | "undo"
  | "end"

/** Where a log says something that does not follow from the plan and from what stands before it. */
export interface Difference {
  /** The number of the entry, from 0; how many there are where it is the end of all. */
  readonly entry: number
  readonly code: DifferenceCode
  readonly message: string
}

/** What a log comes to. */
export interface Replayed {
  /** What came of the run, as the log has it; undefined while it has not ended. */
  readonly result: PlanResult | undefined
  /** None where everything in the log follows. */
  readonly differences: readonly Difference[]
}

export interface ReplayOptions {
  /** The id of the run: then its idempotency keys are worked out as well. */
  readonly id?: string
  /** What is said to have come of it: then that is held against what the log comes to. */
  readonly end?: { readonly status: string; readonly results?: JsonObject }
}

/**
 * Goes through the log of a run again without any service: works out what each task was to be given, what was to be done and
 * undone in which order, and what came of it, and says where the log differs.
 *
 * ```ts
 * const { plan, entries } = await (await fetch(`${engine}/orchestrations/${id}/log`, { headers })).json()
 * const { result, differences } = replay(entries, plan, { id })
 * ```
 */
export function replay(entries: readonly RunEntry[], plan: Plan, { id, end }: ReplayOptions = {}): Replayed {
  const run = new Replay(plan, id)
  for (const [number, entry] of entries.entries()) run.add(number, entry)
  const result = run.result()
  const isOther =
    result && end && (result.status !== end.status || !isSame(resultsOf(result), end.results ?? null))
  const differences = isOther
    ? [
        ...run.differences,
        {
          entry: entries.length,
          code: "end" as const,
          message: "The log comes to another end than is said.",
        },
      ]
    : run.differences
  return { result, differences }
}

const isSame = (a: Json, b: Json): boolean => canonicalJson(a) === canonicalJson(b)

const resultsOf = (result: PlanResult): Json => (result.status === "completed" ? result.results : null)

type Of<T extends RunEntry["type"]> = Extract<RunEntry, { readonly type: T }>

class Replay {
  readonly differences: Difference[] = []
  readonly #plan: Plan
  readonly #id: string | undefined
  readonly #tasks: ReadonlyMap<string, PlanTask>
  readonly #state = new RunState()
  readonly #keys = new Map<string, string>()
  /** The last entry of each task that failed. */
  readonly #failed = new Map<string, Of<"task_failed">>()
  #number = 0

  constructor(plan: Plan, id: string | undefined) {
    this.#plan = plan
    this.#id = id
    this.#tasks = new Map(plan.tasks.map((task) => [task.id, task]))
  }

  add(number: number, entry: RunEntry): void {
    this.#number = number
    const task = "task" in entry ? this.#tasks.get(entry.task) : undefined
    if ("task" in entry && !task) this.#differs("task_unknown", `The plan has no ${entry.task}.`)
    else this.#check(entry, task)
    this.#state.add(entry)
  }

  result(): PlanResult | undefined {
    const { finished, halt, done, undone } = this.#state
    if (finished === undefined) return undefined
    if (halt) return { ...halt, status: halt.reason, undone: Object.fromEntries(undone) }
    const results = leaves(this.#plan).map((id) => [id, done.get(id)?.output ?? null] as const)
    return { status: "completed", results: Object.fromEntries(results) }
  }

  #check(entry: RunEntry, task: PlanTask | undefined): void {
    switch (entry.type) {
      case "task_sent":
        if (task) this.#sent(entry, task)
        break
      case "task_done":
        if (!this.#state.attempts.has(entry.task)) this.#differs("not_sent", `${entry.task} was never sent.`)
        if (this.#state.done.has(entry.task)) this.#differs("done_twice", `${entry.task} was done before.`)
        break
      case "task_failed":
        this.#failed.set(entry.task, entry)
        break
      case "halted":
        this.#halted(entry.halt)
        break
      case "undo_sent":
        if (this.#id !== undefined && entry.key !== undoKey(this.#id, entry.task))
          this.#differs("key", `${entry.task} was undone with another key than it has.`)
        if (task) this.#undone(task)
        break
      case "undone":
        if (task) this.#undone(task, entry.outcome, entry.at)
        break
      case "finished":
        this.#finished(entry.status)
        break
      case "task_progress":
      case "undo_failed":
        break
    }
  }

  #sent({ task: id, input, attempt, key }: Of<"task_sent">, task: PlanTask): void {
    const { done, open, attempts, halt } = this.#state
    const missing = [...needs(task)].filter((needed) => !done.has(needed))
    if (missing.length > 0) {
      this.#differs("too_early", `${id} was sent before ${missing.join(", ")} was done.`)
      return
    }
    if (halt && !open.has(id)) this.#differs("after_halt", `${id} was begun after the run had halted.`)
    const expected = this.#inputOf(task)
    if (expected === undefined || !isSame(expected, input))
      this.#differs("input", `${id} was given something else than its references stand for.`)
    const before = attempts.get(id) ?? 0
    // What was sent and not heard of is sent again as the same attempt.
    if (attempt !== before + 1 && !(open.has(id) && attempt === before))
      this.#differs("attempt", `${id} has attempt ${attempt} after ${before}.`)
    const right = this.#keys.get(id) ?? (this.#id === undefined ? key : taskKey(this.#id, task, done))
    if (right !== key) this.#differs("key", `${id} was sent with another key than it has.`)
    this.#keys.set(id, right)
  }

  #inputOf(task: PlanTask): JsonObject | undefined {
    const outputs = new Map<string, Json>([[TASK_ZERO, this.#plan.taskZero]])
    for (const [id, { output }] of this.#state.done) outputs.set(id, output)
    try {
      return resolve(task.input, outputs) as JsonObject
    } catch (error) {
      if (error instanceof OrraError) return undefined
      throw error
    }
  }

  #halted(halt: Halt): void {
    if (this.#state.halt) this.#differs("halt", "It had halted before.")
    if (halt.reason === "cancelled") return
    const failed = this.#failed.get(halt.task)
    const follows =
      halt.reason === "failed"
        ? failed?.isLast === true && failed.error === halt.error
        : this.#state.open.has(halt.task)
    if (!follows)
      this.#differs("halt", `It halted for ${halt.task}, of which the log says nothing that ends a run.`)
  }

  /** Of what was done and can be undone, each after those that needed it. */
  #undone(task: PlanTask, outcome?: UndoOutcome, at = 0): void {
    const { done, undone, halt } = this.#state
    const undo = done.get(task.id)?.undo
    if (!halt || !undo) {
      this.#differs("undo", `There is nothing of ${task.id} to undo.`)
      return
    }
    const before = this.#plan.tasks.filter(
      (later) => needs(later).has(task.id) && done.get(later.id)?.undo && !undone.has(later.id),
    )
    if (before.length > 0 && !this.#state.finished)
      this.#differs("undo", `${task.id} was undone before ${before.map(({ id }) => id).join(", ")}.`)
    if (outcome?.status === "expired" && at < (done.get(task.id)?.at ?? 0) + undo.ttlMs)
      this.#differs("undo", `${task.id} could still be undone.`)
  }

  #finished(status: Of<"finished">["status"]): void {
    const { halt, done, undone } = this.#state
    if (status !== (halt?.reason ?? "completed"))
      this.#differs("end", `It ended as ${status}, and not as ${halt?.reason ?? "completed"}.`)
    const open = halt
      ? [...done].filter(([id, { undo }]) => undo && !undone.has(id)).map(([id]) => id)
      : this.#plan.tasks.filter(({ id }) => !done.has(id)).map(({ id }) => id)
    if (open.length > 0)
      this.#differs("end", `It ended with ${open.join(", ")} ${halt ? "not undone" : "not done"}.`)
  }

  #differs(code: DifferenceCode, message: string): void {
    this.differences.push({ entry: this.#number, code, message })
  }
}
