import { InvalidInput, SessionBusy } from "./errors.ts"
import { IMPORTS } from "./export-format.ts"
import { randomId } from "./ids.ts"
import type { Namespace } from "./namespace.ts"
import type { Entry, NewEntry } from "./session.ts"
import type { Lease, SessionStore } from "./store.ts"

const LEASE_MS = 120_000
/** Written together: so many entries, or characters. */
const MAX_ENTRIES = 500
const MAX_SIZE = 1_000_000
const MARK = "session"

interface Range {
  readonly from: number
  readonly to: number
}

/**
 * One session on its way into a store, which gets all of it or nothing: in one append, or marked until it is complete.
 * Numbers that no entry has were those of drafts: they are filled with drafts that the next append drops, so that each
 * entry keeps its own.
 */
export class ImportedSession {
  readonly namespace: Namespace
  readonly #store: SessionStore
  readonly #createdAt: number
  #lease: Lease | undefined
  #renewedAt = 0
  #isMarked = false
  /** There was such a session already. */
  #exists = false
  /** The number of the last entry that was written, and of the last that is waiting to be. */
  #written = 0
  #last = 0
  #batch: NewEntry[] = []
  #size = 0
  /** Fillers among those that wait, and among those that were written last. */
  #fillers: Range | undefined
  #toDrop: Range | undefined
  #entries = 0

  constructor(store: SessionStore, namespace: Namespace, createdAt: number) {
    this.#store = store
    this.namespace = namespace
    this.#createdAt = createdAt
  }

  get entries(): number {
    return this.#entries
  }

  /** Of what is in memory, in characters. */
  get size(): number {
    return this.#size
  }

  /** @throws InvalidInput when its number is not after the one before. */
  async add({ seq, ...entry }: Entry, size: number): Promise<void> {
    if (seq <= this.#last) throw new InvalidInput("Its number is not after that of the entry before.")
    await this.#fillUpTo(seq, entry.at)
    // A draft that stays must not lie between those that are dropped.
    if (entry.type === "delta" && this.#fillers) await this.#flush()
    this.#batch.push(entry as NewEntry)
    this.#last = seq
    this.#size += size
    this.#entries++
    if (this.#batch.length >= MAX_ENTRIES || this.#size >= MAX_SIZE) await this.#flush()
  }

  /** Completes it, at this version. @returns false when there was such a session: it is as it was. */
  async end(version: number): Promise<boolean> {
    try {
      await this.#fillUpTo(version + 1, this.#createdAt)
      await this.#flush(this.#fillers === undefined)
      if (this.#toDrop) await this.#flush()
      if (this.#isMarked) await this.#store.records(IMPORTS).delete(this.namespace, MARK)
    } catch (error) {
      await this.abandon()
      throw error
    }
    await this.#release()
    return !this.#exists
  }

  /** Removes what was written of it. */
  async abandon(): Promise<void> {
    if (this.#isMarked) {
      await this.#store.delete(this.namespace)
      await this.#store.records(IMPORTS).delete(this.namespace, MARK)
    }
    await this.#release()
  }

  async #fillUpTo(seq: number, at: number): Promise<void> {
    while (this.#last + 1 < seq) {
      if (this.#batch.length >= MAX_ENTRIES) await this.#flush()
      const isFirst = this.#last === 0
      const filler = ++this.#last
      this.#batch.push({
        type: "delta",
        at: isFirst ? this.#createdAt : at,
        runId: "",
        messageId: "",
        pieces: [],
      })
      this.#fillers = { from: this.#fillers?.from ?? filler, to: filler }
    }
  }

  async #flush(isAll = false): Promise<void> {
    if (this.#batch.length === 0 && !this.#toDrop) return
    const lease = await this.#held(isAll)
    if (!this.#exists) {
      await this.#store.append(this.namespace, this.#batch, {
        expected: this.#written,
        lease,
        ...(this.#toDrop && { dropDeltas: this.#toDrop }),
      })
    }
    this.#written = this.#last
    this.#toDrop = this.#fillers
    this.#fillers = undefined
    this.#batch = []
    this.#size = 0
  }

  /** The lease. With the first, what an import that died has left is removed, and what is not written at once marked. */
  async #held(isAll: boolean): Promise<Lease> {
    const marks = this.#store.records(IMPORTS)
    if (this.#lease) {
      if (Date.now() - this.#renewedAt < LEASE_MS / 4) return this.#lease
      this.#lease = await this.#store.renew(this.#lease, LEASE_MS)
    } else {
      this.#lease = await this.#store.acquire(this.namespace, randomId(), LEASE_MS)
      if (!this.#lease) {
        throw new SessionBusy(`"${this.namespace}" is running: stop it, or import under another name.`)
      }
      this.#isMarked = (await marks.get(this.namespace, MARK)) !== undefined
      if (this.#isMarked) await this.#store.delete(this.namespace)
      this.#exists = (await this.#store.info(this.namespace)) !== undefined
      if (!isAll && !this.#exists && !this.#isMarked) {
        await marks.put(this.namespace, MARK, true)
        this.#isMarked = true
      }
    }
    this.#renewedAt = Date.now()
    return this.#lease
  }

  async #release(): Promise<void> {
    if (this.#lease) await this.#store.release(this.#lease)
  }
}
