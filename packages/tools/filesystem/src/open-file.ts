import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  openSync,
  read,
  readdirSync,
  readlinkSync,
  realpathSync,
  type Stats,
} from "node:fs"
import { basename, dirname, join } from "node:path"
import { promisify } from "node:util"
import type { Directory } from "./directory.ts"
import { FilesystemError } from "./errors.ts"
import { folded } from "./protect.ts"
import { legible, type Place, protectedError, type Sandbox } from "./sandbox.ts"

/** A file that is open for reading, and known to be the one that was meant. */
export interface OpenFile {
  readonly fd: number
  readonly stat: BigIntStats
}

// A pipe or a terminal that takes the file's place must neither block nor become the process's own.
const FLAGS =
  constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0)

/**
 * Opens a file in a held folder and gives it to `work`. Never a link, and nothing but a file: a device can do something
 * when it is opened, so that what it is is asked before and after.
 */
export async function withFile<T>(
  sandbox: Sandbox,
  place: Place,
  work: (file: OpenFile) => Promise<T>,
): Promise<T> {
  const { name, stat, shown } = place
  if (name === undefined) throw isFolder(shown)
  if (!stat) throw missing(place, name)
  assertFile(stat, shown)
  const file = openFile(sandbox, place, name)
  if (file === undefined) throw notFile(shown)
  try {
    return await work(file)
  } finally {
    closeSync(file.fd)
  }
}

/** One whose name the model gave: the disk may spell it another way, which protection has to know. */
function openFile(sandbox: Sandbox, { directory, way }: Place, name: string): OpenFile | undefined {
  const file = openEntry(directory, name)
  if (!file) return undefined
  try {
    const path =
      sandbox.holding === "descriptor"
        ? readlinkSync(`/proc/self/fd/${file.fd}`)
        : realpathSync.native(join(directory.path, name))
    if (dirname(path) !== directory.path) throw changed(name)
    if (basename(path) !== name && sandbox.protection.entry(path, way[0]?.path ?? directory.path))
      throw protectedError(name)
    return file
  } catch (error) {
    closeSync(file.fd)
    throw error
  }
}

/** One whose name the disk gave. Undefined for what is no file. @throws the system's errors. */
export function openEntry(directory: Directory, name: string): OpenFile | undefined {
  const fd = openSync(directory.at(name), FLAGS)
  let isGiven = false
  try {
    const stat = fstatSync(fd, { bigint: true })
    directory.assertHolds(name, stat)
    isGiven = stat.isFile()
    return isGiven ? { fd, stat } : undefined
  } finally {
    if (!isGiven) closeSync(fd)
  }
}

/** @throws FilesystemError (`path_kind`) unless it is a file. */
function assertFile(stat: Stats, shown: string): void {
  if (stat.isDirectory()) throw isFolder(shown)
  if (!stat.isFile()) throw notFile(shown)
}

/** A name may be there in another case or Unicode form: to find it is the model's turn, never to guess ours. */
function missing({ directory, shown }: Place, name: string): FilesystemError {
  const alike = readdirSync(directory.self).find((other) => folded(other) === folded(name))
  const hint =
    alike === undefined
      ? "list_dir and search show what does."
      : `There is ${legible(alike)}, which is spelt another way.`
  return new FilesystemError("path_missing", `${shown} does not exist. ${hint}`, { path: shown })
}

const isFolder = (path: string): FilesystemError =>
  new FilesystemError("path_kind", `${path} is a folder: use list_dir.`, { path })

const notFile = (path: string): FilesystemError =>
  new FilesystemError("path_kind", `${path} is a device, a pipe or a socket: only files can be opened.`, {
    path,
  })

const changed = (name: string): FilesystemError =>
  new FilesystemError(
    "path_changed",
    `${name} was moved or replaced meanwhile. Nothing was written: try again.`,
    { name },
  )

/** `read(fd, buffer, offset, length, position)` */
export const readInto = promisify(read)

/** The whole of a file, which is at most `limit` bytes. */
export async function readWhole(
  { fd }: OpenFile,
  limit: number,
  shown: string,
  signal: AbortSignal,
): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for (;;) {
    signal.throwIfAborted()
    const { bytesRead, buffer } = await readInto(fd, Buffer.allocUnsafe(CHUNK), 0, CHUNK, length)
    if (bytesRead === 0) return Buffer.concat(chunks, length)
    chunks.push(buffer.subarray(0, bytesRead))
    length += bytesRead
    if (length > limit) throw tooLarge(shown, limit)
  }
}

const CHUNK = 256 * 1_024

export const tooLarge = (shown: string, limit: number): FilesystemError =>
  new FilesystemError("file_too_large", `${shown} is larger than ${limit} bytes.`, { path: shown, limit })

/** A state of a file: another one is another state. */
export const signature = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`
