import { basename } from "node:path"
import { OrraError, StoreError } from "@orra/core"

/** The file system's error as a StoreError. The message names the file only: whoever chats must not be shown a path. */
export function storeError(path: string, error: unknown): OrraError {
  if (error instanceof OrraError) return error
  const name = basename(path)
  const reason = error instanceof Error ? error.message : String(error)
  const [code, message] = explained(error, name)
  return new StoreError(code, message, { path, reason }, error)
}

/** True for an error that says that the file is not there. */
export const isMissing = (error: unknown): boolean => codeOf(error) === "ENOENT"

const codeOf = (error: unknown): unknown =>
  error instanceof Error && "code" in error ? error.code : undefined

function explained(error: unknown, name: string): readonly [code: string, message: string] {
  switch (codeOf(error)) {
    case "ENOSPC":
    case "EDQUOT":
      return [
        "store_full",
        `There is no space left to write "${name}". Nothing was written: make room and try again.`,
      ]
    case "EACCES":
    case "EPERM":
    case "EROFS":
    case "ENOTDIR":
    case "EISDIR":
      return [
        "store_not_writable",
        `"${name}" cannot be written: check that its folder belongs to this user and is not read-only.`,
      ]
    case "EMFILE":
    case "ENFILE":
      return ["store_failed", `"${name}" could not be opened: this process has too many files open.`]
    default:
      return ["store_failed", `"${name}" could not be read or written.`]
  }
}
