import type { AgentSettings } from "./agent.ts"
import { LeaseLost, OrraError, SessionBusy } from "./errors.ts"
import { failureOf } from "./failure.ts"
import { randomId } from "./ids.ts"
import { runLoop } from "./loop.ts"
import type { LoopSettings } from "./loop-run.ts"
import { keyOf, type Namespace } from "./namespace.ts"
import { closingEntries } from "./recovery.ts"
import type { Notice, RunOptions, RunResult } from "./run.ts"
import type { NewEntry } from "./session.ts"
import type { SessionLog } from "./session-log.ts"
import type { Lease, SessionStore } from "./store.ts"

export interface DriverOptions {
  readonly store: SessionStore
  readonly settings: LoopSettings
  readonly owner: string
  readonly leaseTtlMs: number
  readonly maxTurns: number
  readonly notify: (namespace: Namespace, notice: Notice) => void
}

/** A session that is being run. */
export interface Active {
  readonly namespace: Namespace
  readonly log: SessionLog
  /** Ends the present run. */
  controller: AbortController
  /** The present run, once it has begun. */
  runId: string | undefined
  /** The end of the present run. */
  ended: Promise<unknown>
  /** Set to leave what waits in the queue for later. */
  paused: boolean
  /** Settles when the session is free again. Never rejects. */
  idle: Promise<void>
}

/** A run that has begun: its first entries are durable. */
export interface Begun {
  readonly runId: string
  /** The number of the last entry before it. */
  readonly cursor: number
  readonly result: Promise<RunResult>
}

/** The entries before `run_started`; empty to go on as the transcript stands, undefined to begin with the queue. */
export type Opening = () => readonly NewEntry[] | undefined

/** What the sender of a message asks of its run. */
type Asked = Pick<RunOptions, "model" | "maxTurns" | "agent" | "principal" | "envelope">

/** What is asked of a runtime that is closed or closing. */
export const closed = (): OrraError => new OrraError("closed", "The runtime is shutting down.")

/**
 * Takes sessions, runs them, lets them go: one run at a time in each, under a lease, then whatever waits in the
 * session's queue.
 */
export class Driver {
  readonly #options: DriverOptions
  readonly #active = new Map<string, Active>()
  /** All that is going on, also what comes after a run: giving back the lease, and another look at the queue. */
  readonly #drives = new Set<Promise<void>>()
  /** Work under a lease that is not a run. Runs of the session wait for it. */
  readonly #work = new Map<string, Promise<void>>()
  #closed = false

  constructor(options: DriverOptions) {
    this.#options = options
  }

  get(namespace: Namespace): Active | undefined {
    return this.#active.get(keyOf(namespace))
  }

