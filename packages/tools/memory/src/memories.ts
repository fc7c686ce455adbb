import { keyOf, type Namespace, NotFound, type Page, type SessionStore } from "@orra/core"
import { MemoryError } from "./errors.ts"
import { type ChangeType, type Draft, type Item, isUndoable, type KeptChange, Ledger } from "./ledger.ts"
import {
  cleanContent,
  cleanExpiry,
  cleanTags,
  isExpired,
  type Kept,
  MAX_TAGS,
  type Memory,
  memoryOf,
  newId,
  type Source,
} from "./memory.ts"
import { clockOf, limitsOf, type MemoriesOptions, whole } from "./options.ts"

/** How many expired memories are removed in one write. */
const AT_ONCE = 50

/** What is to be remembered. */
export interface NewMemory {
  readonly content: string
  readonly tags?: readonly string[]
  readonly expiresAt?: number
  readonly source: Source
}

export interface Remembered {
  readonly memory: Memory
  /** `added`, `merged` with one that says the same, or `known`: nothing was changed. */
  readonly outcome: "added" | "merged" | "known"
  /** For `undo`. Absent when nothing was changed. */
  readonly change?: number
}

/** What a person changes; null takes the expiry away. */
export interface MemoryPatch {
  readonly content?: string
  readonly tags?: readonly string[]
  readonly expiresAt?: number | null
}

/** Something that was done to the memories of a namespace. */
export interface MemoryChange {
  /** For `undo`. */
  readonly number: number
  readonly type: ChangeType
  readonly ids: readonly string[]
  /** ms since 1970. */
  readonly at: number
  /** Absent where nobody did it: memories that expired. */
  readonly source?: Source
  /** Whether it can still be undone, if nothing came after it. */
  readonly undoable: boolean
}

/**
 * What is remembered for each namespace: kept in the store, each with where it comes from, for good or until it expires.
 *
 * ```ts
 * const memories = new Memories(store)
 * const { change } = await memories.remember(ada, { content: "Allergic to nuts.", source: { outside: false } })
 * await memories.recall(ada, "nuts")
 * if (change) await memories.undo(ada, change, { source: { outside: false, principal: "ada" } })
 * ```
 */
export class Memories {
  readonly #ledger: Ledger
  readonly #now: () => Promise<number> | number
  readonly #limits: ReturnType<typeof limitsOf>

  /** @throws MemoryError (`memory_option_invalid`). */
  constructor(store: SessionStore, options: MemoriesOptions = {}) {
    this.#limits = limitsOf(options)
    this.#now = clockOf(store, options.clock)
    const { undoMs, maxChanges } = this.#limits
    this.#ledger = new Ledger(store, { undoMs, maxChanges, now: this.#now })
  }

