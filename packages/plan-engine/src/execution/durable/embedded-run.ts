import { setTimeout as pause } from "node:timers/promises"
import { everyItem, type Json, type Namespace, type RecordChange, type Records, StoreError } from "@orra/core"
import { timeOf } from "../../stored.ts"
import type { RetryOptions } from "../run.ts"
import type { DurableHost, DurableRun } from "./durable.ts"
import { attemptStep, type StepOutcome, stepValue } from "./step.ts"

/** How long after the store failed it is asked again, in ms. */
const STORE_PAUSE_MS = 5_000
const FOREVER = Number.MAX_SAFE_INTEGER
/** Timers of more than 24 days fire at once. */
const LONGEST_MS = 86_400_000

/** Beginning what is below a run, wherever it is then. */
export type StartChild = (workflow: string, at: Namespace, input: Json) => Promise<void>

/** A run as it is carried out by this process: its steps are records of its namespace. */
export class EmbeddedRun implements DurableRun {
  readonly namespace: Namespace
  readonly #host: DurableHost
  readonly #steps: Records
  readonly #signals: Records
  readonly #startChild: StartChild
  readonly #stop = new AbortController()
  readonly #cancel = new AbortController()
  readonly #known = new Map<string, StepOutcome>()
  /** How often each topic was waited for, and how often something came. */
  readonly #waits = new Map<string, number>()
  readonly #heard = new Map<string, number>()
  #woken = Promise.withResolvers<void>()

  constructor(host: DurableHost, namespace: Namespace, startChild: StartChild) {
    this.#host = host
    this.namespace = namespace
    this.#steps = host.store.records("durable-steps")
    this.#signals = host.store.records("durable-signals")
    this.#startChild = startChild
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  get cancelled(): AbortSignal {
    return this.#cancel.signal
  }

  /** Ends this process's part. */
  stop(reason: Error): void {
    this.#stop.abort(reason)
    this.wake()
  }

  cancel(): void {
    this.#cancel.abort()
  }

  /** Has it look again at what it waits for. */
  wake(): void {
    this.#woken.resolve()
    this.#woken = Promise.withResolvers()
  }

  /** What another process has done of it. */
  async load(): Promise<void> {
    for await (const { key, value } of everyItem((page) => this.#steps.list(this.namespace, page)))
      this.#known.set(key, value as unknown as StepOutcome)
  }

  async step<T extends Json>(name: string, work: () => Promise<T>, retry?: RetryOptions): Promise<T> {
    return stepValue(
      await this.#once(`step ${name}`, () =>
        attemptStep(work, retry, { signal: this.signal, onError: this.#host.onError }),
      ),
    )
  }

  async child(workflow: string, name: string, input: Json): Promise<Json> {
    const at = this.namespace.child(name)
    const key = childKey(name)
    const known = this.#known.get(key)
    if (known) return stepValue(known)
    await this.stored(() => this.#startChild(workflow, at, input))
    const ended = await this.#until(FOREVER, () => this.#steps.get(this.namespace, key))
    return stepValue(ended?.value as unknown as StepOutcome)
  }

  async sleep(name: string, ms: number): Promise<void> {
    const until = await this.#deadline(`sleep ${name}`, ms)
    await this.#until(until, async () => undefined)
  }

  async wait(topic: string, timeoutMs?: number): Promise<Json | undefined> {
    const count = (this.#waits.get(topic) ?? 0) + 1
    this.#waits.set(topic, count)
    const key = `wait ${topic} ${count}`
    const until = timeoutMs === undefined ? FOREVER : await this.#deadline(`${key} until`, timeoutMs)
    const place = (this.#heard.get(topic) ?? 0) + 1
    const outcome = await this.#once(key, async () => {
      const signal = await this.#until(until, () =>
        this.#signals.get(this.namespace, signalKey(topic, place)),
      )
      return { type: "done", value: signal ? [signal.value] : [] }
    })
    const heard = stepValue<readonly Json[]>(outcome)
    if (heard.length > 0) this.#heard.set(topic, place)
    return heard[0]
  }

  /** Removes what was kept while it ran. */
  async forget(): Promise<void> {
    await this.#forgetAll(this.#steps)
    await this.#forgetAll(this.#signals)
  }

  async #forgetAll(records: Records): Promise<void> {
    const { namespace } = this
    const changes: RecordChange[] = []
    for await (const { key } of everyItem((page) => records.list(namespace, page)))
      changes.push({ namespace, key, deleted: true })
    if (changes.length > 0) await records.write(changes)
  }

  /** What came of it when it was done, in whatever process. */
  async #once(key: string, work: () => Promise<StepOutcome>): Promise<StepOutcome> {
    const known = this.#known.get(key)
    if (known) return known
    const outcome = await work()
    await this.stored(() => this.#steps.put(this.namespace, key, outcome as unknown as Json))
    this.#known.set(key, outcome)
    return outcome
  }

  /** When so many ms have passed since it was first asked, ms since 1970. */
  async #deadline(key: string, ms: number): Promise<number> {
    const outcome = await this.#once(key, async () => ({ type: "done", value: (await this.#now()) + ms }))
    return stepValue<number>(outcome)
  }

  /** What is there as soon as it is; undefined when it is too late. @throws the reason of the signal. */
  async #until<T>(until: number, look: () => Promise<T | undefined>): Promise<T | undefined> {
    for (;;) {
      this.signal.throwIfAborted()
      // First: what comes while it looks is not missed.
      const woken = this.#woken.promise
      const found = await this.stored(look)
      const left = until - (await this.#now())
      if (found !== undefined || left <= 0) return found
      const timer = setTimeout(() => this.wake(), Math.min(left, LONGEST_MS))
      await woken
      clearTimeout(timer)
    }
  }

  /** A store that was away for a while is no reason to leave a run where it is. @throws the reason of the signal. */
  async stored<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      this.signal.throwIfAborted()
      try {
        return await work()
      } catch (error) {
        if (!(error instanceof StoreError)) throw error
        this.#host.onError(error)
        await pause(STORE_PAUSE_MS, undefined, { signal: this.signal }).catch(() => {})
      }
    }
  }

  async #now(): Promise<number> {
    return await timeOf(this.#host.store)
  }
}

export const childKey = (name: string): string => `child ${name}`
/** In the order of the numbers. */
export const signalKey = (topic: string, place: number): string =>
  `${topic} ${String(place).padStart(12, "0")}`
