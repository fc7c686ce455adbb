import { OrraError } from "@orra/core"
import { type Embedder, embedAll } from "./embedder.ts"
import { reciprocalRankFusion } from "./fusion.ts"
import type { SearchIndex } from "./search-index.ts"
import type { FindOptions, SearchHit } from "./top.ts"
import type { VectorIndex } from "./vector-index.ts"

/** By words, by meaning, or by both. */
export type SearchMode = "keyword" | "vector" | "hybrid"

export interface HybridOptions extends FindOptions {
  /** An index, or whatever answers for several of them. */
  readonly keywords: Pick<SearchIndex, "search">
  readonly vectors: Pick<VectorIndex, "search" | "size" | "dimensions">
  readonly embedder?: Embedder | undefined
  /** Default `hybrid`; without an embedder or vectors it is always `keyword`. */
  readonly mode?: SearchMode
  readonly signal?: AbortSignal | undefined
}

export interface HybridResult {
  readonly hits: readonly SearchHit[]
  /** How it was searched in the end. */
  readonly mode: SearchMode
  /** Why it was not searched by meaning although it should have been: the embedder failed. Tell whoever reads the hits. */
  readonly failure?: OrraError
}

/** Of each list so many at least take part in the fusion: what is tenth in both may be first together. */
const MIN_CANDIDATES = 50

/**
 * What is found by words and by meaning, as one list. An embedder that fails costs the search by meaning and nothing
 * else: the search by words answers, and `failure` says so.
 *
 * @throws what the signal says when it fires.
 */
export async function hybridSearch(query: string, options: HybridOptions): Promise<HybridResult> {
  const { keywords, vectors, embedder, mode = "hybrid", limit = 10, signal, ...rest } = options
  const byWords = (most: number): readonly SearchHit[] => keywords.search(query, { ...rest, limit: most })
  if (mode === "keyword" || !embedder || vectors.size === 0) return { hits: byWords(limit), mode: "keyword" }
  try {
    const { dimensions } = vectors
    const [vector = []] = await embedAll(embedder, [query], { purpose: "query", signal, dimensions })
    if (mode === "vector") return { hits: vectors.search(vector, { ...rest, limit }), mode }
    const most = Math.max(limit * 2, MIN_CANDIDATES)
    const lists = [byWords(most), vectors.search(vector, { ...rest, limit: most })]
    return { hits: reciprocalRankFusion(lists, { ...rest, limit }), mode }
  } catch (error) {
    signal?.throwIfAborted()
    if (!(error instanceof OrraError)) throw error
    return { hits: byWords(limit), mode: "keyword", failure: error }
  }
}
