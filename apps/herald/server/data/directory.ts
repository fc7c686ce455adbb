import {
  accessSync,
  chmodSync,
  constants,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { errorMessage, OrraError } from "@orra/core"
import { finishRestore } from "./restore.ts"

/** The data directory, ours until `release`. */
export interface DataDirectory {
  readonly path: string
  readonly database: string
  release(): void
}

/**
 * Makes the directory if need be, for this user only, and takes it for this process.
 *
 * The lock is the operating system's, on `herald.lock`: it ends with the process however that ends, so there is no
 * stale one to recognise. `herald.pid` is only there to tell people who holds it.
 *
 * @throws OrraError `data_dir_not_writable`, `data_dir_full`, `data_dir_in_use`.
 */
export function openDataDirectory(path: string): DataDirectory {
  const pidFile = join(path, "herald.pid")
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
    if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o700)
  } catch (error) {
    throw directoryError(path, error)
  }
  const lock = takeLock(path, pidFile)
  try {
    finishRestore(path)
    writeFileSync(pidFile, `${process.pid}\n`, { mode: 0o600 })
  } catch (error) {
    lock.close()
    throw directoryError(path, error)
  }
  return {
    path,
    database: join(path, "herald.db"),
    release() {
      rmSync(pidFile, { force: true })
      lock.close()
    },
  }
}

function takeLock(path: string, pidFile: string): DatabaseSync {
  let lock: DatabaseSync | undefined
  try {
    lock = new DatabaseSync(join(path, "herald.lock"))
    lock.exec("BEGIN EXCLUSIVE")
    return lock
  } catch (error) {
    lock?.close()
    const BUSY = 5
    if (((error as { errcode?: number }).errcode ?? 0) % 256 !== BUSY) throw directoryError(path, error)
    const pid = readPid(pidFile)
    throw new OrraError(
      "data_dir_in_use",
      `Another Herald${pid === undefined ? "" : ` (process ${pid})`} is using ${path}: stop it, or give this one its own directory with --data-dir.`,
      { path, pid },
    )
  }
}

function readPid(file: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(file, "utf8"), 10) || undefined
  } catch {
    return undefined
  }
}

function directoryError(path: string, error: unknown): OrraError {
  const { code, errcode = 0 } = error as NodeJS.ErrnoException & { errcode?: number }
  const FULL = 13
  if (code === "ENOSPC" || code === "EDQUOT" || errcode % 256 === FULL) {
    return new OrraError(
      "data_dir_full",
      `There is no space left for the data directory ${path}: make room.`,
      { path },
      error,
    )
  }
  return new OrraError(
    "data_dir_not_writable",
    `The data directory ${path} cannot be used (${code ?? errorMessage(error)}): make it writable for this user, or choose another with --data-dir.`,
    { path },
    error,
  )
}
