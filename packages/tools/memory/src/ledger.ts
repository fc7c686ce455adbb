import {
  type Json,
  keyOf,
  type Namespace,
  type RecordChange,
  type Records,
  randomId,
  type SessionStore,
  type StoredRecord,
  VersionConflict,
} from "@orra/core"
import { fingerprint, type Kept, type Source } from "./memory.ts"

/** What was done. `expire` is what `purge` does, `embed` what `embedMissing` does; neither can be undone. */
export type ChangeType = "remember" | "edit" | "forget" | "undo" | "expire" | "embed"

/** One memory in a change: what it was and what it became. Without `before` it is new, without `after` it is gone. */
export interface Item {
  readonly id: string
  readonly before?: Kept | undefined
  readonly after?: Kept | undefined
}

/** What a writer wants to do. */
export interface Draft {
  readonly type: ChangeType
  readonly source?: Source
  /** Each memory once. */
  readonly items: readonly Item[]
  /** What was before is not kept, nor is it any longer by earlier changes of these memories. */
  readonly forGood?: boolean
  /** Of an undo: the number of the change that it takes back. */
  readonly undoes?: number
}

/** A change as it is kept. */
export interface KeptChange {
  /** Of this change and no other: another history of the namespace has other ones. */
  readonly stamp: string
  readonly at: number
  readonly type: ChangeType
  readonly ids: readonly string[]
  readonly source?: Source
  /** What the one memory was before, for as long as the change can be undone. */
  readonly before?: Kept
  /** It made the memory. */
  readonly made?: true
  readonly undoes?: number
}

/** How far a namespace has come. */
export interface Head {
  /** Of the last change. */
  readonly stamp: string
  /** The numbers of the first and the last change that are kept. */
  readonly first: number
  readonly last: number
  /** The first change that may still have what was before. */
  readonly undoable: number
  /** How many memories there are, expired ones that are still kept included. */
  readonly count: number
}

export interface LedgerOptions {
  readonly undoMs: number
  readonly maxChanges: number
  readonly now: () => Promise<number> | number
}

const HEAD = "head"
/** First in the order of the keys, so that a list of memories begins with them. */
const MEMORY = "a "
const memoryKey = (id: string): string => `${MEMORY}${id}`
const changeKey = (number: number): string => `c ${String(number).padStart(16, "0")}`
const textKey = (content: string): string => `h ${fingerprint(content)}`

/** How many old changes lose what was before, at most, with each new one. */
const SWEEP = 2

/**
 * The memories of all namespaces as they lie in the store, in one collection. Each change of a namespace is one write:
 * the memory, the mark of its text, the change itself and the head, whose version lets only one of several writers go on.
 */
export class Ledger {
  readonly #records: Records
  readonly #options: LedgerOptions
  /** The last write of each namespace that has one under way here. */
  readonly #turns = new Map<string, Promise<unknown>>()

  constructor(store: Pick<SessionStore, "records">, options: LedgerOptions) {
    this.#records = store.records("memories")
    this.#options = options
  }

  async head(namespace: Namespace): Promise<Head | undefined> {
    return (await this.#records.get(namespace, HEAD))?.value as unknown as Head | undefined
  }

  async get(namespace: Namespace, id: string): Promise<Kept | undefined> {
    return (await this.#records.get(namespace, memoryKey(id)))?.value as unknown as Kept | undefined
  }

  async change(namespace: Namespace, number: number): Promise<KeptChange | undefined> {
    return (await this.#records.get(namespace, changeKey(number)))?.value as unknown as KeptChange | undefined
  }

  /** The memory that says the same. */
  async same(namespace: Namespace, content: string): Promise<string | undefined> {
    const record = await this.#records.get(namespace, textKey(content))
    return record && String(record.value)
  }

  /** Newest first. The cursor is the store's own. */
  async page(
    namespace: Namespace,
    options: { readonly limit: number; readonly cursor?: string },
  ): Promise<{ readonly items: readonly (readonly [string, Kept])[]; readonly cursor?: string }> {
    const { items, cursor } = await this.#records.list(namespace, options)
    const found = items
      .filter(({ key }) => key.startsWith(MEMORY))
      .map(({ key, value }) => [key.slice(MEMORY.length), value as unknown as Kept] as const)
    return found.length < items.length || cursor === undefined ? { items: found } : { items: found, cursor }
  }

  /**
   * Makes a change: `decide` reads what is there and says what to do, again when another process was faster.
   *
   * @returns the number of the change, undefined when there was nothing to do.
   * @throws what `decide` throws; StoreError.
   */
  async commit(
    namespace: Namespace,
    decide: (now: number, head: Head | undefined) => Promise<Draft | undefined>,
  ): Promise<number | undefined> {
    return await this.#inTurn(keyOf(namespace), async () => {
      for (;;) {
        const now = await this.#options.now()
        const record = await this.#records.get(namespace, HEAD)
        const head = record?.value as unknown as Head | undefined
        const draft = await decide(now, head)
        if (!draft || draft.items.length === 0) return undefined
        const { next, writes } = await this.#changes(namespace, now, head, draft)
        if (await this.#write(namespace, record, next, writes)) return next.last
      }
    })
  }

  /** Takes what was before from all changes that can no longer be undone. */
  async sweep(namespace: Namespace): Promise<void> {
    await this.#inTurn(keyOf(namespace), async () => {
      for (;;) {
        const record = await this.#records.get(namespace, HEAD)
        if (!record) return
        const head = record.value as unknown as Head
        const writes = new Map<string, Json | undefined>()
        const isOld = this.#isOld(await this.#options.now())
        const undoable = await this.#scrub(namespace, head.undoable, head.last, writes, isOld)
        if (undoable === head.undoable) return
        const next = { ...head, undoable }
        if (await this.#write(namespace, record, next, writes)) return
      }
    })
  }

  /** False when somebody else was faster. */
  async #write(
    namespace: Namespace,
    head: StoredRecord | undefined,
    next: Head,
    writes: ReadonlyMap<string, Json | undefined>,
  ): Promise<boolean> {
    const changes = [...writes].map(([key, value]) => changeOf(namespace, key, value))
    const moved = { namespace, key: HEAD, value: { ...next }, expected: head?.version ?? 0 }
    try {
      await this.#records.write([moved, ...changes])
      return true
    } catch (error) {
      if (error instanceof VersionConflict) return false
      throw error
    }
  }

