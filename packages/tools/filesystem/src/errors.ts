import { OrraError } from "@orra/core"

/** Why a file could not be had or changed. Stable: match on these. */
export type FilesystemErrorCode =
  /** No path: NUL, half a character, too long, another system's form. */
  | "path_invalid"
  /** It leads out of the folder the tools stay in. */
  | "path_outside"
  /** A pattern keeps it from being read and changed: keys, passwords, version control's own files. */
  | "path_protected"
  /** There is no such file or folder. */
  | "path_missing"
  /** A folder where a file is meant, a file where a folder is, a device, a pipe, a socket. */
  | "path_kind"
  /** It was changed, replaced or moved since it was read, or while it was looked at. Nothing was written. */
  | "path_changed"
  /** The system does not let this process. */
  | "access_denied"
  /** Larger than the limit. */
  | "file_too_large"
  /** Not text, and no picture that models take. */
  | "content_unsupported"
  /** The text to be replaced is not there, or is empty. */
  | "edit_not_found"
  /** The text to be replaced is there more than once. */
  | "edit_ambiguous"
  /** Not a regular expression or a glob. */
  | "pattern_invalid"
  /** The session's working directory is not one. */
  | "working_directory_invalid"
  /** A full disk, a broken one, too many open files. */
  | "io_failed"

/** A file that could not be had or changed. The message says what the model can do. */
export class FilesystemError extends OrraError {
  declare readonly code: FilesystemErrorCode

  constructor(
    code: FilesystemErrorCode,
    message: string,
    details: Readonly<Record<string, unknown>> = {},
    cause?: unknown,
  ) {
    super(code, message, details, cause)
  }
}

/** The system's name of what went wrong, such as ENOENT; undefined for what is no error of the system. */
export const errnoOf = (error: unknown): string | undefined =>
  error instanceof Error && "syscall" in error && "code" in error ? String(error.code) : undefined

/** What the system said about `path`, in words for the model. What is no error of the system comes back as it is. */
export function inWords(error: unknown, path: string): unknown {
  const errno = errnoOf(error)
  if (error instanceof FilesystemError || errno === undefined) return error
  const [code, message] = WORDS[errno] ?? ["io_failed", `failed with ${errno}. Try again, or tell the user.`]
  return new FilesystemError(code, `${path} ${message}`, { path, errno }, error)
}

const CHANGED = [
  "path_changed",
  "was changed while it was looked at. Nothing was written: try again.",
] as const
const FULL = ["io_failed", "was not written: there is no space left. Tell the user."] as const

const WORDS: Readonly<Record<string, readonly [FilesystemErrorCode, string]>> = {
  ENOENT: ["path_missing", "does not exist. list_dir and search show what does."],
  ENOTDIR: ["path_kind", "is not a folder, or leads through a file."],
  EISDIR: ["path_kind", "is a folder: use list_dir."],
  ELOOP: CHANGED,
  ESTALE: CHANGED,
  EEXIST: CHANGED,
  EACCES: ["access_denied", "may not be opened by this process. Try something else, or tell the user."],
  EPERM: ["access_denied", "may not be changed by this process. Try something else, or tell the user."],
  EROFS: ["access_denied", "is on a disk that cannot be written to."],
  ENAMETOOLONG: ["path_invalid", "is too long: a name has at most 255 bytes."],
  EINVAL: ["path_invalid", "is no name that this file system takes."],
  EILSEQ: ["path_invalid", "is no name that this file system takes."],
  ENXIO: ["path_kind", "is a pipe or a device: only files can be opened."],
  ENOSPC: FULL,
  EDQUOT: FULL,
}
