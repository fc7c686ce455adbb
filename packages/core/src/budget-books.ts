import { type Account, EMPTY } from "./budget-account.ts"
import { errorMessage, OrraError, VersionConflict } from "./errors.ts"
import type { Json } from "./json.ts"
import type { Namespace } from "./namespace.ts"
import type { RecordChange, Records } from "./records.ts"

/** Where an account is kept. */
export interface Place {
  readonly namespace: Namespace
  readonly key: string
}

/** New accounts, each in the place of the one given; undefined removes it. The same object leaves it alone. */
export interface Change<T> {
  readonly accounts: readonly (Account | undefined)[]
  readonly result: T
}

interface Job {
  readonly places: readonly Place[]
  readonly apply: (open: Map<string, Opened>) => () => void
  readonly reject: (error: unknown) => void
}

interface Opened {
  readonly place: Place
  readonly version: number
  readonly before: Account | undefined
  after: Account | undefined
}

/**
 * Accounts in a store. Changes are made by compare-and-swap, so they are atomic also between processes; those that one
 * process asks for at the same time share one write. A change to several accounts is made to all of them or to none.
 */
export class Books {
  readonly #records: Records
  /** By tenant, whose accounts others do not share. */
  readonly #queues = new Map<string, Job[]>()

  constructor(records: Records) {
    this.#records = records
  }

  async read({ namespace, key }: Place): Promise<Account | undefined> {
    const record = await this.#records.get(namespace, key).catch(unavailable)
    return accountOf(record?.value)
  }

  /**
   * Changes the accounts. `work` may run several times; it sees them as they are when its change is written. When it
   * throws, nothing is written.
   */
  change<T>(places: readonly Place[], work: (accounts: readonly Account[]) => Change<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const apply = (open: Map<string, Opened>): (() => void) => {
        try {
          const opened = places.map((place) => open.get(idOf(place)))
          const { accounts, result } = work(opened.map((one) => one?.after ?? EMPTY))
          for (const [index, one] of opened.entries()) {
            if (one && accounts[index] !== EMPTY) one.after = accounts[index]
          }
          return () => resolve(result)
        } catch (error) {
          return () => reject(error)
        }
      }
      const tenant = places[0]?.namespace.segments[0] ?? ""
      const queue = this.#queues.get(tenant)
      const job = { places, apply, reject }
      if (queue) queue.push(job)
      else {
        this.#queues.set(tenant, [job])
        this.#work(tenant)
      }
    })
  }

  async #work(tenant: string): Promise<void> {
    for (let jobs = this.#queues.get(tenant); jobs && jobs.length > 0; jobs = this.#queues.get(tenant)) {
      this.#queues.set(tenant, [])
      try {
        await this.#write(jobs)
      } catch (error) {
        for (const job of jobs) job.reject(error)
      }
    }
    this.#queues.delete(tenant)
  }

  async #write(jobs: readonly Job[]): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const open = new Map<string, Opened>()
      for (const { places } of jobs) {
        for (const place of places) {
          const id = idOf(place)
          if (open.has(id)) continue
          const record = await this.#records.get(place.namespace, place.key).catch(unavailable)
          const before = accountOf(record?.value)
          open.set(id, { place, version: record?.version ?? 0, before, after: before })
        }
      }
      const answers = jobs.map((job) => job.apply(open))
      const changes: RecordChange[] = []
      for (const { place, version, before, after } of open.values()) {
        if (after === before) continue
        const at = { ...place, expected: version }
        changes.push(after ? { ...at, value: after as unknown as Json } : { ...at, deleted: true })
      }
      try {
        if (changes.length > 0) await this.#records.write(changes)
      } catch (error) {
        if (!(error instanceof VersionConflict)) unavailable(error)
        await pause(attempt)
        continue
      }
      for (const answer of answers) answer()
      return
    }
  }
}

/** Not the store's own error: the session can still be written, and says why its run ended. */
function unavailable(error: unknown): never {
  throw new OrraError(
    "budget_unavailable",
    `What may be spent is not known, so nothing is: ${errorMessage(error)}`,
    {},
    error,
  )
}

const idOf = ({ namespace, key }: Place): string => `${namespace.key}\n${key}`

/** Written by this class alone: what is there is an account. */
const accountOf = (value: Json | undefined): Account | undefined => value as unknown as Account | undefined

/** Processes that wrote at the same time must not meet again and again. */
const pause = (attempt: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(2 ** attempt, 50)))
