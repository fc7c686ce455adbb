import type { Namespace } from "@orra/core"
import type { Item } from "./ledger.ts"
import { isExpired } from "./memory.ts"
import type { Parts } from "./parts.ts"

/** How many expired memories are removed in one write. */
const AT_ONCE = 50
const PAGE = 500

/** What `Memories.purge` does. */
export async function purge({ ledger, now }: Parts, namespace: Namespace): Promise<number> {
  const time = await now()
  const ids: string[] = []
  let cursor: string | undefined
  do {
    const page = await ledger.page(namespace, { limit: PAGE, ...(cursor !== undefined && { cursor }) })
    for (const [id, kept] of page.items) if (isExpired(kept, time)) ids.push(id)
    cursor = page.cursor
  } while (cursor !== undefined)
  let removed = 0
  for (let at = 0; at < ids.length; at += AT_ONCE) {
    let items: readonly Item[] = []
    await ledger.commit(namespace, async (when) => {
      const found = await Promise.all(
        ids.slice(at, at + AT_ONCE).map(async (id) => ({ id, before: await ledger.get(namespace, id) })),
      )
      items = found.filter(({ before }) => before && isExpired(before, when))
      return { type: "expire", items }
    })
    removed += items.length
  }
  await ledger.sweep(namespace)
  return removed
}
