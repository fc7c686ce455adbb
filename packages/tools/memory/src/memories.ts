import { keyOf, type Namespace, type Page, type SessionStore } from "@orra/core"
import { embedMissing } from "./embedding.ts"
import { cleanSource, isExpired, type Memory, memoryOf, type Source } from "./memory.ts"
import type { MemoriesOptions } from "./options.ts"
import { type Parts, partsOf } from "./parts.ts"
import { purge } from "./purge.ts"
import { type RecallOptions, type RecallResult, recall } from "./recall.ts"
import { edit, type MemoryPatch, type NewMemory, type Remembered, remember } from "./remember.ts"
import { isId } from "./twin.ts"
import { changes, type MemoryChange, undo } from "./undo.ts"

/**
 * What is remembered for each namespace: kept in the store, each memory with where it comes from, for good or until it
 * expires. Several of these, also in several processes, may use one store.
 *
 * ```ts
 * const memories = new Memories(store)
 * const source = { outside: false, principal: "ada" }
 * const { memory } = await memories.remember(ada, { content: "Allergic to nuts.", tags: ["health"], source })
 * await memories.recall(ada.child("chat-1"), "nuts") // finds it
 * const change = await memories.forget(ada, memory.id, { source })
 * if (change !== undefined) await memories.undo(ada, change, { source })
 * ```
 */
export class Memories {
  readonly #parts: Parts

  /** @throws MemoryError (`memory_option_invalid`). */
  constructor(store: SessionStore, options: MemoriesOptions = {}) {
    this.#parts = partsOf(store, options)
  }

  /**
   * Remembers it; durable when the promise resolves. What says the same is remembered once: tags are joined and the later
   * expiry holds, but what a person says takes the place of what came from outside, which changes nothing in turn. An
   * embedder that fails costs the vector, not the memory.
   *
   * @throws MemoryError (`memory_empty`, `memory_too_long`, `memory_tags_invalid`, `memory_expiry_invalid`,
   *   `memory_source_invalid`, `memory_full`); StoreError.
   */
  async remember(namespace: Namespace, memory: NewMemory): Promise<Remembered> {
    return await remember(this.#parts, namespace, memory)
  }

  /**
   * What fits the query best of all that this namespace may see: its own memories, those of all above it, and of those
   * below where `children` says so.
   *
   * @throws MemoryError (`memory_empty` and `memory_too_long` for the query, `memory_tags_invalid`,
   *   `memory_namespace_refused`, `memory_no_embedder`, `memory_option_invalid`); what the signal says; StoreError.
   */
  async recall(namespace: Namespace, query: string, options: RecallOptions = {}): Promise<RecallResult> {
    return await recall(this.#parts, namespace, query, options)
  }

  /** The memory with this id, if it belongs to exactly this namespace. */
  async get(namespace: Namespace, id: string): Promise<Memory | undefined> {
    const { ledger, now } = this.#parts
    keyOf(namespace)
    const kept = isId(id) ? await ledger.get(namespace, id) : undefined
    return kept && !isExpired(kept, await now()) ? memoryOf(namespace, id, kept) : undefined
  }

  /** The memories of exactly this namespace, newest first. `limit` is 1 to 500, default 50; expired ones are left out. */
  async list(
    namespace: Namespace,
    { limit = 50, cursor }: { readonly limit?: number; readonly cursor?: string } = {},
  ): Promise<Page<Memory>> {
    const { ledger, now } = this.#parts
    const page = await ledger.page(namespace, { limit, ...(cursor !== undefined && { cursor }) })
    const time = await now()
    const items = page.items
      .filter(([, kept]) => !isExpired(kept, time))
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
  ): Promise<{ readonly memory: Memory; readonly change: number }> {
    return await edit(this.#parts, namespace, id, patch, cleanSource(source))
  }

  /**
   * Forgets it: from now on nobody sees it. That can be undone for a while, unless it is `forGood`: then the text is gone
   * from the store as well, from earlier changes too.
   *
   * @returns the number of the change, for `undo`; undefined when there is no such memory.
   */
  async forget(
    namespace: Namespace,
    id: string,
    { source, forGood = false }: { readonly source: Source; readonly forGood?: boolean },
  ): Promise<number | undefined> {
    const { ledger } = this.#parts
    keyOf(namespace)
    const by = cleanSource(source)
    if (!isId(id)) return undefined
    return await ledger.commit(namespace, async (now) => {
      const before = await ledger.get(namespace, id)
      if (!before || isExpired(before, now)) return undefined
      return { type: "forget", source: by, items: [{ id, before }], forGood }
    })
  }

  /**
   * What was done to the memories of this namespace, newest first; `limit` is 1 to 500, default 50; `before` is the
   * number of the last of the page before.
   */
  async changes(
    namespace: Namespace,
    options: { readonly limit?: number; readonly before?: number } = {},
  ): Promise<readonly MemoryChange[]> {
    return await changes(this.#parts, namespace, options)
  }

  /**
   * Takes back a change: what was remembered is gone, what was forgotten is back, what was edited is as it was. Taking
   * back is a change as well, and can be undone.
   *
   * @returns the number of the new change.
   * @throws NotFound; MemoryError (`memory_changed` when something came after it, `memory_undo_expired`,
   *   `memory_exists` when another memory says the same by now, `memory_full`).
   */
  async undo(namespace: Namespace, change: number, { source }: { readonly source: Source }): Promise<number> {
    return await undo(this.#parts, namespace, change, cleanSource(source))
  }

  /**
   * Removes expired memories of this namespace from the store, where they are invisible already, and what can no longer
   * be undone. `remember` does it by itself when the namespace is full.
   *
   * @returns how many memories were removed.
   */
  async purge(namespace: Namespace): Promise<number> {
    return await purge(this.#parts, namespace)
  }

  /**
   * Embeds the memories of this namespace that have no vector of the embedder: those that were remembered while it was
   * down, or with another one.
   *
   * @returns how many were embedded.
   * @throws MemoryError (`memory_no_embedder`); what the embedder throws, what was done until then is kept.
   */
  async embedMissing(
    namespace: Namespace,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<number> {
    return await embedMissing(this.#parts, namespace, signal)
  }

  /** Lets go of what is held in memory of namespaces at and below the prefix: for after an erasure. */
  release(prefix: Namespace): void {
    this.#parts.indexes.release(prefix)
  }
}
