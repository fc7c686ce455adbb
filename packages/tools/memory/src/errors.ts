import { OrraError } from "@orra/core"

/** Why something could not be remembered, recalled, changed or undone. Stable: match on these. */
export type MemoryErrorCode =
  /** There is no text in it that anybody could read. */
  | "memory_empty"
  /** The text, or the query, is longer than allowed. */
  | "memory_too_long"
  /** Too many tags, or one that is empty or too long. */
  | "memory_tags_invalid"
  /** An expiry that is no time, or not in the future. */
  | "memory_expiry_invalid"
  /** Nothing that says where it comes from. */
  | "memory_source_invalid"
  /** The namespace has as many memories as it may. */
  | "memory_full"
  /** Another memory of the namespace says the same. */
  | "memory_exists"
  /** It was changed after what is to be undone. */
  | "memory_changed"
  /** Too long ago, or forgotten for good. */
  | "memory_undo_expired"
  /** A namespace that the session may not use. */
  | "memory_namespace_refused"
  /** There is no embedder to search by meaning with. */
  | "memory_no_embedder"
  /** A limit, a mode or another option that is none. */
  | "memory_option_invalid"

/** A memory that could not be had or made. The message says what to do; it never repeats what was remembered. */
export class MemoryError extends OrraError {
  declare readonly code: MemoryErrorCode

  constructor(code: MemoryErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(code, message, details)
  }
}
