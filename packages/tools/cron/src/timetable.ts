import { everyItem, Namespace } from "@orra/core"
import type { Desk } from "./desk.ts"
import { Heap } from "./heap.ts"
import { type KeptJob, type Place, readyAt } from "./job.ts"

/** So long a mark is kept. A process that has not looked for half of it reads everything again. */
const KEPT_MS = 600_000
/** A mark is left before the job is written, so that none is missing. The write follows at once, or not at all. */
const SETTLED_MS = 30_000

/** A job, by where it is. */
export interface JobKey {
  readonly namespace: Namespace
  readonly id: string
}

/**
 * When each job is to be looked at next, in memory. It may be too early: whoever looks reads the job, and puts it back.
 * It is never too late for long: who makes a job due sooner leaves a mark, which is found at the next look.
 */
export class Timetable {
  readonly #desk: Desk
  readonly #prefix: Namespace
  readonly #heap = new Heap()
  readonly #isAtWork: (key: string, firing: string) => boolean
  /** The marks that were seen. One is looked at when it is new, and once more when what it announced is there for sure. */
  #seen = new Map<string, { readonly version: number; readonly isSettled: boolean }>()
  /** When others were last asked for what they have changed, by the store's clock. */
  #lookedAt = Number.NEGATIVE_INFINITY
  /** What was put into its place while all are read: newer than what is read. */
  #placed: Set<string> | undefined

  constructor(desk: Desk, prefix: Namespace, isAtWork: (key: string, firing: string) => boolean) {
    this.#desk = desk
    this.#prefix = prefix
    this.#isAtWork = isAtWork
  }

  /** When the next job is to be looked at. */
  get next(): number {
    return this.#heap.first()?.at ?? Number.POSITIVE_INFINITY
  }

  /** Reads what others have changed; everything the first time and after a long pause. */
  async refresh(now: number): Promise<void> {
    const isFirst = this.#lookedAt === Number.NEGATIVE_INFINITY
    // Where there is one process only nothing changes elsewhere.
    if (!isFirst && !this.#desk.store.now) return
    if (Math.abs(now - this.#lookedAt) > KEPT_MS / 2) await this.#load()
    if (this.#desk.store.now) await this.#lookAtMarks(now)
    this.#lookedAt = now
  }

  /** Takes the next job that is to be looked at now. Whoever takes it puts it back. */
  take(now: number): JobKey | undefined {
    const first = this.#heap.first()
    if (!first || first.at > now) return undefined
    this.#heap.delete(first.key)
    return keyFrom(first.key)
  }

  /** Puts the job where it belongs as it is now. */
  place({ namespace, job }: Place): void {
    const at = this.#dueAt(namespace, job)
    if (at === Number.POSITIVE_INFINITY) this.#drop(keyText(namespace, job.id))
    else this.again({ namespace, id: job.id }, at)
  }

  /** Looks at the job again then. */
  again({ namespace, id }: JobKey, at: number): void {
    const key = keyText(namespace, id)
    this.#placed?.add(key)
    this.#heap.set(key, at)
  }

  #drop(key: string): void {
    this.#placed?.add(key)
    this.#heap.delete(key)
  }

  #dueAt(namespace: Namespace, job: KeptJob): number {
    const key = keyText(namespace, job.id)
    let at = job.status === "active" ? readyAt(job) : Number.POSITIVE_INFINITY
    for (const { id, until } of job.firings) if (!this.#isAtWork(key, id)) at = Math.min(at, until)
    return at
  }

  async #load(): Promise<void> {
    const placed = new Set<string>()
    this.#placed = placed
    this.#heap.clear()
    for await (const { namespace, job } of this.#desk.list(this.#prefix, true)) {
      const key = keyText(namespace, job.id)
      const at = this.#dueAt(namespace, job)
      if (at !== Number.POSITIVE_INFINITY && !placed.has(key)) this.#heap.set(key, at)
    }
    this.#placed = undefined
  }

  async #lookAtMarks(now: number): Promise<void> {
    const { marks } = this.#desk
    const seen = new Map<string, { readonly version: number; readonly isSettled: boolean }>()
    for await (const mark of everyItem((page) => marks.list(this.#prefix, { below: true, ...page }))) {
      const { namespace, key: id, version, updatedAt } = mark
      const key = keyText(namespace, id)
      const before = this.#seen.get(key)
      const isSettled = Math.abs(now - updatedAt) > SETTLED_MS
      if (before?.version !== version || before.isSettled !== isSettled) {
        const place = await this.#desk.find(namespace, id)
        if (place) this.place(place)
      }
      if (Math.abs(now - updatedAt) > KEPT_MS) await marks.delete(namespace, id)
      else seen.set(key, { version, isSettled })
    }
    this.#seen = seen
  }
}

export const keyText = (namespace: Namespace, id: string): string => `${namespace.key}\n${id}`

function keyFrom(text: string): JobKey {
  const split = text.indexOf("\n")
  return { namespace: Namespace.parse(text.slice(0, split)), id: text.slice(split + 1) }
}
