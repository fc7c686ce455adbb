import { type Namespace, NotFound } from "@orra/core"
import { MemoryError } from "./errors.ts"
import { type ChangeType, isUndoable, type KeptChange, type Ledger } from "./ledger.ts"
import { isExpired, type Source } from "./memory.ts"
import { whole } from "./options.ts"
import type { Parts } from "./parts.ts"
import { assertOnly, full } from "./twin.ts"

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
  /** Of an `undo`: which change it took back. */
  readonly undoes?: number
  /** Whether it can still be undone, if nothing came after it. */
  readonly undoable: boolean
}

/** What `Memories.changes` does. */
export async function changes(
  { ledger, limits, now }: Parts,
  namespace: Namespace,
  { limit = 50, before }: { readonly limit?: number; readonly before?: number },
): Promise<readonly MemoryChange[]> {
  whole("limit", limit, 1, 500)
  const head = await ledger.head(namespace)
  if (!head) return []
  const time = await now()
  const found: MemoryChange[] = []
  const newest = before === undefined ? head.last : Math.min(head.last, whole("before", before, 1) - 1)
  for (let number = newest; number >= head.first && found.length < limit; number--) {
    const change = await ledger.change(namespace, number)
    if (change) found.push(shown(number, change, time, limits.undoMs))
  }
  return found
}

/** What `Memories.undo` does. */
export async function undo(
  { ledger, limits }: Parts,
  namespace: Namespace,
  number: number,
  source: Source,
): Promise<number> {
  whole("change", number, 1)
  const made = await ledger.commit(namespace, async (now, head) => {
    const change = await ledger.change(namespace, number)
    const [id] = change?.ids ?? []
    if (!head || !change || id === undefined) throw new NotFound("change")
    const { before: after } = change
    const isPossible = shown(number, change, now, limits.undoMs).undoable && !(after && isExpired(after, now))
    if (!isPossible) {
      throw new MemoryError(
        "memory_undo_expired",
        "This can no longer be undone: too long ago, expired, or forgotten for good.",
      )
    }
    await assertUntouched(ledger, namespace, { id, number, last: head.last })
    const before = await ledger.get(namespace, id)
    if (after) await assertOnly(ledger, namespace, { id, content: after.content, now })
    if (after && !before && head.count >= limits.maxMemories) throw full(limits.maxMemories)
    return { type: "undo", undoes: number, source, items: [{ id, before, after }] }
  })
  if (made === undefined) throw new NotFound("change")
  return made
}

/** What came after a change is not undone with it, unless that has been undone itself. */
async function assertUntouched(
  ledger: Ledger,
  namespace: Namespace,
  { id, number, last }: { readonly id: string; readonly number: number; readonly last: number },
): Promise<void> {
  const undone = new Set<number>()
  for (let next = last; next > number; next--) {
    const change = await ledger.change(namespace, next)
    if (!change || change.type === "embed" || !change.ids.includes(id) || undone.has(next)) continue
    if (change.undoes !== undefined && change.undoes > number) undone.add(change.undoes)
    else
      throw new MemoryError("memory_changed", "The memory was changed since: undo that first.", {
        change: next,
      })
  }
}

function shown(
  number: number,
  { type, ids, at, source, before, made, undoes }: KeptChange,
  now: number,
  undoMs: number,
): MemoryChange {
  const undoable = isUndoable(type) && at + undoMs > now && (before !== undefined || made === true)
  return {
    number,
    type,
    ids,
    at,
    ...(source && { source }),
    ...(undoes !== undefined && { undoes }),
    undoable,
  }
}
