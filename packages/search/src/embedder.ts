import { errorMessage, OrraError } from "@orra/core"
import { EmbeddingError } from "./errors.ts"

export interface EmbedOptions {
  /** Many models want to know whether a text is to be found or is what is looked for. Default "document". */
  readonly purpose?: "document" | "query"
  readonly signal?: AbortSignal | undefined
  /** Told how many tokens the service has counted, after each request, where it says so. */
  readonly onUsage?: (tokens: number) => void
}

/** What turns texts into vectors that are near each other when the texts mean the same. */
export interface Embedder {
  /** Names what made a vector: only vectors of the same name are compared. It is stored beside them. */
  readonly id: string
  /** One vector for each text, in their order. */
  embed(texts: readonly string[], options?: EmbedOptions): Promise<readonly ArrayLike<number>[]>
}

/**
 * The vectors of an embedder, checked: one for each text, all of the same length, only numbers.
 *
 * @throws OrraError: EmbeddingError, or the embedder's own, such as a ProviderError when its service is down; what the
 *   signal says when it fires.
 */
export async function embedAll(
  embedder: Embedder,
  texts: readonly string[],
  options: EmbedOptions & { readonly dimensions?: number | undefined } = {},
): Promise<readonly Float32Array[]> {
  options.signal?.throwIfAborted()
  if (texts.length === 0) return []
  const vectors = await embedder.embed(texts, options).catch((error: unknown) => {
    options.signal?.throwIfAborted()
    throw error instanceof OrraError
      ? error
      : new EmbeddingError("embedding_failed", errorMessage(error), {}, error)
  })
  if (vectors.length !== texts.length) {
    throw new EmbeddingError(
      "embedding_invalid",
      `${embedder.id} gave ${vectors.length} vectors for ${texts.length} texts.`,
    )
  }
  const dimensions = options.dimensions ?? vectors[0]?.length ?? 0
  return vectors.map((vector) => {
    if (vector.length !== dimensions) {
      throw new EmbeddingError(
        "embedding_dimension",
        `${embedder.id} gave a vector of ${vector.length} numbers where ${dimensions} were expected: embed everything anew with one model.`,
        { expected: dimensions, actual: vector.length },
      )
    }
    const numbers = Float32Array.from(vector)
    if (dimensions === 0 || !numbers.every(Number.isFinite))
      throw new EmbeddingError("embedding_invalid", `${embedder.id} gave a vector that is not one.`)
    return numbers
  })
}
