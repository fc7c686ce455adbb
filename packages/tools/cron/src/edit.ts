import { InvalidInput, type Namespace, NotFound, type Runtime, randomId, VersionConflict } from "@orra/core"
import { asJson, type Desk, firingsOf, isScheduled } from "./desk.ts"
import { CronError } from "./errors.ts"
import { checkedJob, type Firing, type JobPatch, type KeptJob, type NewJob, type Place } from "./job.ts"
import type { Notices } from "./notices.ts"
import { type Creator, type Grant, grantOf } from "./rights.ts"
import { forgetRuns, hasRun } from "./run-log.ts"
import { checkedSchedule, nextRun, type ScheduleLimits } from "./schedule.ts"

export interface EditOptions {
  readonly desk: Desk
  readonly runtime: Runtime
  readonly prefix: Namespace
  readonly notices: Notices | undefined
  readonly limits: (now: number) => ScheduleLimits
  readonly maxJobs: number
  readonly claimMs: number
}

/** What makes doing it again harmless: a second call with the same key finds what the first one has done. */
export interface Once {
  readonly idempotencyKey?: string | undefined
}

/** @throws CronError, InvalidInput; nothing is kept then. */
export async function createJob(
  options: EditOptions,
  namespace: Namespace,
  given: NewJob,
  creator: Creator,
  { idempotencyKey }: Once,
): Promise<Place> {
  const { desk, runtime, prefix, limits, maxJobs } = options
  if (!prefix.contains(namespace))
    throw new InvalidInput(`This scheduler does the jobs below "${prefix.key}".`)
  if (isScheduled(namespace))
    throw new InvalidInput("A job belongs where somebody speaks, not to another job's firing.")
  const id = idempotencyKey === undefined ? randomId() : await digest(`${namespace.key}\n${idempotencyKey}`)
  const known = await desk.find(namespace, id)
  if (known) return known
  const now = await desk.now()
  const rest = checkedJob(given)
  const schedule = checkedSchedule(given.schedule, limits(now))
  let count = 0
  for await (const _ of desk.list(namespace)) count++
  if (count >= maxJobs) {
    throw new CronError(
      "job_limit",
      `There are ${count} jobs here, as many as may be: delete one that is not needed.`,
    )
  }
  const due = nextRun(schedule, now, now)
  // A firing must have a place for its session.
  firingsOf(namespace, id).child(String(Number.MAX_SAFE_INTEGER))
  const { principal, tainted } = creator
  const job: KeptJob = {
    ...rest,
    schedule,
    id,
    status: "active",
    createdAt: now,
    start: now,
    runCount: 0,
    firings: [],
    ...(due !== undefined && { due }),
    ...(principal !== undefined && { principal }),
    ...(tainted && { tainted }),
  }
  await desk.putGrant(namespace, id, await grantOf(runtime, namespace, rest.agent, creator))
  await desk.mark(namespace, id)
  try {
    const version = await desk.jobs.put(namespace, id, asJson(job), { expected: 0 })
    return { namespace, version, job }
  } catch (error) {
    const made = error instanceof VersionConflict ? await desk.find(namespace, id) : undefined
    if (made) return made
    throw error
  }
}

/**
 * A change is like making the job anew: it is for whoever changes it from then on, with what they may do now. Where
 * somebody else made it, it may do no more than both of them: they had not agreed to this.
 */
export async function updateJob(
  options: EditOptions,
  namespace: Namespace,
  id: string,
  patch: JobPatch,
  creator: Creator,
): Promise<Place> {
  const { desk, runtime, limits } = options
  for (;;) {
    const place = await desk.find(namespace, id)
    if (!place) throw new NotFound("job")
    const { job } = place
    const now = await desk.now()
    const wanted = Object.fromEntries(
      Object.entries({ ...job, ...patch }).filter(([, value]) => value !== null && value !== undefined),
    ) as unknown as NewJob
    const rest = checkedJob(wanted)
    const { schedule: _, due, principal: before, pausedBecause, ...kept } = job
    for (const name of OPTIONAL) delete (kept as { [Name in (typeof OPTIONAL)[number]]?: unknown })[name]
    const isRescheduled = patch.schedule !== undefined
    const schedule = isRescheduled ? checkedSchedule(patch.schedule, limits(now)) : job.schedule
    const next = isRescheduled ? nextRun(schedule, now, now) : due
    const { principal, tainted } = creator
    const changed: KeptJob = {
      ...kept,
      ...rest,
      schedule,
      ...(isRescheduled && { start: now, status: job.status === "completed" ? "active" : job.status }),
      ...(next !== undefined && { due: next }),
      ...(principal !== undefined && { principal }),
      ...(pausedBecause && { pausedBecause }),
      ...(tainted && { tainted }),
    }
    const granted = await grantOf(runtime, namespace, rest.agent, creator)
    const both = before === principal ? granted : narrower(await desk.grant(namespace, id), granted)
    await desk.putGrant(namespace, id, both)
    await desk.mark(namespace, id)
    const written = await desk.put(place, changed)
    if (written) return written
  }
}

