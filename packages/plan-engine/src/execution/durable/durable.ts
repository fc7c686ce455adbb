import type { Json, Namespace, Page, SessionStore } from "@orra/core"
import type { RetryOptions } from "../run.ts"

/** What a workflow does that has to outlive its process. What it has done is known by its names, which are used once each. */
export interface DurableRun {
  /** Which run this is. */
  readonly namespace: Namespace
  /** Fires when this process's part ends: the run goes on in the next one. */
  readonly signal: AbortSignal
  /** Fires when the run is cancelled, and again in every process: what follows from it is for the workflow to do. */
  readonly cancelled: AbortSignal
  /**
   * Does something once: what came of it is kept, and given again after a crash. When the process dies in between it is done again,
   * so that what it does is known by a key of its own. Default: one attempt. What fails and is tried again is told to `onError`.
   *
   * @throws what the last attempt threw, as an OrraError, also after a crash.
   */
  step<T extends Json>(name: string, work: () => Promise<T>, retry?: RetryOptions): Promise<T>
  /** Begins a workflow below this one, and waits for what comes of it. */
  child(workflow: string, name: string, input: Json): Promise<Json>
  /** So many ms from when it was first called, whatever ends in between. */
  sleep(name: string, ms: number): Promise<void>
  /** The next signal of this topic, also one that came before; undefined after so many ms. Default: however long it takes. */
  wait(topic: string, timeoutMs?: number): Promise<Json | undefined>
}

/**
 * A function that is begun again from its start in every process that takes it over: what it did in steps is not done again. It
 * begins its steps, children, sleeps and waits in the same order each time. One that throws is told to `onError`, stays
 * where it is, and goes on in the next process.
 */
export type Workflow = (run: DurableRun, input: Json) => Promise<Json>

/** Where durable workflows are carried out. */
export interface Durable {
  /** Begins: what other processes have left is gone on with here, and what they leave from now on. */
  open(): Promise<void>
  /** Begins a workflow in this process; durable when it resolves. A run that is there already stays as it is. */
  start(workflow: string, run: Namespace, input: Json): Promise<void>
  /** Tells a run something, wherever it is carried out. Lost when it has ended. */
  signal(run: Namespace, topic: string, value: Json): Promise<void>
  /** Cancels a run and all below it. */
  cancel(run: Namespace): Promise<void>
  /** Those that have not ended, at and below the namespace. `limit` is 1 to 500, default 50. */
  list(
    prefix: Namespace,
    page?: { readonly limit?: number; readonly cursor?: string },
  ): Promise<Page<DurableInfo>>
  /** Ends this process's part. Everything stays as it is, for the next one. */
  close(): Promise<void>
}

export interface DurableInfo {
  readonly namespace: Namespace
  readonly workflow: string
  readonly isCancelled: boolean
}

/** What an engine gives: its workflows by name, and where it keeps what it knows. */
export interface DurableHost {
  readonly workflows: Readonly<Record<string, Workflow>>
  readonly store: Pick<SessionStore, "records" | "acquire" | "renew" | "release" | "now">
  /** At or below which all runs are. */
  readonly root: Namespace
  readonly onError: (error: unknown) => void
}

/** How an engine's plans outlive it: `embedded()` in its store, or `dbos({ url })` of @orra/plan-dbos. */
export type Durability = (host: DurableHost) => Durable
