/**
 * Every error Orra throws on purpose. `code` is stable across releases: match on it, never on the message.
 * The message says what to do; `details` holds the facts, never a secret.
 */
export class OrraError extends Error {
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    code: string,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.code = code
    this.details = details
  }
}

/** A namespace that cannot be one: empty, too deep, too long, or with text that has no UTF-8 form. */
export class NamespaceError extends OrraError {
  constructor(message: string, details: Readonly<Record<string, unknown>> = {}) {
    super("namespace_invalid", message, details)
  }
}

/** The log, or the record, moved on since it was read: read it again and decide again. Nothing was written. */
export class VersionConflict extends OrraError {
  readonly expected: number
  readonly actual: number

  constructor(expected: number, actual: number) {
    super(
      "version_conflict",
      `What is stored is at version ${actual}, not ${expected}: read what is new and try again.`,
      {
        expected,
        actual,
      },
    )
    this.expected = expected
    this.actual = actual
  }
}

/** The lease expired or another writer holds a newer one. Nothing was written; stop writing. */
export class LeaseLost extends OrraError {
  constructor(key: string) {
    super("lease_lost", "Another process took over this session: this run stops without writing.", { key })
  }
}

/** Someone else is running this session and the caller asked not to wait. */
export class SessionBusy extends OrraError {
  constructor(message = "This session answers another message: wait, stop it, or queue yours.") {
    super("session_busy", message)
  }
}

/** The id names nothing in this namespace. Also the answer for what exists in someone else's. */
export class NotFound extends OrraError {
  constructor(what: string) {
    super("not_found", `No such ${what}.`)
  }
}

/** The store could not read or write: a full disk, a read-only directory, a newer format. */
export class StoreError extends OrraError {}

/**
 * What a store threw. Of an error that is not ours nobody knows whether the write took effect: taken for anything but a
 * failure of the store, the run would go on and write its end twice.
 */
export const asStoreError = (error: unknown): OrraError =>
  error instanceof OrraError
    ? error
    : new StoreError("store_failed", "The store failed: its own message is the cause.", {}, error)

/** Input that breaks the documented shape. */
export class InvalidInput extends OrraError {
  constructor(message: string, details: Readonly<Record<string, unknown>> = {}) {
    super("invalid_input", message, details)
  }
}

/** The text of anything thrown, for a person: never a stack. */
export function errorMessage(error: unknown): string {
  try {
    if (error instanceof Error) return String(error.message || error.name)
    return String(error)
  } catch {
    return "Something was thrown that has no text."
  }
}

/** Whoever is told of errors must not make new ones. */
export const unfailing =
  (onError: (error: unknown) => void) =>
  (error: unknown): void => {
    try {
      onError(error)
    } catch {
      // There is nobody left to tell.
    }
  }
