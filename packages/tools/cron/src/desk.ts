import {
  everyItem,
  type Json,
  Namespace,
  type Records,
  type Runtime,
  type SessionStore,
  VersionConflict,
} from "@orra/core"
import { type KeptJob, type Place, placeOf } from "./job.ts"
import type { Grant } from "./rights.ts"
import { NO_GRANT } from "./rights.ts"

/** The segment below which a job has its sessions and its log. */
const SEGMENT = "~cron"

/** Where the firings of a job are: their sessions are below it. */
export const firingsOf = (namespace: Namespace, id: string): Namespace => namespace.child(SEGMENT, id)

/** True for the session of a firing: lists of what people have said can leave it out. */
export const isScheduled = (namespace: Namespace): boolean => namespace.segments.includes(SEGMENT)

/** The session in which somebody speaks, of what is done for them below it, by other agents or by a job. */
export function speakersOf(namespace: Namespace): Namespace {
  const { segments } = namespace
  const at = segments.findIndex((segment) => segment === SEGMENT || segment === "~agents")
  return at > 0 ? Namespace.of(...segments.slice(0, at)) : namespace
}

/** Ids are given here. Nothing else is one, and nothing else is asked of the store. */
const ID = /^[0-9a-f]{16,32}$/

/** What is kept of jobs in the store, and the store's time. */
export class Desk {
  readonly store: SessionStore
  readonly jobs: Records
  /** What jobs may do, apart from them: it is read when they are done, and they are read all together. */
  readonly grants: Records
  readonly runs: Records
  /** Jobs that may be due sooner than other processes know, for a while. */
  readonly marks: Records

  constructor({ store }: Runtime) {
    this.store = store
    this.jobs = store.records("cron-jobs")
    this.grants = store.records("cron-grants")
    this.runs = store.records("cron-runs")
    this.marks = store.records("cron-changes")
  }

  async now(): Promise<number> {
    return Math.floor((await this.store.now?.()) ?? Date.now())
  }

  /** The job; undefined also for what is no id. */
  async find(namespace: Namespace, id: string): Promise<Place | undefined> {
    const record = typeof id === "string" && ID.test(id) ? await this.jobs.get(namespace, id) : undefined
    return record && placeOf(record)
  }

  /** All jobs of the namespace; with `below` also those of the namespaces below. */
  async *list(namespace: Namespace, below = false): AsyncGenerator<Place, void, undefined> {
    for await (const record of everyItem((page) => this.jobs.list(namespace, { below, ...page })))
      yield placeOf(record)
  }

  /** The job as it is now; undefined when somebody else has changed it. */
  async put(
    { namespace, version }: Pick<Place, "namespace" | "version">,
    job: KeptJob,
  ): Promise<Place | undefined> {
    try {
      const written = await this.jobs.put(namespace, job.id, asJson(job), { expected: version })
      return { namespace, version: written, job }
    } catch (error) {
      if (error instanceof VersionConflict) return undefined
      throw error
    }
  }

  /**
   * The job as `change` has made it of what it was, however often others were quicker; undefined when there is none, or
   * there is nothing to change.
   */
  async change(
    namespace: Namespace,
    id: string,
    change: (job: KeptJob) => KeptJob | undefined,
  ): Promise<Place | undefined> {
    for (;;) {
      const place = await this.find(namespace, id)
      const changed = place && change(place.job)
      if (!place || !changed) return undefined
      const written = await this.put(place, changed)
      if (written) return written
    }
  }

  async grant(namespace: Namespace, id: string): Promise<Grant> {
    const record = await this.grants.get(namespace, id)
    return record ? (record.value as unknown as Grant) : NO_GRANT
  }

  async putGrant(namespace: Namespace, id: string, grant: Grant): Promise<void> {
    await this.grants.put(namespace, id, asJson(grant))
  }

  /** Tells the processes on the same store that the job may be due sooner than they know. */
  async mark(namespace: Namespace, id: string): Promise<void> {
    if (this.store.now) await this.marks.put(namespace, id, true)
  }
}

/** What is known to be JSON, as records take it. */
export const asJson = (value: object): Json => ({ ...value }) as Json
