import { bestFirst, type FindOptions, type SearchHit } from "./top.ts"

/** How little the first places count more than the next. The value of the paper. */
const K = 60

/**
 * One list from several that are each best first, whatever their scores mean: what is high in many comes first. With
 * `group` what counts is where a group stands, and its highest member stands for it.
 * Source: Cormack, Clarke, Büttcher, "Reciprocal Rank Fusion", SIGIR 2009.
 */
export function reciprocalRankFusion(
  lists: readonly (readonly Pick<SearchHit, "id">[])[],
  { limit = 10, group = (id) => id }: Pick<FindOptions, "limit" | "group"> = {},
): readonly SearchHit[] {
  const fused = new Map<string, { readonly id: string; readonly rank: number; readonly score: number }>()
  for (const list of lists) {
    for (const [rank, { id }] of list.entries()) {
      const key = group(id)
      const other = fused.get(key)
      const first = other && other.rank <= rank ? other : { id, rank }
      fused.set(key, { ...first, score: (other?.score ?? 0) + 1 / (K + rank + 1) })
    }
  }
  return Array.from(fused.values(), ({ id, score }) => ({ id, score }))
    .sort(bestFirst)
    .slice(0, limit)
}
