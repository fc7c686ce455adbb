import { setImmediate, setTimeout } from "node:timers"
import { OrraError, StoreError } from "@orra/core"
import type { Database } from "./database.ts"
import { isLocked } from "./errors.ts"

interface Job {
  /** What to do inside the transaction; runs again when the transaction has to be repeated. */
  readonly work: () => () => void
  readonly reject: (error: unknown) => void
}

/** Most jobs in one transaction: more of them would hold up the event loop for longer than a frame. */
const MAX_BATCH = 1_000
/** How long to wait before asking again for a lock that another process holds. */
const LOCK_RETRY_MS = 20

/**
 * Group commit: all writes asked for in one turn of the event loop become one transaction, and so share one
 * fsync. Each is answered after the commit. A write that is refused (a conflict, a lost lease) fails alone; when
 * the transaction itself fails, each write is tried once more in a transaction of its own, so that one that does
 * not fit on the disk takes no other with it.
 */
export class WriteQueue {
  readonly #database: Pick<Database, "transaction">
  readonly #lockMs: number
  readonly #jobs: Job[] = []
  #scheduled = false
  #lockedSince: number | undefined

  constructor(database: Pick<Database, "transaction">, options: { readonly lockMs: number }) {
    this.#database = database
    this.#lockMs = options.lockMs
  }

  /** The result of `work`, once it is on disk. */
  submit<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#jobs.push({ work: () => settled(work, resolve, reject), reject })
      this.#schedule()
    })
  }

  /** Writes what is waiting, now. */
  drain(): void {
    while (this.#jobs.length > 0) this.#write(this.#jobs.splice(0, MAX_BATCH))
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#flush())
  }

  #flush(): void {
    this.#scheduled = false
    const jobs = this.#jobs.splice(0, MAX_BATCH)
    if (jobs.length === 0) return
    try {
      this.#commit(jobs)
    } catch (error) {
      if (isLocked(error) && this.#mayWait()) {
        this.#waitForLock(jobs)
        return
      }
      this.#writeSingly(jobs, error)
    }
    this.#lockedSince = undefined
    if (this.#jobs.length > 0) this.#schedule()
  }

  #write(jobs: readonly Job[]): void {
    try {
      this.#commit(jobs)
    } catch (error) {
      this.#writeSingly(jobs, error)
    }
  }

  #commit(jobs: readonly Job[]): void {
    const answers = this.#database.transaction(() => jobs.map((job) => job.work()))
    for (const answer of answers) answer()
  }

  #writeSingly(jobs: readonly Job[], error: unknown): void {
    if (jobs.length === 1 || isLocked(error)) {
      for (const job of jobs) job.reject(error)
      return
    }
    for (const job of jobs) this.#write([job])
  }

  #mayWait(): boolean {
    this.#lockedSince ??= performance.now()
    return performance.now() - this.#lockedSince < this.#lockMs
  }

  #waitForLock(jobs: readonly Job[]): void {
    this.#jobs.unshift(...jobs)
    this.#scheduled = true
    setTimeout(() => this.#flush(), LOCK_RETRY_MS)
  }
}

/** Runs the work and returns how to answer it. Only what may be part of a broken transaction is thrown. */
function settled<T>(
  work: () => T,
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
): () => void {
  try {
    const value = work()
    return () => resolve(value)
  } catch (error) {
    if (error instanceof OrraError && !(error instanceof StoreError)) return () => reject(error)
    throw error
  }
}
