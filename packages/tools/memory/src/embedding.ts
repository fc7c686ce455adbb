import type { Namespace } from "@orra/core"
import { type Embedder, embedAll } from "@orra/search"
import { MemoryError } from "./errors.ts"
import type { Item } from "./ledger.ts"
import type { Kept } from "./memory.ts"
import type { Parts } from "./parts.ts"
import { packed } from "./vector.ts"

/** How many texts the embedder gets at a time. */
const BATCH = 64

/** The vector of the text; nothing where there is no embedder, or it fails. */
export async function vectorOf(
  { embedder, limits, onError }: Parts,
  content: string,
): Promise<Pick<Kept, "vector">> {
  if (!embedder) return {}
  try {
    const [vector = {}] = await vectorsOf(embedder, [content], AbortSignal.timeout(limits.embedMs))
    return vector
  } catch (error) {
    onError(error)
    return {}
  }
}

/** What `Memories.embedMissing` does. */
export async function embedMissing(
  parts: Parts,
  namespace: Namespace,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { embedder, ledger, limits } = parts
  if (!embedder) throw new MemoryError("memory_no_embedder", "Give Memories an embedder.")
  let embedded = 0
  let cursor: string | undefined
  do {
    const page = await ledger.page(namespace, { limit: BATCH, ...(cursor !== undefined && { cursor }) })
    const missing = page.items.filter(([, { vector }]) => vector?.of !== embedder.id)
    const late = AbortSignal.timeout(limits.embedMs)
    const vectors = await vectorsOf(
      embedder,
      missing.map(([, { content }]) => content),
      signal ? AbortSignal.any([signal, late]) : late,
    )
    let items: readonly Item[] = []
    await ledger.commit(namespace, async () => {
      const found = await Promise.all(
        missing.map(async ([id, { content }], at): Promise<Item | undefined> => {
          const before = await ledger.get(namespace, id)
          // It may say something else by now.
          return before?.content === content
            ? { id, before, after: { ...before, ...vectors[at] } }
            : undefined
        }),
      )
      items = found.filter((item) => item !== undefined)
      return { type: "embed", items }
    })
    embedded += items.length
    cursor = page.cursor
  } while (cursor !== undefined)
  return embedded
}

async function vectorsOf(
  embedder: Embedder,
  texts: readonly string[],
  signal: AbortSignal,
): Promise<readonly Required<Pick<Kept, "vector">>[]> {
  const vectors = await embedAll(embedder, texts, { signal })
  return vectors.map((vector) => ({ vector: { of: embedder.id, data: packed(vector) } }))
}
