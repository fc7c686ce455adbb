import {
  everyItem,
  type Namespace,
  type Page,
  type RecordListOptions,
  type Runtime,
  VersionConflict,
} from "@orra/core"
import { asJson, type Desk, firingsOf } from "./desk.ts"

/** What became of telling somebody. `none`: nobody was to be told. */
export interface Delivered {
  readonly state: "none" | "pending" | "delivered" | "failed" | "dead"
  /** How often it was tried. */
  readonly attempts?: number
  /** Why it failed the last time. */
  readonly error?: string
}

/** A firing that is over. How it ended and whether anybody was told are two things. Times are ms since 1970. */
export interface JobRun {
  readonly firing: string
  readonly due: number
  readonly startedAt: number
  readonly finishedAt: number
  /** `missed`: its time was over. `refused`: it was not done, because nobody is there any more for whom it would be. */
  readonly outcome: "completed" | "stopped" | "failed" | "interrupted" | "max_turns" | "missed" | "refused"
  readonly error?: { readonly code: string; readonly message: string }
  /** The key of the session in which it was done. */
  readonly session?: string
  readonly runId?: string
  /** In USD, where prices are known. */
  readonly cost?: number
  /** The beginning of the answer. */
  readonly text?: string
  readonly delivery: Delivered
}

/** So many firings of a job are remembered, with their sessions. */
const KEPT_RUNS = 50

/** The newest come first. */
const keyOf = ({ due, firing }: Pick<JobRun, "due" | "firing">): string =>
  `${String(Number.MAX_SAFE_INTEGER - due).padStart(16, "0")} ${firing}`

/** Writes it down, unless that was done. @returns what is written. */
export async function logRun(desk: Desk, namespace: Namespace, id: string, run: JobRun): Promise<JobRun> {
  const place = firingsOf(namespace, id)
  try {
    await desk.runs.put(place, keyOf(run), asJson(run), { expected: 0 })
    return run
  } catch (error) {
    if (!(error instanceof VersionConflict)) throw error
    const kept = await desk.runs.get(place, keyOf(run))
    return kept ? (kept.value as unknown as JobRun) : run
  }
}

/** The newest firings of a job that are over. */
export async function listRuns(
  desk: Desk,
  namespace: Namespace,
  id: string,
  options?: Omit<RecordListOptions, "below">,
): Promise<Page<JobRun>> {
  const { items, ...rest } = await desk.runs.list(firingsOf(namespace, id), options)
  return { items: items.map(({ value }) => value as unknown as JobRun), ...rest }
}

/** The log's entry of a firing; undefined while there is none. */
export async function findRun(
  desk: Desk,
  namespace: Namespace,
  id: string,
  of: Pick<JobRun, "due" | "firing">,
): Promise<JobRun | undefined> {
  const record = await desk.runs.get(firingsOf(namespace, id), keyOf(of))
  return record && (record.value as unknown as JobRun)
}

/** True when the firing is over, and not so old that it is forgotten. */
export async function hasRun(desk: Desk, namespace: Namespace, id: string, firing: string): Promise<boolean> {
  const { items } = await listRuns(desk, namespace, id, { limit: 500 })
  return items.some((run) => run.firing === firing)
}

/** Writes down what became of telling somebody. What was delivered stays delivered. */
export async function logDelivery(
  desk: Desk,
  namespace: Namespace,
  id: string,
  of: Pick<JobRun, "due" | "firing">,
  delivery: Delivered,
): Promise<void> {
  const place = firingsOf(namespace, id)
  for (;;) {
    const record = await desk.runs.get(place, keyOf(of))
    const run = record && (record.value as unknown as JobRun)
    if (!record || !run || run.delivery.state === "delivered") return
    try {
      await desk.runs.put(place, record.key, asJson({ ...run, delivery }), { expected: record.version })
      return
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error
    }
  }
}

/** Forgets all but the newest firings of a job, and their sessions with them. */
export async function forgetRuns(
  desk: Desk,
  runtime: Runtime,
  namespace: Namespace,
  id: string,
  keep = KEPT_RUNS,
): Promise<void> {
  const place = firingsOf(namespace, id)
  let count = 0
  for await (const { key, value } of everyItem((page) => desk.runs.list(place, page))) {
    if (++count <= keep) continue
    const session = place.child((value as unknown as JobRun).firing)
    // Whoever looks at it, or is in it, keeps it for now.
    if (runtime.isRunning(session)) continue
    await runtime.delete(session)
    await desk.runs.delete(place, key)
  }
}