  /** @throws SessionBusy when the session is being run here or elsewhere; OrraError (`closed`) after `close`. */
  async start(log: SessionLog, opening: Opening, options: RunOptions): Promise<Begun> {
    const { namespace } = log
    // Whoever asked before the end and comes here after it would start what nobody stops.
    if (this.#closed) throw closed()
    if (this.#active.has(namespace.key)) throw new SessionBusy()
    const active: Active = {
      namespace,
      log,
      controller: new AbortController(),
      runId: undefined,
      ended: Promise.resolve(),
      paused: false,
      idle: Promise.resolve(),
    }
    this.#active.set(namespace.key, active)
    const begun = Promise.withResolvers<Begun>()
    active.idle = this.#drive(log, active, opening, options, begun)
    this.#drives.add(active.idle)
    active.idle.finally(() => this.#drives.delete(active.idle))
    return await begun.promise
  }

  /** Stops the present run and what waits behind it, and waits until the session is free. */
  async pause(namespace: Namespace): Promise<void> {
    for (let active = this.get(namespace); active; active = this.get(namespace)) {
      active.paused = true
      active.controller.abort()
      await active.idle
    }
  }

  /** Pauses every session for good. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#active.values()].map(({ namespace }) => this.pause(namespace)))
    // A run that has ended still gives back its lease: the store is needed until then.
    await Promise.all([...this.#drives, ...this.#work.values()])
  }

  /**
   * The session's lease for work that is not a run. A run of this process that begins meanwhile waits: it would get
   * the same owner's lease, and one of the two would lose it.
   *
   * @throws SessionBusy while the session runs, here or in another process.
   */
  async withLease<T>(namespace: Namespace, work: (lease: Lease) => Promise<T>): Promise<T> {
    const { key } = namespace
    if (this.#active.has(key)) throw new SessionBusy()
    const task = (this.#work.get(key) ?? Promise.resolve()).then(() => this.#leased(namespace, work))
    const settled = task.then(
      () => {},
      () => {},
    )
    this.#work.set(key, settled)
    try {
      return await task
    } finally {
      if (this.#work.get(key) === settled) this.#work.delete(key)
    }
  }

  async #leased<T>(namespace: Namespace, work: (lease: Lease) => Promise<T>): Promise<T> {
    const lease = await this.#acquire(namespace)
    try {
      return await work(lease)
    } finally {
      await this.#options.store.release(lease).catch(this.#options.settings.onError)
    }
  }

  /** Closes the run that a dead process left open, if there is one: with the lease, nobody can be running it. */
  async closeOpenRun(log: SessionLog, lease: Lease): Promise<void> {
    const { tools } = this.#options.settings
    // What is known of the session may be older than the process that died.
    await log.refresh()
    if (!log.openRun) return
    const draft = log.openRun?.draft
    await log.append(
      closingEntries(log, Date.now(), (name) => tools.get(name)?.idempotent ?? false),
      {
        lease,
        incarnation: log.incarnation,
        ...(draft && { dropDeltas: { from: draft.from, to: draft.to } }),
      },
    )
  }

  async #acquire(namespace: Namespace): Promise<Lease> {
    const { store, owner, leaseTtlMs } = this.#options
    const lease = await store.acquire(namespace, owner, leaseTtlMs)
    if (!lease)
      throw new SessionBusy("Another process is running this session: try again when it has finished.")
    return lease
  }

  async #drive(
    log: SessionLog,
    active: Active,
    opening: Opening,
    options: RunOptions,
    begun: PromiseWithResolvers<Begun>,
  ): Promise<void> {
    const { store, leaseTtlMs, settings, notify } = this.#options
    let lease: Lease | undefined
    let renewal: ReturnType<typeof setInterval> | undefined
    let done = false
    const stopFirst = () => active.controller.abort()
    try {
      await this.#work.get(log.namespace.key)
      lease = await this.#acquire(log.namespace)
      renewal = setInterval(() => {
        if (!lease) return
        store.renew(lease, leaseTtlMs).then(
          (renewed) => {
            lease = renewed
          },
          (error: unknown) => {
            // A store that is only busy is asked again before the lease runs out.
            if (error instanceof LeaseLost) active.controller.abort()
            else settings.onError(error)
          },
        )
      }, leaseTtlMs / 3)
      await this.closeOpenRun(log, lease)

      options.signal?.addEventListener("abort", stopFirst, { once: true })
      if (options.signal?.aborted) stopFirst()
      let first: Opening | undefined = opening
      for (;;) {
        const run = await this.#begin(log, active, first, options, () => lease as Lease)
        if (!run) break
        begun.resolve(run)
        await run.result
        options.signal?.removeEventListener("abort", stopFirst)
        first = undefined
        // Also after a failure: whoever waits for an answer learns what became of their own message.
        if (active.paused || log.inputs.length === 0) break
        active.controller = new AbortController()
      }
      // In the same turn as the look at the queue: whoever writes to it from now on starts a run of their own.
      this.#free(active)
      if (active.runId === undefined) begun.reject(new SessionBusy("What was waiting has been taken back."))
      done = !active.paused
    } catch (error) {
      // First of all: a message that arrives from now on would wait for a run that is over.
      this.#free(active)
      begun.reject(error)
      if (active.runId !== undefined) settings.onError(error)
      if (active.runId !== undefined || log.inputs.length > 0) {
        const runId = active.runId ?? randomId()
        notify(log.namespace, { type: "failure", runId, failure: failureOf(error) })
      }
    } finally {
      options.signal?.removeEventListener("abort", stopFirst)
      clearInterval(renewal)
      if (lease) await store.release(lease).catch(settings.onError)
    }
    if (done) await this.#lookAgain(log)
  }

  /**
   * Another process that wrote to the queue while this one held the lease could not run it: it left that to us. What
   * it wrote before the release is there to be read after it.
   */
  async #lookAgain(log: SessionLog): Promise<void> {
    if (this.#closed) return
    try {
      await log.refresh()
      if (log.inputs.length > 0 && !this.#closed) await this.start(log, () => undefined, {})
    } catch (error) {
      if (!(error instanceof SessionBusy)) this.#options.settings.onError(error)
    }
  }

  #free(active: Active): void {
    const { key } = active.namespace
    if (this.#active.get(key) === active) this.#active.delete(key)
  }

  /** Writes the first entries of a run and sets it going. Undefined when there is nothing to run. */
  async #begin(
    log: SessionLog,
    active: Active,
    opening: Opening | undefined,
    options: RunOptions,
    lease: () => Lease,
  ): Promise<Begun | undefined> {
    const runId = randomId()
    let cursor = 0
    let asked: Asked = options
    const { settings, notify } = this.#options
    let own: AgentSettings | undefined
    let agent: string | undefined
    let policies = settings.policies
    const written = await log.append(
      () => {
        cursor = log.version
        asked = options
        let entries = opening?.()
        if (!entries) {
          // A message that waited brings what its own sender asked for.
          const input = log.inputs[0]
          if (!input) return undefined
          asked = input
          entries = [{ type: "user", at: Date.now(), message: input.message, inputId: input.inputId }]
        }
        const { maxTurns, principal, envelope } = asked
        const { namespace, info } = log
        own = settings.agent?.({ namespace, agent: asked.agent, metadata: info?.metadata ?? {}, envelope })
        const { model = own?.model ?? settings.model } = asked
        agent = own?.name ?? asked.agent
        policies = own?.policies ?? settings.policies
        if (envelope) policies = settings.rights?.(envelope, policies) ?? policies
        return [
          ...entries,
          {
            type: "run_started",
            at: Date.now(),
            runId,
            ...(model !== undefined && { model }),
            ...(agent !== undefined && { agent }),
            ...(maxTurns !== undefined && { maxTurns }),
            ...(principal !== undefined && { principal }),
            ...(envelope && { envelope }),
            ...(envelope?.tainted && { tainted: true as const }),
          },
        ]
      },
      { lease: lease() },
    )
    if (written.length === 0) return undefined
    active.runId = runId
    const { controller } = active
    const inTime = stopAt(asked.envelope?.deadline, controller)
    const result = runLoop(own ? { ...settings, ...own } : settings, {
      runId,
      log,
      incarnation: log.incarnation,
      lease,
      signal: controller.signal,
      end: (why) => controller.abort(why),
      model: asked.model,
      maxTurns: asked.maxTurns ?? own?.maxTurns ?? this.#options.maxTurns,
      agent,
      principal: asked.principal,
      envelope: asked.envelope,
      policies,
      notify: (notice) => notify(log.namespace, notice),
      cost: { usd: undefined },
    }).finally(inTime)
    active.ended = result.catch(() => {})
    return { runId, cursor, result }
  }
}

/** The longest time a timer can be set for. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Stops the run at that time. @returns what takes that back. */
function stopAt(deadline: number | undefined, controller: AbortController): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined
  const wait = (): void => {
    if (deadline === undefined) return
    const left = deadline - Date.now()
    if (left > 0) timer = setTimeout(wait, Math.min(left, MAX_TIMER_MS))
    else controller.abort(new OrraError("deadline_exceeded", "The time that this run was given is up."))
  }
  wait()
  return () => clearTimeout(timer)
}
