import type { Namespace, Page, RecordListOptions, Runtime } from "@orra/core"
import { Desk } from "./desk.ts"
import {
  createJob,
  deleteJob,
  demand,
  type EditOptions,
  type Once,
  pauseJob,
  resumeJob,
  updateJob,
} from "./edit.ts"
import { carryOut, type FiringOptions } from "./firing.ts"
import { type Firing, type Job, type JobPatch, jobOf, type NewJob, type Place, placeOf } from "./job.ts"
import { Notices } from "./notices.ts"
import { type Limits, limitsOf, type SchedulerOptions } from "./options.ts"
import { type PlanOptions, planOf } from "./plan.ts"
import { assertNarrows, type Creator } from "./rights.ts"
import { type JobRun, listRuns, logRun } from "./run-log.ts"
import { checkedSchedule, nextRun, type Schedule, type ScheduleLimits } from "./schedule.ts"
import { type JobKey, keyText, Timetable } from "./timetable.ts"
import { within } from "./within.ts"

/** Jobs that are looked at, at the same time. */
const AT_ONCE = 16
/** A job that cannot be looked at, or that waits for its own firings, is looked at again so much later, in ms. */
const AGAIN_MS = 5_000
/** What others have left to be told is looked for no more often than this, in ms. */
const TELL_MS = 5_000

/**
 * Does jobs at their times, in as many processes as there are: each firing in one of them. Jobs are kept in the store of
 * the runtime.
 *
 * ```ts
 * const scheduler = new Scheduler(runtime, { prefix: Namespace.of("household"), timezone: "Europe/Oslo" })
 * await scheduler.create(ada, {
 *   name: "weather",
 *   schedule: { type: "cron", expression: "30 7 * * MON-FRI" },
 *   payload: { type: "agent_turn", prompt: "What should I wear today?" },
 * }, { principal: "ada" })
 * await scheduler.run({ signal })
 * ```
 */
export class Scheduler {
  readonly #desk: Desk
  readonly #timetable: Timetable
  readonly #notices: Notices | undefined
  readonly #settings: EditOptions & FiringOptions & PlanOptions & Limits
  /** What goes on here, by job and firing. */
  readonly #work = new Map<string, Promise<void>>()
  /** Jobs that are being looked at: each of them may begin a firing. */
  #looking = 0
  #isEnding = false
  #turn: Promise<unknown> = Promise.resolve()
  #wake = (): void => {}

