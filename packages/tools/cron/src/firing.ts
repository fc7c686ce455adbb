import {
  errorMessage,
  firstCodePoints,
  LeaseLost,
  type Namespace,
  NotFound,
  OrraError,
  post,
  type RunOptions,
  type RunResult,
  type Runtime,
  SessionBusy,
  StoreError,
  userMessage,
} from "@orra/core"
import { type Desk, firingsOf } from "./desk.ts"
import type { Firing, KeptJob, PauseReason } from "./job.ts"
import type { Notices } from "./notices.ts"
import { envelopeOf } from "./rights.ts"
import { forgetRuns, type JobRun, logRun } from "./run-log.ts"

export interface FiringOptions {
  readonly desk: Desk
  readonly runtime: Runtime
  readonly notices: Notices | undefined
  readonly lightModel: () => string | undefined
  readonly isActive: (creator: {
    readonly namespace: Namespace
    readonly principal?: string
  }) => boolean | Promise<boolean>
  readonly ready: (creator: {
    readonly namespace: Namespace
    readonly principal?: string
  }) => Promise<unknown>
  /** How long a run may take. */
  readonly runMs: number
  /** Whether this process ends: then it is not a person who stops a run. */
  readonly isEnding: () => boolean
  /** How long a firing is left to the process that has taken it on and says nothing any more. */
  readonly claimMs: number
  readonly onError: (error: unknown) => void
}

/** How a firing ended. */
type End = Pick<JobRun, "outcome" | "error" | "session" | "runId" | "cost" | "text"> & {
  readonly tainted?: boolean
}

/** A session in which somebody speaks is asked again so much later, and a run that waits or goes on elsewhere. */
const BUSY_MS = 5_000
const ELSEWHERE_MS = 30_000
/** After so many failures of the same kind, one after the other, a job is paused. */
const MAX_FAILURES = 3
/** So often a run is set going again whose process died. One that kills its process would do so for ever. */
const MAX_TRIES = 5
const MAX_TEXT = 16_000
const MAX_LOGGED_TEXT = 500
const KEPT_EVERY = 10

/**
 * Does what a job is to do, after somebody has taken the firing on: whoever does it a second time, because the first one
 * died, sends the same message under the same id, which is sent once. Returns when the end is recorded, or when nobody
 * here can do anything about it for now.
 */
export async function carryOut(
  options: FiringOptions,
  namespace: Namespace,
  job: KeptJob,
  firing: Firing,
): Promise<void> {
  const { desk, claimMs, onError, isEnding } = options
  const leaveUntil = async (ms: number, left = firing): Promise<void> => {
    const until = (await desk.now()) + ms
    await desk.change(namespace, job.id, (now) => withFiring(now, { ...left, until }))
  }
  const renewal = setInterval(() => leaveUntil(claimMs).catch(onError), claimMs / 2)
  let end: End | undefined
  let busy = false
  try {
    end = await perform(options, namespace, job, firing)
  } catch (error) {
    // Nobody knows what has happened: it is tried again, under the same id, when its time is up.
    if (error instanceof StoreError || error instanceof LeaseLost || codeOf(error) === "closed") throw error
    busy = error instanceof SessionBusy
    if (!busy)
      end = { outcome: "failed", error: { code: codeOf(error), message: errorMessage(error).toWellFormed() } }
  } finally {
    clearInterval(renewal)
  }
  if (end?.outcome === "stopped" && !end.error && end.runId !== undefined && isEnding())
    await leaveUntil(0, { ...firing, cut: end.runId })
  else if (end) await settle(options, namespace, job, firing, end)
  else await leaveUntil(busy ? BUSY_MS : ELSEWHERE_MS)
}

const codeOf = (error: unknown): string => (error instanceof OrraError ? error.code : "failed")

/** The job with the firing as it is now; undefined when that is over. */
const withFiring = (job: KeptJob, firing: Firing): KeptJob | undefined =>
  job.firings.some(({ id }) => id === firing.id)
    ? { ...job, firings: job.firings.map((each) => (each.id === firing.id ? firing : each)) }
    : undefined

