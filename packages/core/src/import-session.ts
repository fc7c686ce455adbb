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
 * One session on its way into a store, which gets all of it or nothing. Numbers that no entry has were those of drafts:
 * they are filled with drafts that the next append drops, so that each entry keeps its own.
 */
export class ImportedSession {
  readonly namespace: Namespace
  readonly #store: SessionStore
  readonly #createdAt: number
  #lease: Lease
  #renewedAt = Date.now()
  /** The number of the last entry that was written, and of the last that is waiting to be. */
  #written = 0
  #last = 0
  #batch: NewEntry[] = []
  #size = 0
  /** Fillers among those that wait, and among those that were written last. */
  #fillers: Range | undefined
  #toDrop: Range | undefined
  entries = 0

  private constructor(store: SessionStore, namespace: Namespace, createdAt: number, lease: Lease) {
    this.#store = store
    this.namespace = namespace
    this.#createdAt = createdAt
    this.#lease = lease
  }

  /** Undefined when there is such a session. What an import that died has left of it is removed first. */
  static async begin(
    store: SessionStore,
    namespace: Namespace,
    createdAt: number,
  ): Promise<ImportedSession | undefined> {
    const lease = await store.acquire(namespace, randomId(), LEASE_MS)
    if (!lease) throw new SessionBusy(`"${namespace}" is running: stop it, or import under another name.`)
    try {
      const marks = store.records(IMPORTS)
      if (await marks.get(namespace, MARK)) await store.delete(namespace)
      if (await store.info(namespace)) {
        await store.release(lease)
        return undefined
      }
      await marks.put(namespace, MARK, true)
    } catch (error) {
      await store.release(lease)
      throw error
    }
    return new ImportedSession(store, namespace, createdAt, lease)
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
    this.entries++
    if (this.#batch.length >= MAX_ENTRIES || this.#size >= MAX_SIZE) await this.#flush()
  }

  /** Completes it, at this version. */
  async end(version: number): Promise<void> {
    await this.#fillUpTo(version + 1, this.#createdAt)
    await this.#flush()
    if (this.#toDrop) await this.#flush()
    await this.#store.records(IMPORTS).delete(this.namespace, MARK)
    await this.#store.release(this.#lease)
  }

  /** Removes what was written of it. */
  async abandon(): Promise<void> {
    await this.#store.delete(this.namespace)
    await this.#store.records(IMPORTS).delete(this.namespace, MARK)
    await this.#store.release(this.#lease)
  }

  async #fillUpTo(seq: number, at: number): Promise<void> {
    while (this.#last + 1 < seq) {
      if (this.#batch.length >= MAX_ENTRIES) await this.#flush()
      const filler = ++this.#last
      const first = this.#written + this.#batch.length === 0
      this.#batch.push({
        type: "delta",
        at: first ? this.#createdAt : at,
        runId: "",
        messageId: "",
        pieces: [],
      })
      this.#fillers = { from: this.#fillers?.from ?? filler, to: filler }
    }
  }

  async #flush(): Promise<void> {
    if (this.#batch.length === 0 && !this.#toDrop) return
    if (Date.now() - this.#renewedAt > LEASE_MS / 4) {
      this.#lease = await this.#store.renew(this.#lease, LEASE_MS)
      this.#renewedAt = Date.now()
    }
    await this.#store.append(this.namespace, this.#batch, {
      expected: this.#written,
      lease: this.#lease,
      ...(this.#toDrop && { dropDeltas: this.#toDrop }),
    })
    this.#written = this.#last
    this.#toDrop = this.#fillers
    this.#fillers = undefined
    this.#batch = []
    this.#size = 0
  }
}
