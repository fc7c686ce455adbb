import type { Namespace } from "@orra/core"
import { MemoryError } from "./errors.ts"
import type { Ledger } from "./ledger.ts"
import { isExpired, type Kept } from "./memory.ts"

/** The memory of the namespace that says the same, perhaps expired. */
export async function twinOf(
  ledger: Ledger,
  namespace: Namespace,
  content: string,
): Promise<{ readonly id: string; readonly kept: Kept } | undefined> {
  const id = await ledger.same(namespace, content)
  const kept = id === undefined ? undefined : await ledger.get(namespace, id)
  return id !== undefined && kept ? { id, kept } : undefined
}

/** @throws MemoryError (`memory_exists`) when another memory says the same. */
export async function assertOnly(
  ledger: Ledger,
  namespace: Namespace,
  { id, content, now }: { readonly id: string; readonly content: string; readonly now: number },
): Promise<void> {
  const twin = await twinOf(ledger, namespace, content)
  if (!twin || twin.id === id || isExpired(twin.kept, now)) return
  throw new MemoryError("memory_exists", "Another memory says the same: change that one.", { id: twin.id })
}

/** What can be the id of a memory, as every store can look it up. */
export const isId = (id: string): boolean =>
  typeof id === "string" && id.length > 0 && id.length <= 64 && id.isWellFormed() && !id.includes("\0")

export const full = (limit: number): MemoryError =>
  new MemoryError("memory_full", `There are ${limit} memories already: forget some first.`, { limit })
