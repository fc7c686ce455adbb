import { bestFirst, type SearchHit } from "./top.ts"

/** How little the first places count more than the next. The value of the paper. */
const K = 60

/**
 * One list from several that are each best first, whatever their scores mean: what is high in many comes first.
 * Source: Cormack, Clarke, Büttcher, "Reciprocal Rank Fusion", SIGIR 2009.
 */
export function reciprocalRankFusion(
  lists: readonly (readonly Pick<SearchHit, "id">[])[],
  { limit = 10 }: { readonly limit?: number } = {},
): readonly SearchHit[] {
  const scores = new Map<string, number>()
  for (const list of lists)
    for (const [rank, { id }] of list.entries()) scores.set(id, (scores.get(id) ?? 0) + 1 / (K + rank + 1))
  return Array.from(scores, ([id, score]) => ({ id, score }))
    .sort(bestFirst)
    .slice(0, limit)
}