/** What a job may be without. */
const OPTIONAL = [
  "delivery",
  "to",
  "agent",
  "model",
  "maxTurns",
  "lightweight",
  "cooldownSecs",
  "maxConcurrent",
  "missed",
  "jitterMs",
] as const

const narrower = (one: Grant, other: Grant): Grant => ({
  agents: [...new Set([...one.agents, ...other.agents])],
  bounds: [...one.bounds, ...other.bounds],
})

/** @throws NotFound; CronError (`job_state`) for one that is over. */
export async function pauseJob({ desk }: EditOptions, namespace: Namespace, id: string): Promise<Place> {
  const place = await desk.change(namespace, id, (job) => {
    if (job.status === "completed")
      throw new CronError("job_state", "This job is over: there is nothing to pause.")
    return { ...job, status: "paused" }
  })
  if (!place) throw new NotFound("job")
  return place
}

/** It goes on with the next time there is: what was due while it was paused is over. */
export async function resumeJob({ desk }: EditOptions, namespace: Namespace, id: string): Promise<Place> {
  const now = await desk.now()
  await desk.mark(namespace, id)
  const place = await desk.change(namespace, id, (job) => {
    if (job.status === "active") return job
    const { pausedBecause: _, failures: __, due: ___, ...rest } = job
    const due = nextRun(job.schedule, now, job.start)
    if (due === undefined) {
      throw new CronError("job_state", "The time of this job is over: give it another schedule.")
    }
    return { ...rest, status: "active", due }
  })
  if (!place) throw new NotFound("job")
  return place
}

/** The firing that is asked for now, whatever the schedule says; undefined when it is over already. */
export async function demand(
  { desk, claimMs }: EditOptions,
  namespace: Namespace,
  id: string,
  { idempotencyKey = randomId() }: Once,
): Promise<{ readonly place: Place; readonly firing: Firing } | undefined> {
  const now = await desk.now()
  const firingId = `now-${(await digest(idempotencyKey)).slice(0, 16)}`
  const known = (await desk.find(namespace, id))?.job.firings.find((each) => each.id === firingId)
  const firing = known ?? { id: firingId, due: now, at: now, until: now + claimMs }
  if (!known && (await hasRun(desk, namespace, id, firingId))) return undefined
  await desk.mark(namespace, id)
  const place = await desk.change(namespace, id, (job) => {
    if (job.firings.some((each) => each.id === firingId)) return job
    if (job.firings.length >= (job.maxConcurrent ?? 1)) {
      throw new CronError("job_state", "This job is being done already, as often at a time as it may be.")
    }
    return { ...job, firings: [...job.firings, firing], lastRun: now, runCount: job.runCount + 1 }
  })
  if (!place) throw new NotFound("job")
  return { place, firing }
}

/** True for the one caller that deleted it. Its log and the sessions of what it did go with it. */
export async function deleteJob(
  { desk, runtime, notices }: EditOptions,
  namespace: Namespace,
  id: string,
): Promise<boolean> {
  const place = await desk.find(namespace, id)
  const existed = place !== undefined && (await desk.jobs.delete(namespace, id))
  // Also when somebody else died while at it.
  if (place) {
    await desk.grants.delete(namespace, id)
    await desk.marks.delete(namespace, id)
    await notices?.forget(namespace, id)
    await forgetRuns(desk, runtime, namespace, id, 0)
  }
  return existed
}

async function digest(text: string): Promise<string> {
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))
  return Array.from(bytes.slice(0, 16), (byte) => byte.toString(16).padStart(2, "0")).join("")
}
