import type { Active, Begun } from "./active.ts"
import { ByKey } from "./by-key.ts"
import { defined } from "./defined.ts"
import { LeaseLost, OrraError, SessionBusy } from "./errors.ts"
import { failureOf } from "./failure.ts"
import { randomId } from "./ids.ts"
import { runLoop } from "./loop.ts"
import type { LoopRun, LoopSettings } from "./loop-run.ts"
import { keyOf, type Namespace } from "./namespace.ts"
import type { OpenRun } from "./open-run.ts"
import { continueMessage, joining } from "./opening.ts"
import type { Policies } from "./policy.ts"
import { closingEntries, draftEntries, storyOf } from "./recovery.ts"
import type { Notice, RunOptions, RunResult } from "./run.ts"
import { callerOf, stopAt } from "./run-end.ts"
import type { NewEntry } from "./session.ts"
import type { SessionLog } from "./session-log.ts"
import { Stop } from "./stop.ts"
import type { Lease, SessionStore } from "./store.ts"

export interface DriverOptions {
  readonly store: SessionStore
  readonly settings: LoopSettings
  readonly owner: string
  readonly leaseTtlMs: number
  readonly maxTurns: number
  readonly notify: (namespace: Namespace, notice: Notice) => void
  /** Told of sessions in which there is something to do, which is left to the process that has them. */
  readonly left: ((namespace: Namespace) => void) | undefined
}

/** What a run has of its own. */
interface Own {
  readonly asked: Asked
  readonly settings: LoopSettings
  readonly agent: string | undefined
  readonly maxTurns: number
  readonly policies: Policies
}

/** What becomes of a run that waits when another is to begin: it stays, or it is withdrawn. */
type WhenWaiting = "stay" | "withdraw"

const FREE = Promise.resolve()

/** Goes on with the open run instead of beginning one. */
export const GO_ON = Symbol("go on")

/** The entries before `run_started`; empty to go on as the transcript stands, undefined to begin with the queue. */
export type Opening = () => readonly NewEntry[] | undefined

/** What the sender of a message asks of its run. */
type Asked = Pick<RunOptions, "model" | "maxTurns" | "agent" | "principal" | "envelope"> & {
  /** What is done instead of asking a model. */
  readonly instead?: typeof runLoop
}

const WAITING = "The session's run waits: stop it, or queue the message."

/** What is asked of a runtime that is closed or closing. */
export const closed = (): OrraError => new OrraError("closed", "The runtime is shutting down.")

/**
 * Takes sessions, runs them, lets them go: one run at a time in each, under a lease, then whatever waits in the
 * session's queue.
 */
export class Driver {
  readonly #options: DriverOptions
  /** The sessions that are being run, by key. */
  readonly active = new ByKey<Active>()
  /** All that is going on, also what comes after a run: giving back the lease, and another look at the queue. */
  readonly #drives = new Set<Promise<void>>()
  /** Work under a lease that is not a run. Runs of the session wait for it. */
  readonly #work = new Map<string, Promise<void>>()
  /** Stops such work that gives way to whatever else is to be done, by the session's key. */
  readonly yielding = new Map<string, Stop>()
  /** Of the driver itself. One is always there so: with the last signal V8 throws away what it has compiled for them. */
  readonly #end = new Stop()

  constructor(options: DriverOptions) {
    this.#options = options
  }

  get(namespace: Namespace): Active | undefined {
    return this.active.get(keyOf(namespace))
  }