  readonly #isOld =
    (now: number) =>
    ({ at }: KeptChange): boolean =>
      at + this.#options.undoMs <= now

  async #changes(
    namespace: Namespace,
    now: number,
    head: Head = { stamp: "", first: 1, last: 0, undoable: 1, count: 0 },
    draft: Draft,
  ): Promise<{ readonly next: Head; readonly writes: ReadonlyMap<string, Json | undefined> }> {
    // A key that two steps speak of is written once, as the later one says.
    const writes = new Map<string, Json | undefined>()
    let count = head.count
    for (const { id, before, after } of draft.items) {
      if (before && (await this.same(namespace, before.content)) === id) {
        writes.set(textKey(before.content), undefined)
      }
      writes.set(memoryKey(id), after as unknown as Json | undefined)
      count += (after ? 1 : 0) - (before ? 1 : 0)
    }
    for (const { id, after } of draft.items) if (after) writes.set(textKey(after.content), id)
    const last = head.last + 1
    const change = this.#change(now, draft)
    writes.set(changeKey(last), change as unknown as Json)
    let { first, undoable } = head
    for (; last - first >= this.#options.maxChanges; first++) writes.set(changeKey(first), undefined)
    undoable = Math.max(undoable, first)
    if (draft.forGood) {
      await this.#scrub(namespace, undoable, head.last, writes, ({ ids }) =>
        draft.items.some(({ id }) => ids.includes(id)),
      )
    }
    const swept = Math.min(undoable + SWEEP - 1, head.last)
    undoable = await this.#scrub(namespace, undoable, swept, writes, this.#isOld(now))
    return { next: { stamp: change.stamp, first, last, undoable, count }, writes }
  }

  #change(now: number, { type, source, items, forGood, undoes }: Draft): KeptChange {
    const [item] = items
    const before = items.length === 1 && !forGood && this.#options.undoMs > 0 ? item?.before : undefined
    return {
      stamp: randomId(),
      at: now,
      type,
      ids: items.map(({ id }) => id),
      ...(source && { source }),
      ...(undoes !== undefined && { undoes }),
      ...(isUndoable(type) && before && { before }),
      ...(items.length === 1 && !item?.before && { made: true as const }),
    }
  }

  /**
   * Takes what was before from the changes of these numbers that are to lose it.
   *
   * @returns the first number that was not, or the one after the last.
   */
  async #scrub(
    namespace: Namespace,
    from: number,
    to: number,
    writes: Map<string, Json | undefined>,
    isMeant: (change: KeptChange) => boolean,
  ): Promise<number> {
    let kept: number | undefined
    for (let number = from; number <= to; number++) {
      const change = await this.change(namespace, number)
      if (!change) continue
      if (!isMeant(change)) {
        kept ??= number
        continue
      }
      if (!change.before) continue
      const { before: _, ...rest } = change
      writes.set(changeKey(number), rest as unknown as Json)
    }
    return kept ?? Math.max(from, to + 1)
  }

  #inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = (this.#turns.get(key) ?? Promise.resolve()).then(work)
    const settled = turn
      .catch(() => {})
      .then(() => {
        if (this.#turns.get(key) === settled) this.#turns.delete(key)
      })
    this.#turns.set(key, settled)
    return turn
  }
}

export const isUndoable = (type: ChangeType): boolean => type !== "expire" && type !== "embed"

const changeOf = (namespace: Namespace, key: string, value: Json | undefined): RecordChange =>
  value === undefined ? { namespace, key, deleted: true } : { namespace, key, value }
