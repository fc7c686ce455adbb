import type { Namespace, SessionStore } from "@orra/core"
import type { Embedder } from "@orra/search"
import { HeldIndexes } from "./held.ts"
import { Ledger } from "./ledger.ts"
import { type Limits, limitsOf, type MemoriesOptions } from "./options.ts"

/** What everything that reads or writes memories works with. */
export interface Parts {
  readonly ledger: Ledger
  readonly indexes: HeldIndexes
  readonly limits: Limits
  readonly now: () => Promise<number> | number
  readonly embedder: Embedder | undefined
  readonly onError: (error: unknown) => void
  readonly children:
    | ((namespace: Namespace) => readonly Namespace[] | Promise<readonly Namespace[]>)
    | undefined
}

/** @throws MemoryError (`memory_option_invalid`). */
export function partsOf(store: SessionStore, options: MemoriesOptions): Parts {
  const { embedder, children, clock, onError = () => {} } = options
  const limits = limitsOf(options)
  const now = clock ?? (store.now ? () => store.now?.() ?? Date.now() : Date.now)
  const ledger = new Ledger(store, { undoMs: limits.undoMs, maxChanges: limits.maxChanges, now })
  const indexes = new HeldIndexes(ledger, {
    embedder: embedder?.id,
    namespaces: limits.heldNamespaces,
    memories: limits.heldMemories,
  })
  return { ledger, indexes, limits, now, embedder, onError, children }
}
