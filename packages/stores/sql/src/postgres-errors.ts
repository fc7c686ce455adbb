import { OrraError, StoreError } from "@orra/core"
import { CorruptRow } from "./errors.ts"

/** The commit was sent and its answer never came. */
export class Unanswered extends Error {}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : ""

/** An answer of the server, which has then undone what there was to undo; else the connection is of no use any more. */
export const isAnswer = (error: unknown): boolean => {
  const code = codeOf(error)
  // "EPIPE" has five letters as well, but no digit.
  return /^(?=.*\d)[0-9A-Z]{5}$/.test(code) && !/^(08|57P)/.test(code)
}

/** A serialisation failure, a deadlock, a server that starts, stops or is not there: nothing was written. */
export function mayRepeat(error: unknown): boolean {
  if (error instanceof OrraError || error instanceof Unanswered || error instanceof CorruptRow) return false
  const code = codeOf(error)
  return !isAnswer(error) || code === "40001" || code === "40P01" || code === "53300"
}

/** What PostgreSQL said, as an error of ours. Its own text stays out of the message: it may quote what was written. */
export function storeError(error: unknown): OrraError {
  if (error instanceof OrraError) return error
  const code = codeOf(error)
  const [name, message] = explained(error, code)
  return new StoreError(name, message, { ...(code && { reason: code }) }, error)
}

function explained(error: unknown, code: string): readonly [code: string, message: string] {
  if (error instanceof CorruptRow) {
    return ["store_corrupt", "The database holds a row that was not written here: restore a backup."]
  }
  if (error instanceof Unanswered) {
    return [
      "store_unknown",
      "The connection to the database broke while something was written. Whether it was is not known: read it again.",
    ]
  }
  if (/^(28|3D)/.test(code) || code === "42501") {
    return [
      "store_not_writable",
      "The database refuses this user: check user, password, database and rights in its URL.",
    ]
  }
  if (code === "53100" || code === "53200") {
    return ["store_full", "The database has no space left. Nothing was written: make room and try again."]
  }
  if (code === "25006") {
    return ["store_not_writable", "The database is read-only: connect to the server that takes writes."]
  }
  if (!isAnswer(error)) {
    return [
      "store_unavailable",
      "The database cannot be reached. Nothing was written: check that it runs, and the address in its URL.",
    ]
  }
  return ["store_failed", `The database refused (SQLSTATE ${code}).`]
}
