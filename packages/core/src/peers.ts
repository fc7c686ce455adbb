import { callerOf } from "./delegated.ts"
import { GO_ON } from "./driver.ts"
import { InvalidInput, SessionBusy } from "./errors.ts"
import { Namespace } from "./namespace.ts"
import { Onlookers } from "./onlookers.ts"
import type { Runtime } from "./runtime.ts"
import type { NewEntry } from "./session.ts"
import type { SessionLog } from "./session-log.ts"
import type { SessionStore } from "./store.ts"

export interface PeersOptions {
  /**
   * Where this process takes over the runs of those that died: at or below these namespaces. Default: nowhere. Name what
   * the tools, policies and agents of this runtime are made for.
   */
  readonly takeOver?: Namespace | readonly Namespace[]
  /**
   * What becomes of a run that is taken over. True (default): it goes on, as with `recover(prefix, { resume: true })`.
   * False: it is closed as interrupted, and what waits in the queue runs.
   */
  readonly resume?: boolean
}

/** A store that several processes can share. */
type SharedStore = SessionStore & Required<Pick<SessionStore, "changes" | "abandoned" | "now">>

const MIN_TICK_MS = 20
const MAX_TICK_MS = 2_000
/** Every so many ticks everything is looked at, as if a name had been lost on its way. */
const SELDOM = 10
/** Sessions that are taken over at the same time. */
const AT_ONCE = 8

/**
 * The other processes on the same store. A runtime that has them hears of what they write: those who follow a session
 * here see it, a message, a stop or a detachment reaches the process that runs the session, and what is left by one that
 * dies is taken over.
 *
 * ```ts
 * const store = await postgresStore({ url })
 * const peers = await Peers.join(store, { takeOver: Namespace.of("tenant") })
 * const runtime = new Runtime({ provider, store, peers })
 * ```
 *
 * Each one belongs to one runtime, which ends it when it is closed.
 */
export class Peers {
  readonly #store: SharedStore
  readonly #takeOver: readonly Namespace[]
  readonly #resume: boolean
  readonly #end = new AbortController()
  /** Sessions in which there was something to do and another process was at it. It may not have seen that. */
  #left = new Map<string, Namespace>()
  /** Sessions that run here and are being looked at, and whether once more. */
  readonly #looking = new Map<string, boolean>()
  #host: Runtime | undefined
  #onlookers: Onlookers | undefined
  #work: Promise<unknown> = Promise.resolve()
  /** What the store's clock is ahead of the one here that only goes forward. */
  #ahead = 0

  private constructor(store: SharedStore, { takeOver = [], resume = true }: PeersOptions) {
    this.#store = store
    this.#takeOver = takeOver instanceof Namespace ? [takeOver] : takeOver
    this.#resume = resume
  }

  /** @throws InvalidInput for a store that is for one process only; the store's error when it cannot be reached. */
  static async join(store: SessionStore, options: PeersOptions = {}): Promise<Peers> {
    if (!isShared(store)) {
      throw new InvalidInput("This store is for one process only: use sqliteStore or postgresStore.")
    }
    const peers = new Peers(store, options)
    await peers.#setClock()
    return peers
  }

  /** The time by the store's clock, in ms since 1970: the same for all processes, whatever theirs say. */
  readonly now = (): number => performance.now() + this.#ahead

  /** Called by the runtime: the process that has this session is to do what there is to do, or it is done here later. */
  readonly left = (namespace: Namespace): void => {
    this.#left.set(namespace.key, namespace)
  }

  /** Called by the runtime. @throws InvalidInput when they belong to another one, or it has another store. */
  attach(host: Runtime): void {
    if (this.#host) throw new InvalidInput("These peers belong to another runtime: join once more.")
    if (host.store !== this.#store) throw new InvalidInput("Give the runtime the store that was joined.")
    this.#host = host
    const { broadcast, settings } = host.internals
    settings.budgets?.clock?.(this.now)
    this.#onlookers = new Onlookers(this.#store, broadcast, settings.onError)
    this.#work = Promise.all([this.#listen(host), this.#watch(host)])
  }

  /** Called by `Runtime.stop` for what does not run here. */
  async stop(log: SessionLog): Promise<boolean> {
    const host = this.#attached
    const { driver } = host.internals
    const { namespace, openRun } = log
    if (!openRun) return false
    try {
      await driver.withLease(namespace, (lease) => driver.closeOpenRun(log, lease))
    } catch (error) {
      if (!(error instanceof SessionBusy)) throw error
      // Whoever runs it reads that.
      await log.append((): readonly NewEntry[] | undefined =>
        log.openRun && !log.openRun.stop
          ? [{ type: "control", at: Date.now(), runId: log.openRun.runId, action: "stop" }]
          : undefined,
      )
      this.left(namespace)
      return true
    }
    await driver.proceed(log)
    return true
  }

  /** Called by the runtime when it is closed. */
  async close(): Promise<void> {
    this.#end.abort()
    this.#onlookers?.close()
    await this.#work
  }

  get #attached(): Runtime {
    if (!this.#host) throw new InvalidInput("Give these peers to a runtime first.")
    return this.#host
  }

  async #listen(host: Runtime): Promise<void> {
    const { signal } = this.#end
    while (!signal.aborted) {
      try {
        for await (const namespace of this.#store.changes(signal)) {
          if (namespace) this.#changed(host, namespace)
          else this.#lookAtAll(host)
        }
        return
      } catch (error) {
        host.internals.settings.onError(error)
        await this.#pause(MAX_TICK_MS)
      }
    }
  }

  #lookAtAll(host: Runtime): void {
    for (const { namespace } of host.internals.driver.active.values()) this.#look(host, namespace)
    this.#onlookers?.all()
  }

