import { type Account, EMPTY } from "./budget-account.ts"
import { errorMessage, OrraError, VersionConflict } from "./errors.ts"
import type { Json } from "./json.ts"
import type { Namespace } from "./namespace.ts"
import type { RecordChange, Records } from "./records.ts"

/** Where an account is kept. */
export interface Place {
  readonly namespace: Namespace
  readonly key: string
  /** No other place has it. */
  readonly id: string
}

export const placeOf = (namespace: Namespace, key: string): Place => ({
  namespace,
  key,
  id: `${namespace.key}\n${key}`,
})

/** What has an account. */
export interface Kept {
  readonly place: Place
}

/** New accounts, each in the place of the one given; undefined removes it. The same object leaves it alone. */
export interface Change<T> {
  readonly accounts: readonly (Account | undefined)[]
  readonly result: T
  /** Nothing is changed because of how the accounts stand: they are looked at again if that was from memory. */
  readonly refused?: boolean
}

/** May run several times. It sees the accounts as they are when its change is written. */
export type Work<T> = (accounts: readonly Account[]) => Change<T>

interface Job {
  readonly kept: readonly Kept[]
  readonly apply: (open: Map<string, Opened>) => Applied
  readonly reject: (error: unknown) => void
}

/** The changes of one tenant's accounts: those that wait while one is being written. */
interface Queue {
  jobs: Job[]
  isWriting: boolean
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
  /** By tenant, whose accounts others do not share. Kept when empty: most tenants come again. */
  readonly #queues = new Map<string, Queue>()
  readonly #known = new Map<string, Known>()

  constructor(records: Records) {
    this.#records = records
  }

  async read(place: Place): Promise<Account | undefined> {
    return (await this.#load(place)).account
  }

  /** Changes the accounts. When `work` throws, nothing is written. */
  change<T>(kept: readonly Kept[], work: Work<T>): Promise<T> {
    const queue = this.#queueOf(kept[0]?.place.namespace.segments[0] ?? "")
    const opened = queue.isWriting ? undefined : this.#remembered(kept)
    return opened ? this.#alone(queue, opened, kept, work) : this.#queued(queue, kept, work)
  }

  #queueOf(tenant: string): Queue {
    const known = this.#queues.get(tenant)
    if (known) return known
    if (this.#queues.size >= MAX_KNOWN) {
      for (const [other, { isWriting }] of this.#queues) if (!isWriting) this.#queues.delete(other)
    }
    const queue: Queue = { jobs: [], isWriting: false }
    this.#queues.set(tenant, queue)
    return queue
  }

  /** The accounts, when all of them are known. */
  #remembered(kept: readonly Kept[]): readonly Opened[] | undefined {
    const opened: Opened[] = []
    for (const { place } of kept) {
      const known = this.#known.get(place.id)
      if (!known) return undefined
      opened.push({ place, known, after: known.account })
    }
    return opened
  }

  /** What most changes are: nobody else changes the tenant's accounts, and they are known. */
  async #alone<T>(queue: Queue, opened: readonly Opened[], kept: readonly Kept[], work: Work<T>): Promise<T> {
    const { accounts, result, refused } = work(opened.map(({ after }) => after ?? EMPTY))
    if (refused) {
      this.#forget(opened)
      return this.#queued(queue, kept, work)
    }
    for (const [index, one] of opened.entries()) put(one, accounts[index])
    queue.isWriting = true
    let isWritten = false
    try {
      isWritten = await this.#written(opened)
    } finally {
      this.#next(queue)
    }
    return isWritten ? result : this.#queued(queue, kept, work)
  }

  #queued<T>(queue: Queue, kept: readonly Kept[], work: Work<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const apply = (open: Map<string, Opened>): Applied => {
        try {
          const opened = kept.map(({ place }) => open.get(place.id))
          const { accounts, result, refused = false } = work(opened.map((one) => one?.after ?? EMPTY))
          for (const [index, one] of opened.entries()) put(one, accounts[index])
          return { refused, answer: () => resolve(result) }
        } catch (error) {
          return { refused: false, answer: () => reject(error) }
        }
      }
      queue.jobs.push({ kept, apply, reject })
      if (!queue.isWriting) this.#next(queue)
    })
  }

  /** Goes on with those that came meanwhile. */
  #next(queue: Queue): void {
    const { jobs } = queue
    queue.isWriting = jobs.length > 0
    if (!queue.isWriting) return
    queue.jobs = []
    void this.#work(queue, jobs)
  }

  async #work(queue: Queue, jobs: readonly Job[]): Promise<void> {
    try {
      await this.#write(jobs)
    } catch (error) {
      for (const job of jobs) job.reject(error)
    }
    this.#next(queue)
  }

  async #write(jobs: readonly Job[]): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const open = new Map<string, Opened>()
      let fromMemory = false
      for (const { kept } of jobs) {
        for (const { place } of kept) {
          const { id } = place
          if (open.has(id)) continue
          const seen = this.#known.get(id)
          fromMemory ||= seen !== undefined
          const known = seen ?? (await this.#load(place))
          open.set(id, { place, known, after: known.account })
        }
      }
      const opened = [...open.values()]
      const applied = jobs.map((job) => job.apply(open))
      if (fromMemory && applied.some(({ refused }) => refused)) {
        this.#forget(opened)
        continue
      }
      if (await this.#written(opened)) {
        for (const { answer } of applied) answer()
        return
      }
      await pause(attempt)
    }
  }

  /** Writes what has changed. False: somebody else did meanwhile. */
  #written(opened: readonly Opened[]): Promise<boolean> | true {
    const changed = opened.filter(({ known, after }) => after !== known.account)
    if (changed.length === 0) return true
    return this.#records.write(changed.map(toChange)).then(
      (versions) => {
        this.#remember(changed, versions)
        return true
      },
      (error: unknown) => {
        this.#forget(opened)
        return error instanceof VersionConflict ? false : unavailable(error)
      },
    )
  }

  async #load({ namespace, key }: Place): Promise<Known> {
    const record = await this.#records.get(namespace, key).catch(unavailable)
    return { version: record?.version ?? 0, account: accountOf(record?.value) }
  }

  #remember(changed: readonly Opened[], versions: readonly number[]): void {
    if (this.#known.size > MAX_KNOWN) this.#known.clear()
    changed.forEach(({ place: { id }, after }, index) => {
      const version = versions[index]
      if (after && version) this.#known.set(id, { version, account: after })
      else this.#known.delete(id)
    })
  }

  #forget(opened: readonly Opened[]): void {
    for (const { place } of opened) this.#known.delete(place.id)
  }
}

function put(one: Opened | undefined, account: Account | undefined): void {
  if (one && account !== EMPTY) one.after = account
}

const toChange = ({ place: { namespace, key }, known, after }: Opened): RecordChange =>
  after
    ? { namespace, key, expected: known.version, value: after as unknown as Json }
    : { namespace, key, expected: known.version, deleted: true }

/** Not the store's own error: the session can still be written, and says why its run ended. */
function unavailable(error: unknown): never {
  throw new OrraError(
    "budget_unavailable",
    `What may be spent is not known, so nothing is: ${errorMessage(error)}`,
    {},
    error,
  )
}

/** Written by this class alone: what is there is an account. */
const accountOf = (value: Json | undefined): Account | undefined => value as unknown as Account | undefined

/** Processes that wrote at the same time must not meet again and again. */
const pause = (attempt: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(2 ** attempt, 50)))