/** Undefined when it is not over, and nothing can be done here. */
async function perform(
  options: FiringOptions,
  namespace: Namespace,
  job: KeptJob,
  firing: Firing,
): Promise<End | undefined> {
  const { runtime, isActive, ready } = options
  const { principal, payload, name, to } = job
  const creator = { namespace, ...(principal !== undefined && { principal }) }
  if (!(await isActive(creator))) {
    const error = {
      code: "creator_gone",
      message: "Whoever made this job is not here any more, so nobody's rights are left for it.",
    }
    // It may have begun while they were there, and wait.
    if (payload.type === "agent_turn") await runtime.stop(sessionOf(namespace, job, firing))
    return { outcome: "refused", error }
  }
  if (payload.type === "agent_turn") {
    if (!runtime.isRunning(sessionOf(namespace, job, firing))) await ready(creator)
    return await ask(options, namespace, job, payload.prompt, firing)
  }
  const { message } = payload
  if (to !== undefined) return { outcome: "completed", text: message, tainted: job.tainted ?? false }
  const inputId = inputIdOf(job, firing)
  await post(runtime, namespace, userMessage(message, { kind: "schedule", name }), { inputId })
  return { outcome: "completed", text: message, session: namespace.key }
}

const sessionOf = (namespace: Namespace, { id }: KeptJob, firing: Firing): Namespace =>
  firingsOf(namespace, id).child(firing.id)

/** The same whoever sends the message: it is sent once. */
const inputIdOf = ({ id }: KeptJob, firing: Firing): string => `cron:${id}:${firing.id}`

async function ask(
  { runtime, desk, lightModel, runMs }: FiringOptions,
  namespace: Namespace,
  job: KeptJob,
  prompt: string,
  firing: Firing,
): Promise<End | undefined> {
  const { name, principal, agent, lightweight } = job
  const session = sessionOf(namespace, job, firing)
  const model = job.model ?? (lightweight ? lightModel() : undefined)
  const maxTurns = lightweight ? 1 : job.maxTurns
  const deadline = runtime.internals.settings.now() + runMs
  const inputId = inputIdOf(job, firing)
  const runOptions: RunOptions = {
    envelope: envelopeOf(await desk.grant(namespace, job.id), deadline, job),
    ...(principal !== undefined && { principal }),
    ...(agent !== undefined && { agent }),
    ...(model !== undefined && { model }),
    ...(maxTurns !== undefined && { maxTurns }),
  }
  const asked = userMessage(prompt, { kind: "schedule", name })
  let sent = await runtime.submit(session, asked, { ...runOptions, inputId })
  for (;;) {
    const { newest, tries } = await runsOf(runtime, session)
    const runId = sent.runId ?? newest
    if (runId === undefined) return undefined
    const mayGoOn = tries < MAX_TRIES
    // Of a process that died: it goes on here. One that another process is at, or that waits, is left alone.
    if (!runtime.isRunning(session)) await runtime.recover(session, { resume: mayGoOn })
    const result = await resultOf(runtime, session, runId)
    const { outcome = "waiting" } = result ?? {}
    if (!result || outcome === "waiting" || outcome === "detached") return undefined
    const isCutOff = outcome === "interrupted" || (outcome === "stopped" && runId === firing.cut)
    if (!isCutOff || !mayGoOn) {
      const { tainted } = await runtime.internals.logs.open(session)
      return { outcome, session: session.key, tainted, ...endOf(result) }
    }
    // It was closed, by its own process at its end or by another one: the rest is asked for, once for each time.
    sent = await runtime.submit(session, GO_ON, { ...runOptions, inputId: `${inputId}:${runId}` })
  }
}

const GO_ON = userMessage("Your work was interrupted. Go on from where it stopped.", {
  kind: "host",
  name: "continue",
})

const endOf = ({ runId, error, cost, text }: RunResult): Omit<End, "outcome"> => ({
  text: firstCodePoints(text, MAX_TEXT),
  runId,
  ...(error && { error: { code: error.code, message: error.message } }),
  ...(cost !== undefined && { cost }),
})

