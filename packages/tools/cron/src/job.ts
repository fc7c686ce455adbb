import { isObject, type Json, type Namespace, type StoredRecord } from "@orra/core"
import { CronError } from "./errors.ts"
import { nextRun, type Schedule } from "./schedule.ts"

/**
 * What a job does:
 * - `agent_turn`: the agent is asked `prompt`, in a session of its own for each firing.
 * - `system_event`: `message` is put into the session of the job's namespace. No model is asked.
 */
export type Payload =
  | { readonly type: "agent_turn"; readonly prompt: string }
  | { readonly type: "system_event"; readonly message: string }

export type JobStatus = "active" | "paused" | "completed"

/** Whether anybody is told how a firing ended. Of a job that was paused because of its failures they always are. */
export type Delivery = "announce" | "silent"

/**
 * What becomes of firings that nobody was there for:
 * - `once`: all of them are one, now.
 * - `all`: each, one after the other, as long as they are not older than `catchUpMs`.
 * - `skip`: none of them. Their time is over.
 */
export type Missed = "once" | "all" | "skip"

/** What a job is made of. */
export interface NewJob {
  /** 1 to 100 characters. */
  readonly name: string
  readonly schedule: Schedule
  readonly payload: Payload
  /** Default `announce`. */
  readonly delivery?: Delivery
  /**
   * Where what comes of it goes, in the application's own terms: `deliver` is told. With it the message of a
   * `system_event` is put into no session: telling it is all there is to do.
   */
  readonly to?: string
  /** The agent that is asked. Default: the runtime's. */
  readonly agent?: string
  readonly model?: string
  /** Model calls in a firing at most. */
  readonly maxTurns?: number
  /** One call of the scheduler's cheaper model, without tools. Default false. */
  readonly lightweight?: boolean
  /** So many seconds are between the beginnings of two firings at least. Default 0. */
  readonly cooldownSecs?: number
  /** Firings that may go on at the same time. Default 1. */
  readonly maxConcurrent?: number
  /** Default `once`. */
  readonly missed?: Missed
  /** A firing comes up to so many ms late, each by another time, so that not all jobs begin at once. Default 0. */
  readonly jitterMs?: number
}

/** What can be changed of a job. Null takes an optional one back to its default. */
export type JobPatch = {
  readonly [Name in keyof NewJob]?: undefined extends NewJob[Name] ? NewJob[Name] | null : NewJob[Name]
}

/** Why a job was paused that nobody paused. */
export interface PauseReason {
  readonly code: string
  readonly message: string
}

/** A job as it is. Times are ms since 1970 by the store's clock. */
export interface Job extends NewJob {
  readonly id: string
  readonly namespace: Namespace
  readonly delivery: Delivery
  readonly status: JobStatus
  /** Who made it, or has changed it last: whom its runs work for. */
  readonly principal?: string
  readonly createdAt: number
  /** When it is due next, before jitter and cooldown. */
  readonly nextRun?: number
  /** When a firing last began. */
  readonly lastRun?: number
  readonly runCount: number
  /** How many firings go on now. */
  readonly running: number
  readonly pausedBecause?: PauseReason
  /** Who wrote it had read what strangers wrote: so may this be theirs. Its runs are tainted from the start. */
  readonly tainted?: true
}

/** A firing that has begun and whose end is not recorded yet. */
export interface Firing {
  /** Tells the firings of a job apart: the time it was due, or what it was asked for by. */
  readonly id: string
  /** When it was due, and when somebody took it on. */
  readonly due: number
  readonly at: number
  /** Until then it is left to whoever is at it. */
  readonly until: number
  /** The run that was stopped because its process ended: it goes on in the next one. */
  readonly cut?: string
}

/** A job as it is kept. */
export interface KeptJob extends NewJob {
  readonly id: string
  readonly status: JobStatus
  readonly principal?: string
  readonly createdAt: number
  /** What the intervals of `every` are counted from. */
  readonly start: number
  readonly due?: number
  readonly lastRun?: number
  readonly runCount: number
  readonly firings: readonly Firing[]
  /** Failures with the same code, one after the other. */
  readonly failures?: { readonly code: string; readonly count: number }
  readonly pausedBecause?: PauseReason
  readonly tainted?: true
}

/** A job with its place in the store. */
export interface Place {
  readonly namespace: Namespace
  readonly version: number
  readonly job: KeptJob
}

export const placeOf = ({ namespace, version, value }: StoredRecord): Place => ({
  namespace,
  version,
  job: value as unknown as KeptJob,
})

export const jobOf = ({ namespace, job }: Place): Job => {
  const { start: _, due, firings, failures: __, delivery = "announce", ...rest } = job
  return {
    ...rest,
    namespace,
    delivery,
    running: firings.length,
    ...(due !== undefined && { nextRun: due }),
  }
}

const MAX_NAME = 100
const MAX_TEXT = 32_000
const MAX_JITTER = 86_400_000

const invalid = (message: string): CronError => new CronError("job_invalid", message)

