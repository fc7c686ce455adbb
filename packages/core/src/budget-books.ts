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
  /** Nothing is changed because of how the accounts stand: they are looked at again if that was from memory. */
  readonly refused?: boolean
}

interface Job {
  readonly places: readonly Place[]
  readonly apply: (open: Map<string, Opened>) => Applied
  readonly reject: (error: unknown) => void
}

interface Applied {
  readonly refused: boolean
  readonly answer: () => void
}

/** An account as it was last read or written here. */
interface Known {
  readonly version: number
  readonly account: Account | undefined
}

interface Opened {
  readonly place: Place
  readonly known: Known
  after: Account | undefined
}

/** How many accounts are kept in memory, so that most changes read nothing. */
const MAX_KNOWN = 1_000

/**
 * Accounts in a store. Changes are made by compare-and-swap, so they are atomic also between processes; those that one
 * process asks for at the same time share one write. A change to several accounts is made to all of them or to none.
 */
export class Books {
  readonly #records: Records
  /** By tenant, whose accounts others do not share. */
  readonly #queues = new Map<string, Job[]>()
  readonly #known = new Map<string, Known>()

  constructor(records: Records) {
    this.#records = records
  }

  async read(place: Place): Promise<Account | undefined> {
    return (await this.#load(place)).account
  }

  /**
   * Changes the accounts. `work` may run several times; it sees them as they are when its change is written. When it
   * throws, nothing is written.
   */
  change<T>(places: readonly Place[], work: (accounts: readonly Account[]) => Change<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const apply = (open: Map<string, Opened>): Applied => {
        try {
          const opened = places.map((place) => open.get(idOf(place)))
          const { accounts, result, refused = false } = work(opened.map((one) => one?.after ?? EMPTY))
          for (const [index, one] of opened.entries()) {
            if (one && accounts[index] !== EMPTY) one.after = accounts[index]
          }
          return { refused, answer: () => resolve(result) }
        } catch (error) {
          return { refused: false, answer: () => reject(error) }
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
      let fromMemory = false
      for (const { places } of jobs) {
        for (const place of places) {
          const id = idOf(place)
          if (open.has(id)) continue
          const seen = this.#known.get(id)
          fromMemory ||= seen !== undefined
          const known = seen ?? (await this.#load(place))
          open.set(id, { place, known, after: known.account })
        }
      }
      const applied = jobs.map((job) => job.apply(open))
      if (fromMemory && applied.some(({ refused }) => refused)) {
        for (const id of open.keys()) this.#known.delete(id)
        continue
      }
      const changed = [...open].filter(([, { known, after }]) => after !== known.account)
      try {
        if (changed.length > 0) this.#remember(changed, await this.#records.write(changed.map(toChange)))
      } catch (error) {
        for (const id of open.keys()) this.#known.delete(id)
        if (!(error instanceof VersionConflict)) unavailable(error)
        await pause(attempt)
        continue
      }
      for (const { answer } of applied) answer()
      return
    }
  }

  async #load({ namespace, key }: Place): Promise<Known> {
    const record = await this.#records.get(namespace, key).catch(unavailable)
    return { version: record?.version ?? 0, account: accountOf(record?.value) }
  }

  #remember(changed: readonly (readonly [string, Opened])[], versions: readonly number[]): void {
    if (this.#known.size > MAX_KNOWN) this.#known.clear()
    for (const [index, [id, { after }]] of changed.entries()) {
      const version = versions[index]
      if (after && version) this.#known.set(id, { version, account: after })
      else this.#known.delete(id)
    }
  }
}

const toChange = ([, { place, known, after }]: readonly [string, Opened]): RecordChange =>
  after
    ? { ...place, expected: known.version, value: after as unknown as Json }
    : { ...place, expected: known.version, deleted: true }

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