  #changed(host: Runtime, namespace: Namespace): void {
    if (host.internals.driver.get(namespace)) this.#look(host, namespace)
    this.#onlookers?.changed(namespace)
  }

  /** Reads what others have written to a session that runs here, one look at a time. */
  #look(host: Runtime, namespace: Namespace): void {
    const { key } = namespace
    const isAtIt = this.#looking.has(key)
    this.#looking.set(key, isAtIt)
    if (isAtIt) return
    const looked = (): void => {
      const again = this.#looking.get(key)
      this.#looking.delete(key)
      if (again) this.#look(host, namespace)
    }
    this.#heed(host, namespace).catch(host.internals.settings.onError).then(looked)
  }

  /** Does what others have asked of the run. */
  async #heed({ internals }: Runtime, namespace: Namespace): Promise<void> {
    const active = internals.driver.get(namespace)
    if (!active) return
    await active.log.refresh()
    const { openRun } = active.log
    if (openRun?.runId !== active.runId) return
    if (openRun?.stop) active.stop.abort()
    if (openRun?.detach) active.detach()
  }

  /** Looks from time to time for what was left, by others and by this process to others. */
  async #watch(host: Runtime): Promise<void> {
    const { leaseTtlMs, settings } = host.internals
    const tick = Math.min(MAX_TICK_MS, Math.max(MIN_TICK_MS, leaseTtlMs / 10))
    for (let count = 0; !this.#end.signal.aborted; count++) {
      try {
        await this.#takeOverAll(host)
        await this.#lookAtLeft(host)
        if (count % SELDOM === SELDOM - 1) {
          await this.#setClock()
          this.#lookAtAll(host)
        }
      } catch (error) {
        settings.onError(error)
      }
      await this.#pause(tick)
    }
  }

  async #takeOverAll(host: Runtime): Promise<void> {
    // What is not done any more because this process ends is left to the others.
    const report = (error: unknown): void => {
      if (!this.#end.signal.aborted) host.internals.settings.onError(error)
    }
    for (const prefix of this.#takeOver) {
      const found = [...(await this.#store.abandoned(prefix))]
      const work = async (): Promise<void> => {
        for (let next = found.shift(); next && !this.#end.signal.aborted; next = found.shift()) {
          await this.#takeOverOne(host, next).catch(report)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, work))
    }
  }

  async #takeOverOne(host: Runtime, namespace: Namespace): Promise<void> {
    const { driver, logs } = host.internals
    if (driver.get(namespace)) return
    const log = await logs.open(namespace)
    await log.refresh()
    const { openRun } = log
    try {
      if (this.#resume || !openRun || openRun.waiting) {
        // Also where there is nothing to do: the lease is given back then, and the session is not found again.
        await driver.start(log, openRun ? GO_ON : () => undefined, {}, "stay")
      } else {
        await driver.withLease(namespace, (lease) => driver.closeOpenRun(log, lease, "stay"))
        await driver.proceed(log)
      }
    } catch (error) {
      if (!(error instanceof SessionBusy)) throw error
    }
    // Whoever handed on the task may not have been told of its end.
    const caller = callerOf(namespace)
    if (caller && !log.openRun) await host.wake(caller.namespace)
  }

  async #lookAtLeft({ internals }: Runtime): Promise<void> {
    const { driver, logs, settings } = internals
    const left = this.#left
    this.#left = new Map()
    for (const namespace of left.values()) {
      try {
        const log = await logs.open(namespace)
        await log.refresh()
        const { openRun } = log
        const isRunning = openRun !== undefined && !openRun.waiting
        // What is to be resumed is not to be closed, for a moment's sake, for what waits behind it.
        if (isRunning && this.#takeOver.some((prefix) => prefix.contains(namespace))) this.left(namespace)
        else if (openRun?.stop) await this.stop(log)
        else await driver.proceed(log)
      } catch (error) {
        this.left(namespace)
        settings.onError(error)
      }
    }
  }

  async #setClock(): Promise<void> {
    const before = performance.now()
    const now = await this.#store.now()
    this.#ahead = now - (before + performance.now()) / 2
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#end
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms)
      const stop = (): void => {
        clearTimeout(timer)
        resolve()
      }
      signal.addEventListener("abort", stop, { once: true })
      if (signal.aborted) stop()
    })
  }
}

const isShared = (store: SessionStore): store is SharedStore =>
  store.changes !== undefined && store.abandoned !== undefined && store.now !== undefined