  /** @throws SessionBusy when the session is being run here or elsewhere; OrraError (`closed`) after `close`. */
  start(
    log: SessionLog,
    opening: Opening | typeof GO_ON,
    options: RunOptions & Asked,
    whenWaiting: WhenWaiting = "withdraw",
  ): Promise<Begun> {
    const { namespace } = log
    // Whoever asked before the end and comes here after it would start what nobody stops.
    if (this.#end.aborted) return Promise.reject(closed())
    if (this.active.get(namespace.key)) return Promise.reject(new SessionBusy())
    const active: Active = {
      namespace,
      log,
      stop: new Stop(),
      runId: undefined,
      ended: FREE,
      detach: () => {},
      paused: false,
      sent: new Set(),
      idle: FREE,
    }
    this.active.set(namespace.key, active)
    const begun = Promise.withResolvers<Begun>()
    active.idle = this.#drive(log, active, opening, options, whenWaiting, begun)
    this.#drives.add(active.idle)
    return begun.promise
  }

  /** Stops the present run and what waits behind it, and waits until the session is free. */
  async pause(namespace: Namespace): Promise<void> {
    for (let active = this.get(namespace); active; active = this.get(namespace)) {
      active.paused = true
      active.stop.abort()
      await active.idle
    }
  }

  /** Pauses every session for good. */
  async close(): Promise<void> {
    this.#end.abort()
    await Promise.all(this.active.values().map(({ namespace }) => this.pause(namespace)))
    for (const stop of this.yielding.values()) stop.abort()
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
    if (this.active.get(key)) throw new SessionBusy()
    this.yielding.get(key)?.abort()
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
    const { store, owner, leaseTtlMs } = this.#options
    const lease = granted(await store.acquire(namespace, owner, leaseTtlMs))
    try {
      return await work(lease)
    } finally {
      await store.release(lease).catch(this.#options.settings.onError)
    }
  }

  /**
   * Closes the run that a dead process left open, if there is one: with the lease, nobody can be running it. One that
   * waits is withdrawn, or stays.
   */
  async closeOpenRun(log: SessionLog, lease: Lease, whenWaiting: WhenWaiting = "withdraw"): Promise<void> {
    const { tools, budgets, onError } = this.#options.settings
    // What is known of the session may be older than the process that died.
    await log.refresh()
    const open = log.openRun
    if (!open || (open.waiting && whenWaiting === "stay")) return
    const { draft } = open
    await log.append(
      closingEntries(log, Date.now(), (name) => tools.get(name)?.idempotent ?? false),
      {
        lease,
        incarnation: log.incarnation,
        dropDeltas: draft && { from: draft.from, to: draft.to },
      },
    )
    await budgets?.rest({ namespace: log.namespace, runId: open.runId }, true, onError)
  }

  async #drive(
    log: SessionLog,
    active: Active,
    opening: Opening | typeof GO_ON,
    options: RunOptions & Asked,
    whenWaiting: WhenWaiting,
    begun: PromiseWithResolvers<Begun>,
  ): Promise<void> {
    const { store, owner, leaseTtlMs, settings, notify, left } = this.#options
    let lease: Lease | undefined
    let renewal: ReturnType<typeof setInterval> | undefined
    let done = false
    const caller = callerOf(active, options.signal)
    try {
      this.yielding.get(log.namespace.key)?.abort()
      const work = this.#work.get(log.namespace.key)
      if (work) await work
      lease = granted(await store.acquire(log.namespace, owner, leaseTtlMs))
      renewal = setInterval(() => {
        if (!lease) return
        store.renew(lease, leaseTtlMs).then(
          (renewed) => {
            lease = renewed
          },
          (error: unknown) => {
            // A store that is only busy is asked again before the lease runs out.
            if (error instanceof LeaseLost) active.stop.abort()
            else settings.onError(error)
          },
        )
      }, leaseTtlMs / 3)
      await log.refresh()
      if (opening !== GO_ON && log.openRun) {
        await this.closeOpenRun(log, lease, whenWaiting)
        if (log.openRun) throw new SessionBusy(WAITING)
      }

      let first: Opening | typeof GO_ON | undefined = opening
      const held = () => lease as Lease
      for (;;) {
        const run = await (first === GO_ON
          ? this.#goOn(log, active, held)
          : this.#begin(log, active, first, options, held))
        if (!run) break
        const { runId, cursor, result } = run
        active.detach = caller.detach
        begun.resolve({ runId, cursor, result: caller.result })
        caller.letGo(await result)
        first = undefined
        // Also after a failure: whoever waits for an answer learns what became of their own message.
        if (active.paused || log.openRun || log.inputs.length === 0) break
        active.stop = new Stop()
      }
      // In the same turn as the look at the queue: whoever writes to it from now on starts a run of their own.
      this.#free(active)
      if (active.runId === undefined) begun.reject(new SessionBusy("What was waiting has been taken back."))
      done = !active.paused
    } catch (error) {
      // First of all: a message that arrives from now on would wait for a run that is over.
      this.#free(active)
      begun.reject(error)
      caller.fail(error)
      if (active.runId !== undefined) {
        settings.onError(error)
        // A run whose end could not be recorded is still open. Its lease runs out: so it is found, as a dead process's.
        if (left) lease = undefined
      }
      const isLeft = log.openRun?.waiting || (left && error instanceof SessionBusy)
      if (active.runId !== undefined || (log.inputs.length > 0 && !isLeft)) {
        const runId = active.runId ?? randomId()
        notify(log.namespace, { type: "failure", runId, failure: failureOf(error) })
      }
    } finally {
      caller.letGo()
      clearInterval(renewal)
      try {
        if (lease) await store.release(lease)
      } catch (error) {
        settings.onError(error)
      }
    }
    if (done) await this.#lookAgain(log)
    this.#drives.delete(active.idle)
  }

  /**
   * Another process that wrote to the queue while this one held the lease could not run it: it left that to us. What
   * it wrote before the release is there to be read after it.
   */
  async #lookAgain(log: SessionLog): Promise<void> {
    if (this.#end.aborted) return
    try {
      await log.refresh()
      await this.proceed(log)
    } catch (error) {
      this.#options.settings.onError(error)
    }
  }

  /** True when a run that waits has something to do. */
  isDue({ waiting, woken, stop, unanswered }: OpenRun): boolean {
    const { settings } = this.#options
    return (
      woken ||
      stop ||
      settings.now() >= (waiting?.expiresAt ?? Number.POSITIVE_INFINITY) ||
      unanswered.values().some(({ answer }) => answer)
    )
  }

  /**
   * Does what there is to do in a session that nobody runs: its run goes on, if it waited and need not any more, or
   * what is in the queue begins. Where somebody else is quicker, or this process ends, it is left to the next.
   */
  async proceed(log: SessionLog): Promise<void> {
    const { openRun, inputs } = log
    const isWaiting = openRun?.waiting !== undefined
    if (this.#end.aborted || (isWaiting ? !this.isDue(openRun) : inputs.length === 0)) return
    try {
      await this.start(log, isWaiting ? GO_ON : () => undefined, {}, "stay")
    } catch (error) {
      if (!(error instanceof SessionBusy)) throw error
      this.#options.left?.(log.namespace)
    }
  }

  #free(active: Active): void {
    const { key } = active.namespace
    if (this.active.get(key) === active) this.active.delete(key)
  }

  /** Writes the first entries of a run and sets it going. Undefined when there is nothing to run. */
  async #begin(
    log: SessionLog,
    active: Active,
    opening: Opening | undefined,
    options: RunOptions & Asked,
    lease: () => Lease,
  ): Promise<Begun | undefined> {
    const runId = randomId()
    let cursor = 0
    let own: Own | undefined
    const written = await log.append(
      () => {
        cursor = log.version
        let asked: Asked = options
        let entries = opening?.()
        if (!entries) {
          // A message that waited brings what its own sender asked for.
          const input = log.inputs.find(({ mode }) => mode === "interrupt") ?? log.inputs[0]
          if (!input) return undefined
          asked = input
          entries = joining(log, input.message, input.inputId, input.rewindTo)
        }
        own = this.#ownOf(log, asked)
        const { model = own.settings.model, maxTurns, principal, envelope } = asked
        const { agent } = own
        return [
          ...entries,
          {
            type: "run_started",
            at: Date.now(),
            runId,
            ...defined({ model, agent, maxTurns, principal, envelope }),
            ...(asked.instead && { direct: true as const }),
            ...(envelope?.tainted && { tainted: true as const }),
          },
        ]
      },
      { lease: lease() },
    )
    return own && written.length > 0
      ? this.#play(log, active, lease, { runId, cursor, own, answers: undefined, earlierMs: 0 })
      : undefined
  }

  /** Sets the open run going again, where it stood. Undefined when there is none, or it has nothing to do. */
  async #goOn(log: SessionLog, active: Active, lease: () => Lease): Promise<Begun | undefined> {
    const { openRun: open, version: cursor } = log
    if (!open || (open.waiting && !this.isDue(open))) return undefined
    const { runId, draft } = open
    const earlierMs = open.waiting?.durationMs ?? 0
    const story = await storyOf(this.#options.store, log.namespace, runId)
    // Without a model there is nobody to go on.
    if (!story || story.start.direct || open.stop) {
      await this.closeOpenRun(log, lease())
      return undefined
    }
    const own = this.#ownOf(log, story.start)
    const written = await log.append(
      () => {
        const at = Date.now()
        const cutOff = draftEntries(open, at)
        // What was shown of an answer stays, and the model is asked for the rest.
        const more = cutOff.length > 0 ? [continueMessage(randomId())] : []
        return [{ type: "run_resumed", at, runId }, ...cutOff, ...more]
      },
      { lease: lease(), dropDeltas: draft && { from: draft.from, to: draft.to } },
    )
    const cut = written.filter((entry) => entry.type === "assistant")
    const answers = [...story.answers, ...cut]
    return this.#play(log, active, lease, { runId, cursor, own, answers, earlierMs })
  }

  /** What a run has of its own: by its agent, and by whom it works for. */
  #ownOf(log: SessionLog, asked: Asked): Own {
    const { settings } = this.#options
    const { namespace, info } = log
    const { envelope } = asked
    const given = settings.agent?.({
      namespace,
      agent: asked.agent,
      metadata: info?.metadata ?? {},
      envelope,
    })
    const policies = given?.policies ?? settings.policies
    return {
      asked,
      settings: given ? { ...settings, ...given } : settings,
      agent: given?.name ?? asked.agent,
      maxTurns: asked.maxTurns ?? given?.maxTurns ?? this.#options.maxTurns,
      policies: (envelope && settings.rights?.(envelope, policies)) ?? policies,
    }
  }