  /**
   * @throws InvalidInput for limits that are none, and for a runtime that would not hold jobs to their rights: see
   *   `jobRights`; CronError (`timezone_unknown`).
   */
  constructor(runtime: Runtime, options: SchedulerOptions) {
    const { prefix, deliver } = options
    assertNarrows(runtime, prefix)
    const limits = limitsOf(options)
    const desk = new Desk(runtime)
    this.#desk = desk
    this.#notices = deliver && new Notices(desk, deliver, limits.claimMs, limits.onError)
    this.#timetable = new Timetable(desk, prefix, (key, firing) => this.#work.has(`${key}\n${firing}`))
    this.#settings = {
      desk,
      runtime,
      prefix,
      notices: this.#notices,
      isEnding: () => this.#isEnding,
      ...limits,
    }
  }

  /**
   * Makes a job. Its rights are those of its creator now, and are never more than theirs when it is done.
   *
   * @throws CronError for what cannot be; InvalidInput for a namespace that is not below the scheduler's.
   */
  async create(namespace: Namespace, job: NewJob, creator: Creator = {}, once: Once = {}): Promise<Job> {
    return this.#placed(await createJob(this.#settings, namespace, job, creator, once))
  }

  /** The job, or undefined: also where it is somebody else's. */
  async get(namespace: Namespace, id: string): Promise<Job | undefined> {
    const place = await this.#desk.find(namespace, id)
    return place && jobOf(place)
  }

  /** The jobs of the namespace; with `below` also those of the namespaces below it. */
  async list(namespace: Namespace, options?: RecordListOptions): Promise<Page<Job>> {
    const { items, ...rest } = await this.#desk.jobs.list(namespace, options)
    return { items: items.map((record) => jobOf(placeOf(record))), ...rest }
  }

  /**
   * Changes what the patch names; null takes it back to its default. From then on the job is for whoever changed it.
   *
   * @throws NotFound; CronError for what cannot be.
   */
  async update(namespace: Namespace, id: string, patch: JobPatch, creator: Creator = {}): Promise<Job> {
    return this.#placed(await updateJob(this.#settings, namespace, id, patch, creator))
  }

  /** What goes on is not stopped. @throws NotFound; CronError (`job_state`) for a job that is over. */
  async pause(namespace: Namespace, id: string): Promise<Job> {
    return this.#placed(await pauseJob(this.#settings, namespace, id))
  }

  /** @throws NotFound; CronError (`job_state`) for a job whose only time is over. */
  async resume(namespace: Namespace, id: string): Promise<Job> {
    return this.#placed(await resumeJob(this.#settings, namespace, id))
  }

  /**
   * Removes the job, its log, and the sessions of what it has done; of what goes on, when that ends.
   *
   * @returns false when there was none.
   */
  async delete(namespace: Namespace, id: string): Promise<boolean> {
    return await deleteJob(this.#settings, namespace, id)
  }

  /**
   * Does the job now, here, whatever its schedule and its status say. Resolves when it has begun.
   *
   * @throws NotFound; CronError (`job_state`) while as many of its firings go on as may.
   */
  async runNow(namespace: Namespace, id: string, once: Once = {}): Promise<void> {
    const begun = await demand(this.#settings, namespace, id, once)
    if (begun) this.#begin(begun.place, begun.firing)
  }

  /** The firings of a job that are over, the newest first. */
  runs(namespace: Namespace, id: string, options?: Omit<RecordListOptions, "below">): Promise<Page<JobRun>> {
    return listRuns(this.#desk, namespace, id, options)
  }

  /** The schedule as it would be kept, and its next times, in ms since 1970. @throws CronError for one that cannot be. */
  async preview(
    schedule: Schedule,
    count = 3,
  ): Promise<{ readonly schedule: Schedule; readonly times: readonly number[] }> {
    const now = await this.#desk.now()
    const limits: ScheduleLimits = this.#settings.limits(now)
    const checked = checkedSchedule(schedule, limits)
    const times: number[] = []
    for (
      let at = nextRun(checked, now, now);
      at !== undefined && times.length < count;
      at = nextRun(checked, at, now)
    )
      times.push(at)
    return { schedule: checked, times }
  }

  /** For tools: the agent of the run that goes on in a session; undefined where there is one agent only. */
  async agentIn(session: Namespace): Promise<string | undefined> {
    const newest = { types: ["run_started"], direction: "backward", limit: 1 } as const
    const [started] = await this.#desk.store.read(session, newest)
    return started?.type === "run_started" ? started.agent : undefined
  }

  /**
   * Does what is due and tells whom it is to be told, until the signal fires. What goes on then may come to its end: wait
   * for `idle`. Or close the runtime first: what that stops goes on in the next process.
   */
  async run({ signal }: { readonly signal: AbortSignal }): Promise<void> {
    const { pollMs } = this.#settings
    const telling = this.#notices
      ? this.#unfailing(signal, (notices) =>
          notices.run(this.#settings.prefix, signal, Math.max(pollMs, TELL_MS)),
        )
      : undefined
    const end = (): void => {
      this.#isEnding = true
    }
    signal.addEventListener("abort", end, { once: true })
    while (!signal.aborted) {
      const { promise: woken, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      let pause = pollMs
      try {
        await this.tick()
        pause = Math.min(pause, this.#isFull ? pause : this.#timetable.next - (await this.#desk.now()))
      } catch (error) {
        this.#settings.onError(error)
      }
      await within(Math.max(0, pause), woken, signal)
    }
    await telling
  }

  /** Begins what is due. Resolves when that is recorded; it goes on then, until `idle`. */
  tick(): Promise<void> {
    const turn = this.#turn.then(() => this.#tick())
    this.#turn = turn.catch(() => {})
    return turn
  }

  /** Resolves when nothing goes on here that was begun. */
  async idle(): Promise<void> {
    while (this.#work.size > 0) await Promise.all(this.#work.values())
  }

  /** Tells what is to be told, once. `run` does it all the time. */
  async deliver(): Promise<void> {
    await this.#notices?.deliver(this.#settings.prefix)
  }

  get #isFull(): boolean {
    return this.#work.size + this.#looking >= this.#settings.maxRunning
  }

  async #tick(): Promise<void> {
    const now = await this.#desk.now()
    await this.#timetable.refresh(now)
    const worker = async (): Promise<void> => {
      while (!this.#isFull) {
        const key = this.#timetable.take(now)
        if (!key) return
        this.#looking++
        try {
          await this.#attend(key, now)
        } catch (error) {
          this.#timetable.again(key, now + AGAIN_MS)
          this.#settings.onError(error)
        } finally {
          this.#looking--
        }
      }
    }
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, this.#settings.maxRunning) }, worker))
  }

  /** Takes on what is to be done of a job, unless somebody else is quicker. */
  async #attend(key: JobKey, now: number): Promise<void> {
    const { namespace, id } = key
    const isAtWork = (firing: string): boolean => this.#work.has(`${keyText(namespace, id)}\n${firing}`)
    for (;;) {
      const place = await this.#desk.find(namespace, id)
      if (!place) return
      const plan = planOf(place.job, now, isAtWork, this.#settings)
      if (plan.type === "rest") return this.#timetable.place(place)
      if (plan.type === "wait") return this.#timetable.again(key, now + AGAIN_MS)
      const { firing } = plan
      if (plan.type === "miss") {
        const over = {
          startedAt: now,
          finishedAt: now,
          outcome: "missed",
          delivery: { state: "none" },
        } as const
        await logRun(this.#desk, namespace, id, { firing: firing.id, due: firing.due, ...over })
      }
      const written = await this.#desk.put(place, plan.job)
      if (!written) continue
      if (plan.type === "fire") this.#begin(written, firing)
      else this.#timetable.place(written)
      return
    }
  }

  #begin(place: Place, firing: Firing): void {
    const { namespace, job } = place
    const name = `${keyText(namespace, job.id)}\n${firing.id}`
    if (this.#work.has(name)) return
    const work = carryOut(this.#settings, namespace, job, firing)
      .catch(this.#settings.onError)
      .then(async () => {
        this.#work.delete(name)
        const left = await this.#desk.find(namespace, job.id)
        if (left) this.#timetable.place(left)
      })
      .catch(this.#settings.onError)
      .finally(() => this.#wake())
    this.#work.set(name, work)
    this.#timetable.place(place)
  }

  #placed(place: Place): Job {
    this.#timetable.place(place)
    this.#wake()
    return jobOf(place)
  }

  /** What fails because the store does is tried again. */
  async #unfailing(signal: AbortSignal, work: (notices: Notices) => Promise<void>): Promise<void> {
    const never = new Promise<void>(() => {})
    while (!signal.aborted && this.#notices) {
      try {
        await work(this.#notices)
      } catch (error) {
        this.#settings.onError(error)
        await within(AGAIN_MS, never, signal)
      }
    }
  }
}