/** The newest run of a firing's session, and how often one has begun or gone on there. */
async function runsOf(
  runtime: Runtime,
  session: Namespace,
): Promise<{ readonly newest: string | undefined; readonly tries: number }> {
  const types = ["run_started", "run_resumed"] as const
  const begun = await runtime.store.read(session, { types, direction: "backward", limit: MAX_TRIES })
  const newest = begun.find((entry) => entry.type === "run_started" || entry.type === "run_resumed")
  return { newest: newest?.runId, tries: begun.length }
}

async function resultOf(runtime: Runtime, session: Namespace, runId: string): Promise<RunResult | undefined> {
  try {
    return await runtime.result(session, runId)
  } catch (error) {
    if (error instanceof NotFound) return undefined
    throw error
  }
}

/**
 * Writes down how it ended, tells, and takes the firing out of the job, in this order: whoever comes after a crash does
 * the rest, and what was done is not done again.
 */
async function settle(
  options: FiringOptions,
  namespace: Namespace,
  { id }: KeptJob,
  firing: Firing,
  end: End,
): Promise<void> {
  const { desk, runtime, notices } = options
  for (;;) {
    const place = await desk.find(namespace, id)
    if (!place) return await forget(options, namespace, id, firing)
    // Somebody else was quicker.
    if (!place.job.firings.some((each) => each.id === firing.id)) return
    const { job } = place
    const { due } = firing
    const { text = "", tainted, ...ended } = end
    const tells = notices && (job.delivery ?? "announce") === "announce" && end.outcome !== "refused"
    const run = await logRun(desk, namespace, id, {
      firing: firing.id,
      due,
      startedAt: firing.at,
      finishedAt: await desk.now(),
      ...ended,
      text: firstCodePoints(text, MAX_LOGGED_TEXT),
      delivery: { state: tells ? "pending" : "none" },
    })
    const notice = {
      job: { id, name: job.name },
      firing: firing.id,
      due,
      outcome: end.outcome,
      text,
      ...(job.to !== undefined && { to: job.to }),
      ...(end.session !== undefined && { session: end.session }),
      ...(tainted && { tainted: true as const }),
    }
    if (run.delivery.state === "pending")
      await notices?.add(namespace, { ...notice, type: "finished", ...(end.error && { error: end.error }) })
    const settled = settledJob(job, firing, end)
    const why = settled.pausedBecause
    if (why && why !== job.pausedBecause)
      await notices?.add(namespace, { ...notice, type: "paused", error: why })
    if (await desk.put(place, settled)) break
  }
  const runCount = (await desk.find(namespace, id))?.job.runCount ?? 0
  if (runCount % KEPT_EVERY === 0) await forgetRuns(desk, runtime, namespace, id)
}

/** The job was deleted while this went on: so is what came of it. */
async function forget(
  { desk, runtime, notices }: FiringOptions,
  namespace: Namespace,
  id: string,
  firing: Firing,
): Promise<void> {
  await runtime.delete(firingsOf(namespace, id).child(firing.id))
  await forgetRuns(desk, runtime, namespace, id, 0)
  await notices?.forget(namespace, id)
}

/** The job without the firing, and paused if it keeps failing. */
function settledJob(job: KeptJob, firing: Firing, { outcome, error }: End): KeptJob {
  const { failures: before, ...rest } = job
  const firings = job.firings.filter(({ id }) => id !== firing.id)
  const left: KeptJob = { ...rest, firings }
  if (outcome === "completed") return left
  if (outcome === "refused" && error) return paused(left, error)
  // Somebody stopped it, or a process died: that says nothing of the job. What took too long is stopped with an error.
  if (outcome === "interrupted" || (outcome === "stopped" && !error)) return { ...job, firings }
  const code = error?.code ?? outcome
  const count = before?.code === code ? before.count + 1 : 1
  if (count < MAX_FAILURES) return { ...left, failures: { code, count } }
  const why = error?.message ?? "It did not finish within its number of steps."
  return paused(left, { code, message: `It failed ${count} times in the same way, and is paused: ${why}` })
}

const paused = (job: KeptJob, why: PauseReason): KeptJob =>
  job.status === "active" ? { ...job, status: "paused", pausedBecause: why } : { ...job, pausedBecause: why }