  /**
   * Remembers it; durable when the promise resolves. What says the same is remembered once: tags are joined, the later
   * expiry holds, and what a person says takes the place of what came from outside.
   *
   * @throws MemoryError (`memory_empty`, `memory_too_long`, `memory_tags_invalid`, `memory_expiry_invalid`,
   *   `memory_full`); StoreError.
   */
  async remember(namespace: Namespace, given: NewMemory): Promise<Remembered> {
    keyOf(namespace)
    const content = cleanContent(given.content, this.#limits.maxLength)
    const tags = cleanTags(given.tags ?? [])
    const { source } = given
    const expiresAt = cleanExpiry(given.expiresAt, await this.#now())
    const expiry = expiresAt === undefined ? {} : { expiresAt }
    for (let isPurged = false; ; ) {
      let made: Remembered | undefined
      let isFull = false
      const change = await this.#ledger.commit(namespace, async (now, head): Promise<Draft | undefined> => {
        made = undefined
        const twin = await this.#twin(namespace, content)
        if (twin && isExpired(twin.kept, now)) {
          return { type: "expire", items: [{ id: twin.id, before: twin.kept }] }
        }
        if (twin) {
          const after = merged(twin.kept, { tags, source, expiresAt }, now)
          made = {
            memory: memoryOf(namespace, twin.id, after ?? twin.kept),
            outcome: after ? "merged" : "known",
          }
          return after && { type: "remember", source, items: [{ id: twin.id, before: twin.kept, after }] }
        }
        isFull = (head?.count ?? 0) >= this.#limits.maxMemories
        if (isFull) return undefined
        const id = newId(now)
        const after: Kept = { content, tags, source, createdAt: now, updatedAt: now, ...expiry }
        made = { memory: memoryOf(namespace, id, after), outcome: "added" }
        return { type: "remember", source, items: [{ id, after }] }
      })
      const answer = made as Remembered | undefined
      if (answer) return change === undefined ? answer : { ...answer, change }
      if (!isFull) continue
      if (isPurged || (await this.purge(namespace)) === 0) throw full(this.#limits.maxMemories)
      isPurged = true
    }
  }

  /** The memory, if this namespace has it. Also while another one may see it, it is read where it is. */
  async get(namespace: Namespace, id: string): Promise<Memory | undefined> {
    const kept = await this.#ledger.get(namespace, checkedId(id))
    return kept && !isExpired(kept, await this.#now()) ? memoryOf(namespace, id, kept) : undefined
  }

  /** The memories of exactly this namespace, newest first. `limit` is 1 to 500, default 50. */
  async list(
    namespace: Namespace,
    { limit = 50, cursor }: { readonly limit?: number; readonly cursor?: string } = {},
  ): Promise<Page<Memory>> {
    const page = await this.#ledger.page(namespace, { limit, ...(cursor !== undefined && { cursor }) })
    const now = await this.#now()
    const items = page.items
      .filter(([, kept]) => !isExpired(kept, now))
      .map(([id, kept]) => memoryOf(namespace, id, kept))
    return page.cursor === undefined ? { items } : { items, cursor: page.cursor }
  }

  /**
   * A person's change. From then on the memory comes from whoever changed it.
   *
   * @throws NotFound; MemoryError (as `remember`; `memory_exists` when another memory says that already).
   */
  async edit(
    namespace: Namespace,
    id: string,
    patch: MemoryPatch,
    { source }: { readonly source: Source },
  ): Promise<Remembered> {
    checkedId(id)
    const { maxLength } = this.#limits
    const content = patch.content === undefined ? undefined : cleanContent(patch.content, maxLength)
    const tags = patch.tags && cleanTags(patch.tags)
    let memory: Memory | undefined
    let outcome: Remembered["outcome"] = "merged"
    const change = await this.#ledger.commit(namespace, async (now) => {
      const before = await this.#alive(namespace, id, now)
      const next = patch.expiresAt === undefined ? before.expiresAt : (patch.expiresAt ?? undefined)
      const expiresAt = next === before.expiresAt ? next : cleanExpiry(next, now)
      if (content !== undefined) await this.#assertOnly(namespace, id, content, now)
      const { expiresAt: _, vector, ...rest } = before
      const isSame = content === undefined || content === before.content
      const after: Kept = {
        ...rest,
        ...(content !== undefined && { content }),
        ...(tags && { tags }),
        ...(expiresAt !== undefined && { expiresAt }),
        ...(isSame && vector && { vector }),
        source,
        updatedAt: now,
      }
      memory = memoryOf(namespace, id, after)
      outcome = "merged"
      return { type: "edit", source, items: [{ id, before, after }] }
    })
    if (!memory || change === undefined) throw new NotFound("memory")
    return { memory, outcome, change }
  }

