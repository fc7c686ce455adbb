import { OrraError } from "@orra/core"

/** What is wrong with a vector. Stable: match on these. A service that fails throws core's ProviderError. */
export type EmbeddingErrorCode =
  /** Not as many numbers as those it is compared with. */
  | "embedding_dimension"
  /** Not a vector: none for some text, or with something in it that is not a number. */
  | "embedding_invalid"
  /** The embedder threw something that is no OrraError: its message, and the rest as the cause. */
  | "embedding_failed"

export class EmbeddingError extends OrraError {
  declare readonly code: EmbeddingErrorCode

  constructor(
    code: EmbeddingErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(code, message, details, cause)
  }
}