/** The job's own part, checked; the schedule is checked apart. @throws CronError (`job_invalid`). */
export function checkedJob(given: NewJob): Omit<NewJob, "schedule"> {
  const {
    name,
    payload,
    delivery,
    to,
    agent,
    model,
    maxTurns,
    lightweight,
    cooldownSecs,
    maxConcurrent,
    missed,
    jitterMs,
  } = given
  if (typeof name !== "string" || name.trim() === "" || name.length > MAX_NAME || !name.isWellFormed())
    throw invalid(`The name of a job is 1 to ${MAX_NAME} characters.`)
  const job = {
    name: name.trim(),
    payload: checkedPayload(payload),
    delivery: oneOf("delivery", delivery, ["announce", "silent"] as const),
    to: text("to", to),
    agent: text("agent", agent),
    model: text("model", model),
    maxTurns: whole("maxTurns", maxTurns, 1, 1_000),
    lightweight: oneOf("lightweight", lightweight, [true, false] as const),
    cooldownSecs: whole("cooldownSecs", cooldownSecs, 0, 31_622_400),
    maxConcurrent: whole("maxConcurrent", maxConcurrent, 1, 100),
    missed: oneOf("missed", missed, ["once", "all", "skip"] as const),
    jitterMs: whole("jitterMs", jitterMs, 0, MAX_JITTER),
  }
  return Object.fromEntries(Object.entries(job).filter(([, value]) => value !== undefined)) as Omit<
    NewJob,
    "schedule"
  >
}

function checkedPayload(payload: unknown): Payload {
  const { type, prompt, message } = isObject(payload) ? payload : {}
  const said = type === "agent_turn" ? prompt : type === "system_event" ? message : undefined
  if (typeof said !== "string" || said.trim() === "" || said.length > MAX_TEXT) {
    throw invalid(
      `A payload is {"type": "agent_turn", "prompt": "..."} or {"type": "system_event", "message": "..."}, with 1 to ${MAX_TEXT} characters of text.`,
    )
  }
  return type === "agent_turn"
    ? { type, prompt: said.toWellFormed() }
    : { type: "system_event", message: said.toWellFormed() }
}

function text(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === "string" && value !== "" && value.length <= 256 && value.isWellFormed()) return value
  throw invalid(`\`${name}\` is a name of 1 to 256 characters.`)
}

function whole(name: string, value: unknown, least: number, most: number): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === "number" && Number.isInteger(value) && value >= least && value <= most) return value
  throw invalid(`\`${name}\` is a whole number from ${least} to ${most}.`)
}

function oneOf<T>(name: string, value: unknown, allowed: readonly T[]): T | undefined {
  if (value === undefined || value === null) return undefined
  const found = allowed.find((each) => each === value)
  if (found !== undefined) return found
  throw invalid(`\`${name}\` is ${allowed.map((each) => JSON.stringify(each)).join(" or ")}.`)
}

/** When a job can be done that is due: after its jitter and its cooldown. */
export function readyAt({
  id,
  due = Number.POSITIVE_INFINITY,
  jitterMs = 0,
  cooldownSecs = 0,
  lastRun,
}: KeptJob): number {
  const rested = lastRun === undefined ? 0 : lastRun + cooldownSecs * 1_000
  return Math.max(due + (jitterMs > 0 ? spread(`${id} ${due}`) % (jitterMs + 1) : 0), rested)
}

/** The same number for the same text in every process (FNV-1a). */
function spread(of: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < of.length; index++) hash = Math.imul(hash ^ of.charCodeAt(index), 0x01000193)
  return hash >>> 0
}

/** The job after that firing, or that time, was taken from its schedule: it is due again after `after`, or over. */
export function advanced(job: KeptJob, after: number): KeptJob {
  const { due: _, ...rest } = job
  const due = nextRun(job.schedule, after, job.start)
  return due === undefined ? { ...rest, status: "completed" } : { ...rest, due }
}

/** The job as JSON, by the names of the original and with its times as text. */
export function jobJson(job: Job): Readonly<Record<string, Json>> {
  const { id, name, schedule, payload, delivery, namespace, status, runCount, running, pausedBecause } = job
  const time = (ms: number | undefined): string | undefined =>
    ms === undefined ? undefined : new Date(ms).toISOString()
  const all: Readonly<Record<string, Json | undefined>> = {
    id,
    name,
    schedule: { ...schedule },
    payload: { ...payload },
    delivery,
    namespace: namespace.key,
    to: job.to,
    agent: job.agent,
    model: job.model,
    max_turns: job.maxTurns,
    lightweight: job.lightweight,
    cooldown_secs: job.cooldownSecs,
    max_concurrent: job.maxConcurrent,
    missed: job.missed,
    jitter_ms: job.jitterMs,
    status,
    created_at: time(job.createdAt),
    last_run: time(job.lastRun),
    next_run: time(job.nextRun),
    run_count: runCount,
    running,
    paused_because: pausedBecause && { ...pausedBecause },
  }
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, Json] => entry[1] !== undefined),
  )
}

/** The members of a job by the names of its JSON. */
const NAMES = {
  name: "name",
  schedule: "schedule",
  payload: "payload",
  delivery: "delivery",
  to: "to",
  agent: "agent",
  model: "model",
  max_turns: "maxTurns",
  lightweight: "lightweight",
  cooldown_secs: "cooldownSecs",
  max_concurrent: "maxConcurrent",
  missed: "missed",
  jitter_ms: "jitterMs",
} as const satisfies Record<string, keyof NewJob>

/**
 * What JSON by the names of `jobJson` says of a job, to make one or to change it; what it says besides is left out. The
 * scheduler checks what it is given, so anything may come in.
 *
 * ```ts
 * await scheduler.update(ada, id, jobPatch(await request.json()), { principal: "ada" })
 * ```
 */
export function jobPatch(json: object): JobPatch {
  const given: Readonly<Record<string, unknown>> = { ...json }
  const known = Object.entries(NAMES).filter(([name]) => given[name] !== undefined)
  return Object.fromEntries(known.map(([name, member]) => [member, given[name]])) as JobPatch
}
