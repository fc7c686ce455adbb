import { randomBytes } from "node:crypto"
import {
  accessSync,
  type BigIntStats,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsync,
  linkSync,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  unlinkSync,
  write,
} from "node:fs"
import { promisify } from "node:util"
import type { Directory } from "./directory.ts"
import { errnoOf, FilesystemError } from "./errors.ts"
import { signature } from "./open-file.ts"

/** What a file is called until it is whole. Neither listed nor found. */
export const isTemporary = (name: string): boolean => /^\.orra-[0-9a-f]{24}\.tmp$/.test(name)

/** What a process that died left behind is nobody's after this long, in ms. */
const STALE = 3_600_000

const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | (constants.O_NOFOLLOW ?? 0)

/**
 * Puts `bytes` in the place of a file, or where there is none: whoever looks finds the old file or the new one, whole,
 * also after a crash. The new one has the mode and, where the system lets this process, the owner of the old one; it is
 * another file, so that other hard links to the old one keep what they had.
 *
 * @param before the file as it was read; undefined to make a new one.
 * @returns its signature.
 * @throws FilesystemError (`path_changed`) when by now something else is there, and the system's errors.
 */
export async function writeAtomically(
  directory: Directory,
  name: string,
  bytes: Buffer,
  before: BigIntStats | undefined,
  signal: AbortSignal,
): Promise<string> {
  // The rename would replace what this process may not write to.
  if (before) accessSync(directory.at(name), constants.W_OK)
  removeStale(directory)
  const temporary = `.orra-${randomBytes(12).toString("hex")}.tmp`
  const fd = openSync(directory.at(temporary), FLAGS, before ? 0o600 : 0o666)
  let isThere = true
  try {
    // Before a byte is in it: where folders are held by their path, this one may have been replaced by a link.
    directory.assertHolds(temporary, fstatSync(fd, { bigint: true }))
    await writeAll(fd, bytes, signal)
    if (before) keepModeAndOwner(fd, before)
    await promisify(fsync)(fd)
    signal.throwIfAborted()
    directory.check()
    if (before) {
      assertSame(directory, name, before)
      renameSync(directory.at(temporary), directory.at(name))
    } else place(directory, temporary, name)
    isThere = false
    directory.sync()
    return signature(fstatSync(fd, { bigint: true }))
  } finally {
    if (isThere) remove(directory, temporary)
    closeSync(fd)
  }
}

async function writeAll(fd: number, bytes: Buffer, signal: AbortSignal): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    signal.throwIfAborted()
    const { bytesWritten } = await promisify(write)(fd, bytes, done, bytes.length - done, done)
    done += bytesWritten
  }
}

function keepModeAndOwner(fd: number, { mode, uid, gid }: BigIntStats): void {
  const own = fstatSync(fd)
  if (own.uid !== Number(uid) || own.gid !== Number(gid)) {
    try {
      fchownSync(fd, Number(uid), Number(gid))
    } catch (error) {
      // Only root gives files away: then the new file is this process's own.
      if (errnoOf(error) !== "EPERM") throw error
    }
  }
  // After the owner: a change of owner takes bits away. Never one that lends rights.
  fchmodSync(fd, Number(mode) & 0o777)
}

function assertSame(directory: Directory, name: string, before: BigIntStats): void {
  const now = lstatSync(directory.at(name), { bigint: true, throwIfNoEntry: false })
  if (!now || signature(now) !== signature(before)) throw changedMeanwhile(name)
}

/** A link is made only where nothing is; disks that have no links take the rename. */
function place(directory: Directory, temporary: string, name: string): void {
  try {
    linkSync(directory.at(temporary), directory.at(name))
    remove(directory, temporary)
  } catch (error) {
    const errno = errnoOf(error)
    if (errno === "EEXIST") throw changedMeanwhile(name)
    if (errno !== "EPERM" && errno !== "ENOTSUP" && errno !== "EOPNOTSUPP" && errno !== "ENOSYS") throw error
    if (lstatSync(directory.at(name), { throwIfNoEntry: false })) throw changedMeanwhile(name)
    renameSync(directory.at(temporary), directory.at(name))
  }
}

function remove(directory: Directory, name: string): void {
  try {
    unlinkSync(directory.at(name))
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error
  }
}

function removeStale(directory: Directory): void {
  for (const name of readdirSync(directory.self).filter(isTemporary)) {
    const stat = lstatSync(directory.at(name), { throwIfNoEntry: false })
    if (stat && Date.now() - stat.mtimeMs > STALE) remove(directory, name)
  }
}

const changedMeanwhile = (name: string): FilesystemError =>
  new FilesystemError(
    "path_changed",
    `${name} was changed by somebody else meanwhile. Nothing was written: read it again, then decide.`,
    { name },
  )
