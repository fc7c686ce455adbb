import { basename } from "node:path"
import { OrraError, StoreError } from "@orra/core"

/** SQLite's primary result codes; an extended code keeps its primary one in the low byte. */
const BUSY = 5
const LOCKED = 6
const READONLY = 8
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const NOT_A_DATABASE = 26

/** The code of a StoreError thrown by this package, and what a person can do about it. */
const ADVICE = {
  store_not_writable: (name: string) =>
    `"${name}" cannot be written: check that its directory exists, belongs to this user and is not read-only.`,
  store_full: (name: string) =>
    `There is no space left to write "${name}". Nothing was written: make room and try again.`,
  store_corrupt: (name: string) =>
    `"${name}" is damaged or not a database. Stop all programs that use it, keep a copy, and restore a snapshot.`,
  store_locked: (name: string) =>
    `Another program has locked "${name}". Close it, or wait until it is done, and try again.`,
  store_failed: (name: string) => `"${name}" could not be read or written.`,
} as const

type StoreErrorCode = keyof typeof ADVICE

/**
 * The error of SQLite or the file system as a StoreError; an OrraError is already one. `name` is what the message
 * calls the file: whoever opens it needs its path, and whoever chats must not be shown it.
 */
export function storeError(path: string, name: string, error: unknown): OrraError {
  if (error instanceof OrraError) return error
  const code = codeOf(error)
  const reason = error instanceof Error ? error.message : String(error)
  const message = code === "store_failed" ? `${ADVICE[code](name)} ${reason}` : ADVICE[code](name)
  return new StoreError(code, message, { path, reason }, error)
}

export const notWritable = (path: string, reason: string): StoreError =>
  new StoreError("store_not_writable", ADVICE.store_not_writable(path), { path, reason })

export const locked = (path: string): StoreError =>
  new StoreError("store_locked", ADVICE.store_locked(basename(path)), { path })

export const isLocked = (error: unknown): boolean =>
  error instanceof StoreError && error.code === "store_locked"

/** A row that this package wrote and that cannot be read any more. */
export class CorruptRow extends Error {}

function codeOf(error: unknown): StoreErrorCode {
  if (error instanceof CorruptRow) return "store_corrupt"
  if (!(error instanceof Error)) return "store_failed"
  if ("errcode" in error && typeof error.errcode === "number") return sqliteCode(error.errcode & 0xff)
  switch ("code" in error ? error.code : undefined) {
    case "EACCES":
    case "EPERM":
    case "EROFS":
    case "ENOTDIR":
    case "EISDIR":
    case "EEXIST":
    case "ENOENT":
      return "store_not_writable"
    case "ENOSPC":
    case "EDQUOT":
      return "store_full"
    default:
      return "store_failed"
  }
}

function sqliteCode(primary: number): StoreErrorCode {
  switch (primary) {
    case BUSY:
    case LOCKED:
      return "store_locked"
    case READONLY:
    case CANTOPEN:
      return "store_not_writable"
    case CORRUPT:
    case NOT_A_DATABASE:
      return "store_corrupt"
    case FULL:
      return "store_full"
    default:
      return "store_failed"
  }
}
