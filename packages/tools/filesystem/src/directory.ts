import {
  type BigIntStats,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  realpathSync,
} from "node:fs"
import { dirname, join } from "node:path"
import { errnoOf, FilesystemError } from "./errors.ts"

/**
 * A folder that is held. What is done to `at(name)` is done in this very folder, wherever its path leads by then: one
 * that is replaced by a link while a tool works leads nowhere else.
 *
 * On Linux that is the kernel's promise (a path below `/proc/self/fd` is what `openat` is elsewhere). Other systems give
 * Node no such thing: there the folder is looked at before and after, and what was opened in between is compared. Whoever
 * swaps folders in the microsecond of a rename can still have a new file put elsewhere.
 */
export interface Directory {
  /** Where it really is: absolute, without links, in the spelling of the disk. */
  readonly path: string
  /** How `node:fs` reaches one of its names. */
  at(name: string): string
  /** How `node:fs` reaches the folder itself. */
  readonly self: string
  /** @throws FilesystemError (`path_changed`) when it is no longer where it was. */
  check(): void
  /** @throws FilesystemError (`path_changed`) unless what was just opened as `at(name)` is in this folder. */
  assertHolds(name: string, file: BigIntStats): void
  /** Makes what was renamed in it last, where the system can. */
  sync(): void
  close(): void
}

/** How folders are held: by descriptor, or by looking twice. */
export type Holding = "descriptor" | "path"

export const systemHolding = (): Holding =>
  process.platform === "linux" && existsSync("/proc/self/fd") ? "descriptor" : "path"

/** Opens a folder by a path that is trusted, such as the sandbox's own. */
export function openRoot(path: string, holding: Holding): Directory {
  const real = realpathSync.native(path)
  return holding === "descriptor" ? held(real) : watched(real)
}

/**
 * Opens a folder in a held one. Never follows a link.
 *
 * @throws the system's ENOTDIR or ELOOP for what is no folder; FilesystemError (`path_changed`) for one that is elsewhere.
 */
export function openChild(parent: Directory, name: string, holding: Holding): Directory {
  const child = holding === "descriptor" ? held(parent.at(name)) : watched(realChild(parent, name))
  try {
    if (dirname(child.path) !== parent.path) throw changed(join(parent.path, name))
    if (holding === "path") parent.check()
    return child
  } catch (error) {
    child.close()
    throw error
  }
}

function held(at: string): Directory {
  const fd = openSync(at, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  const self = `/proc/self/fd/${fd}`
  const path = readlinkSync(self)
  return {
    path,
    self,
    at: (name) => `${self}/${name}`,
    check() {
      if (readlinkSync(self) !== path) throw changed(path)
    },
    // It was opened through the descriptor.
    assertHolds() {},
    sync: () => fsyncSync(fd),
    close: () => closeSync(fd),
  }
}

/** The path of a child as the disk spells it; a link is not followed. */
function realChild(parent: Directory, name: string): string {
  const path = parent.at(name)
  if (!lstatSync(path).isDirectory())
    throw Object.assign(new Error(path), { code: "ENOTDIR", syscall: "open" })
  return realpathSync.native(path)
}

/**
 * How often a folder held by its path and a file in it are looked at in turn. One look at each proves nothing: whoever puts
 * another folder in its place and takes it away again may be quicker. To pass, it has to be so with every pair of looks.
 */
const LOOKS = 8

function watched(path: string): Directory {
  const before = lstatSync(path, { bigint: true })
  /** Whether a path leads to the file or folder that it led to. */
  const leadsTo = (at: string, to: BigIntStats): boolean => {
    const now = lstatSync(at, { bigint: true, throwIfNoEntry: false })
    return now !== undefined && now.dev === to.dev && now.ino === to.ino
  }
  const check = (): void => {
    if (!leadsTo(path, before) || realpathSync.native(path) !== path) throw changed(path)
  }
  return {
    path,
    self: path,
    at: (name) => join(path, name),
    check,
    assertHolds(name, file) {
      const at = join(path, name)
      for (let look = 0; look < LOOKS; look++)
        if (!leadsTo(path, before) || !leadsTo(at, file)) throw changed(at)
      check()
    },
    sync() {
      // Windows opens no folders.
      if (process.platform === "win32") return
      const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
      try {
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
    },
    close() {},
  }
}

const changed = (path: string): FilesystemError =>
  new FilesystemError(
    "path_changed",
    "The folder was moved or replaced meanwhile. Nothing was written: try again.",
    { path },
  )

/** Whether a folder could not be opened because it is none, or none any more. */
export const isNoDirectory = (error: unknown): boolean => {
  const errno = errnoOf(error)
  return errno === "ENOTDIR" || errno === "ELOOP"
}