  /**
   * Forgets it: from now on nobody sees it. It can be undone for a while, unless it is `forGood`: then the text is gone
   * from the store as well, from earlier changes too.
   *
   * @returns the number of the change, for `undo`; undefined when there is no such memory.
   */
  async forget(
    namespace: Namespace,
    id: string,
    { source, forGood = false }: { readonly source: Source; readonly forGood?: boolean },
  ): Promise<number | undefined> {
    checkedId(id)
    return await this.#ledger.commit(namespace, async (now) => {
      const before = await this.#ledger.get(namespace, id)
      if (!before || isExpired(before, now)) return undefined
      return { type: "forget", source, items: [{ id, before }], forGood }
    })
  }

  /** What was done to the memories of this namespace, newest first; `limit` is 1 to 500, default 50. */
  async changes(
    namespace: Namespace,
    {
      limit = 50,
      before = Number.MAX_SAFE_INTEGER,
    }: { readonly limit?: number; readonly before?: number } = {},
  ): Promise<readonly MemoryChange[]> {
    whole("limit", limit, 1, 500)
    const head = await this.#ledger.head(namespace)
    const now = await this.#now()
    const found: MemoryChange[] = []
    if (!head) return found
    for (
      let number = Math.min(head.last, before - 1);
      number >= head.first && found.length < limit;
      number--
    ) {
      const change = await this.#ledger.change(namespace, number)
      if (change) found.push(this.#shown(number, change, now))
    }
    return found
  }

  /**
   * Takes back a change: what was remembered is gone, what was forgotten is back, what was edited is as it was. Taking
   * back is a change as well, and can be undone.
   *
   * @returns the number of the new change.
   * @throws NotFound; MemoryError (`memory_changed` when something came after it, `memory_undo_expired`,
   *   `memory_exists` when another memory says the same by now, `memory_full`).
   */
  async undo(namespace: Namespace, number: number, { source }: { readonly source: Source }): Promise<number> {
    whole("change", number, 1)
    const made = await this.#ledger.commit(namespace, async (now, head) => {
      const change = await this.#ledger.change(namespace, number)
      const [id] = change?.ids ?? []
      if (!head || !change || id === undefined) throw new NotFound("change")
      const { before: after } = change
      if (!this.#shown(number, change, now).undoable || (after && isExpired(after, now))) throw undoExpired()
      await this.#assertUntouched(namespace, id, number, head.last)
      const before = await this.#ledger.get(namespace, id)
      if (after) await this.#assertOnly(namespace, id, after.content, now)
      if (after && !before && head.count >= this.#limits.maxMemories) throw full(this.#limits.maxMemories)
      return { type: "undo", source, items: [{ id, before, after }] }
    })
    if (made === undefined) throw new NotFound("change")
    return made
  }

  /**
   * Removes expired memories of this namespace from the store, where they are invisible already, and what can no longer
   * be undone. `remember` does it by itself when the namespace is full.
   *
   * @returns how many memories were removed.
   */
  async purge(namespace: Namespace): Promise<number> {
    const now = await this.#now()
    const ids: string[] = []
    for (let cursor: string | undefined, isMore = true; isMore; ) {
      const page = await this.#ledger.page(namespace, { limit: 500, ...(cursor !== undefined && { cursor }) })
      for (const [id, kept] of page.items) if (isExpired(kept, now)) ids.push(id)
      cursor = page.cursor
      isMore = cursor !== undefined
    }
    let removed = 0
    for (let at = 0; at < ids.length; at += AT_ONCE) {
      await this.#ledger.commit(namespace, async (now) => {
        const items = await this.#expired(namespace, ids.slice(at, at + AT_ONCE), now)
        removed += items.length
        return { type: "expire", items }
      })
    }
    await this.#ledger.sweep(namespace)
    return removed
  }

  async #twin(
    namespace: Namespace,
    content: string,
  ): Promise<{ readonly id: string; readonly kept: Kept } | undefined> {
    const id = await this.#ledger.same(namespace, content)
    const kept = id && (await this.#ledger.get(namespace, id))
    return id && kept ? { id, kept } : undefined
  }

  async #expired(namespace: Namespace, ids: readonly string[], now: number): Promise<readonly Item[]> {
    const found = await Promise.all(
      ids.map(async (id) => ({ id, before: await this.#ledger.get(namespace, id) })),
    )
    return found.filter(({ before }) => before !== undefined && isExpired(before, now))
  }

  async #alive(namespace: Namespace, id: string, now: number): Promise<Kept> {
    const kept = await this.#ledger.get(namespace, id)
    if (!kept || isExpired(kept, now)) throw new NotFound("memory")
    return kept
  }

  async #assertOnly(namespace: Namespace, id: string, content: string, now: number): Promise<void> {
    const twin = await this.#twin(namespace, content)
    if (!twin || twin.id === id || isExpired(twin.kept, now)) return
    throw new MemoryError("memory_exists", "Another memory says the same: change that one.", { id: twin.id })
  }

  /** What came after a change is not undone with it. */
  async #assertUntouched(namespace: Namespace, id: string, number: number, last: number): Promise<void> {
    for (let next = number + 1; next <= last; next++) {
      const change = await this.#ledger.change(namespace, next)
      if (change && change.type !== "embed" && change.ids.includes(id)) {
        throw new MemoryError("memory_changed", "The memory was changed since: undo that first.", {
          change: next,
        })
      }
    }
  }

  #shown(number: number, { type, ids, at, source, before, made }: KeptChange, now: number): MemoryChange {
    const undoable =
      isUndoable(type) && at + this.#limits.undoMs > now && (before !== undefined || made === true)
    return { number, type, ids, at, ...(source && { source }), undoable }
  }
}

/** The memory with what is new about it; undefined when nothing is. */
function merged(
  kept: Kept,
  given: {
    readonly tags: readonly string[]
    readonly source: Source
    readonly expiresAt: number | undefined
  },
  now: number,
): Kept | undefined {
  const joined = [...new Set([...kept.tags, ...given.tags])].slice(0, MAX_TAGS)
  const tags = joined.length > kept.tags.length ? joined.sort() : kept.tags
  const source = kept.source.outside && !given.source.outside ? given.source : kept.source
  const lasts = kept.expiresAt === undefined || given.expiresAt === undefined
  const expiresAt = lasts ? undefined : Math.max(kept.expiresAt, given.expiresAt)
  if (tags === kept.tags && source === kept.source && expiresAt === kept.expiresAt) return undefined
  const { expiresAt: _, ...rest } = kept
  return { ...rest, tags, source, updatedAt: now, ...(expiresAt !== undefined && { expiresAt }) }
}

const checkedId = (id: string): string => {
  if (typeof id === "string" && id.length > 0 && id.length <= 64) return id
  throw new NotFound("memory")
}

const full = (limit: number): MemoryError =>
  new MemoryError("memory_full", `There are ${limit} memories already: forget some first.`, { limit })

const undoExpired = (): MemoryError =>
  new MemoryError("memory_undo_expired", "This can no longer be undone: too long ago, or forgotten for good.")
