import { advanced, type Firing, type KeptJob, readyAt } from "./job.ts"

export interface PlanOptions {
  readonly claimMs: number
  /** So late a firing is not missed. */
  readonly graceMs: number
  /** What was missed longer ago is not made up for. */
  readonly catchUpMs: number
}

/** What is to be done with a job, and what it is after that. */
export type Plan =
  /** Somebody begins this firing, or begins it again. */
  | { readonly type: "fire"; readonly job: KeptJob; readonly firing: Firing }
  /** The time of this firing is over. */
  | { readonly type: "miss"; readonly job: KeptJob; readonly firing: Firing }
  /** It is due, and as many of its firings go on as may. */
  | { readonly type: "wait" }
  | { readonly type: "rest" }

/** What is to be done with a job now. It depends on nothing else, so all processes find the same. */
export function planOf(
  job: KeptJob,
  now: number,
  isAtWork: (firing: string) => boolean,
  { claimMs, graceMs, catchUpMs }: PlanOptions,
): Plan {
  const left = job.firings.find(({ id, until }) => until <= now && !isAtWork(id))
  const until = now + claimMs
  if (left) {
    const firing = { ...left, until }
    const firings = job.firings.map((each) => (each === left ? firing : each))
    return { type: "fire", job: { ...job, firings }, firing }
  }
  const ready = readyAt(job)
  const { due, missed = "once" } = job
  if (job.status !== "active" || due === undefined || ready > now) return { type: "rest" }
  const firing: Firing = { id: String(due), due, at: now, until }
  // From here on the next one is looked for: with `all` each one, else only those that are not over.
  const next = advanced(
    job,
    Math.max(due, missed === "all" ? now - catchUpMs : missed === "skip" ? now - graceMs : now),
  )
  const isFull = job.firings.length >= (job.maxConcurrent ?? 1)
  if (missed === "skip" && (isFull || now - ready > graceMs)) return { type: "miss", job: next, firing }
  if (isFull) return { type: "wait" }
  const firings = [...job.firings, firing]
  return { type: "fire", job: { ...next, firings, lastRun: now, runCount: job.runCount + 1 }, firing }
}
