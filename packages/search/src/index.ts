export { batches } from "./batches.ts"
export { type Embedder, type EmbedOptions, embedAll } from "./embedder.ts"
export { EmbeddingError, type EmbeddingErrorCode } from "./errors.ts"
export { reciprocalRankFusion } from "./fusion.ts"
export { type EmbedderOptions, embedder } from "./http-embedder.ts"
export { type HybridOptions, type HybridResult, hybridSearch, type SearchMode } from "./hybrid.ts"
export {
  SearchIndex,
  type SearchIndexOptions,
  type TextFindOptions,
  type WeightedText,
} from "./search-index.ts"
export { terms } from "./terms.ts"
export type { FindOptions, SearchHit } from "./top.ts"
export { VectorIndex } from "./vector-index.ts"