  #play(
    log: SessionLog,
    active: Active,
    lease: () => Lease,
    begun: Pick<LoopRun, "runId" | "answers" | "earlierMs"> & {
      readonly cursor: number
      readonly own: Own
    },
  ): Begun {
    const { runId, answers, earlierMs, cursor, own } = begun
    active.runId = runId
    const { stop } = active
    const { asked, agent, maxTurns, policies } = own
    const { model, principal, envelope } = asked
    const { namespace } = log
    // Each member by its name: V8 forgets the shape of an object that was spread when no run is under way, and with it
    // what it compiled for runs.
    const result = this.#played(own, {
      runId,
      answers,
      earlierMs,
      log,
      incarnation: log.incarnation,
      lease,
      stop,
      context: {
        namespace,
        runId,
        agent,
        principal,
        envelope,
        metadata: log.info?.metadata ?? {},
        signal: stop.signal,
      },
      model,
      maxTurns,
      policies,
      notify: (notice) => this.#options.notify(namespace, notice),
      cost: { usd: undefined },
    })
    active.ended = result
    return { runId, cursor, result }
  }

  async #played({ asked, settings }: Own, run: LoopRun): Promise<RunResult> {
    const { instead = runLoop, envelope } = asked
    const inTime = stopAt(envelope?.deadline, run.stop, settings.now)
    try {
      const end = await instead(settings, run)
      // Stopped in the moment in which it began to wait: nothing would come of the waiting.
      if (end.outcome !== "waiting" || !run.stop.aborted) return end
      await this.closeOpenRun(run.log, run.lease())
      return { ...end, outcome: "stopped" }
    } finally {
      inTime()
    }
  }
}

/** @throws SessionBusy without a lease. */
function granted(lease: Lease | undefined): Lease {
  if (lease) return lease
  throw new SessionBusy("Another process runs this session: try again when it has finished.")
}
