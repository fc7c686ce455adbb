import { setTimeout as pause } from "node:timers/promises"
import { DBOS } from "@dbos-inc/dbos-sdk"
import type { Json, Namespace } from "@orra/core"
import {
  attemptStep,
  type DurableHost,
  type DurableRun,
  type RetryOptions,
  stepValue,
} from "@orra/plan-engine"

/** Timers of more than 24 days fire at once; a wait that takes longer than a day is begun again. */
const LONGEST_MS = 86_400_000
/** How often a child that another process has taken over is asked for. */
const CHILD_POLL_MS = 1_000

/** Begins a workflow as a child of the one that is carried out. */
export type Begin = (
  workflow: string,
  at: Namespace,
  input: Json,
) => Promise<{ getResult(options: { readonly pollingIntervalMs: number }): Promise<Json> }>

/** A workflow of DBOS as a run of the contract: every method is a step of it, known by its place. */
export class DbosRun implements DurableRun {
  readonly namespace: Namespace
  readonly #host: DurableHost
  readonly #begin: Begin
  readonly #stop = new AbortController()
  readonly #cancel = new AbortController()

  constructor(host: DurableHost, namespace: Namespace, begin: Begin) {
    this.#host = host
    this.namespace = namespace
    this.#begin = begin
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  get cancelled(): AbortSignal {
    return this.#cancel.signal
  }

  stop(reason: Error): void {
    this.#stop.abort(reason)
  }

  cancel(): void {
    this.#cancel.abort()
  }

  async step<T extends Json>(name: string, work: () => Promise<T>, retry?: RetryOptions): Promise<T> {
    const told = { signal: this.signal, onError: this.#host.onError }
    const outcome = await DBOS.runStep(() => this.#unlessStopped(attemptStep(work, retry, told)), { name })
    return stepValue(outcome)
  }

  async child(workflow: string, name: string, input: Json): Promise<Json> {
    const handle = await this.#begin(workflow, this.namespace.child(name), input)
    return await handle.getResult({ pollingIntervalMs: CHILD_POLL_MS })
  }

  async sleep(name: string, ms: number): Promise<void> {
    const until = await this.step(`sleep ${name}`, async () => (await this.#now()) + ms)
    for (;;) {
      const left = until - (await this.#now())
      if (left <= 0) return
      await this.#unlessStopped(pause(Math.min(left, LONGEST_MS), undefined, { signal: this.signal }))
    }
  }

  async wait(topic: string, timeoutMs = Number.POSITIVE_INFINITY): Promise<Json | undefined> {
    for (let left = timeoutMs; left > 0; left -= LONGEST_MS) {
      const timeoutSeconds = Math.min(left, LONGEST_MS) / 1_000
      const heard = await this.#unlessStopped(DBOS.recv<{ readonly value: Json }>(topic, { timeoutSeconds }))
      if (heard) return heard.value
    }
    return undefined
  }

  /**
   * DBOS keeps how a step ended, also that it threw: what a process that stops has begun must not end at all, so that the next
   * one does it again.
   */
  async #unlessStopped<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      if (this.signal.aborted) return await new Promise(() => {})
      throw error
    }
  }

  async #now(): Promise<number> {
    return (await this.#host.store.now?.()) ?? Date.now()
  }
}
