import { OrraError } from "@orra/core"

/** Why a document was not taken. Stable: match on these. What does not exist is core's NotFound. */
export type DocumentErrorCode =
  /** No text in it, such as a PDF of pictures. */
  | "document_empty"
  /** More bytes or characters than are taken; `details.limit` says how many are. */
  | "document_too_large"
  /** A PDF that asks for a password. */
  | "document_encrypted"
  /** Not text, HTML or PDF. */
  | "document_unsupported"
  /** A file that cannot be read: not there, no permission, a broken PDF. */
  | "document_unreadable"
  /** Its id, title or metadata is not as it must be, or belongs to a file of another folder. */
  | "document_invalid"

export class DocumentError extends OrraError {
  declare readonly code: DocumentErrorCode

  constructor(
    code: DocumentErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(code, message, details, cause)
  }
}
