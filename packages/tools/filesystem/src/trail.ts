import { closeSync, type Dirent, lstatSync, readdirSync, readSync } from "node:fs"
import { isTemporary } from "./atomic-write.ts"
import { type Directory, isNoDirectory, openChild } from "./directory.ts"
import { errnoOf, FilesystemError } from "./errors.ts"
import { IGNORE_FILE_BYTES, type IgnoreFile, ignoreFile } from "./gitignore.ts"
import { openEntry } from "./open-file.ts"
import type { Sandbox } from "./sandbox.ts"

/** What keeps entries from being looked into. */
export interface Filter {
  readonly sandbox: Sandbox
  /** The real path of the sandbox. */
  readonly root: string
  /** Folders of these names are passed by. */
  readonly skip: ReadonlySet<string>
}

/** A file on the trail. Its folder is held until the next one is asked for. */
export interface Found {
  readonly directory: Directory
  readonly name: string
  /** From where the trail begins, "/" between names. */
  readonly path: string
}

/** Folders deeper than this are not looked into: a process may have a thousand files open. */
export const MAX_DEPTH = 100

interface Level {
  readonly directory: Directory
  readonly name: string
  readonly ignores: IgnoreFile | undefined
}

/**
 * Folders below one, each held from the one above it, with what their `.gitignore`s say. No link is followed, and what
 * has become a link since is passed by.
 */
export class Trail {
  readonly #filter: Filter
  /** The first of them, as many as there were at the beginning, are not its own. */
  readonly #levels: Level[]
  readonly #given: number

  constructor(filter: Filter, levels: Level[]) {
    this.#filter = filter
    this.#levels = levels
    this.#given = levels.length
  }

  get top(): Directory {
    return (this.#levels.at(-1) as Level).directory
  }

  get depth(): number {
    return this.#levels.length - this.#given
  }

  names(): readonly string[] {
    return this.#levels.slice(this.#given).map(({ name }) => name)
  }

  /** Whether an entry of the top folder is passed by. */
  hides(name: string, isFolder: boolean): boolean {
    const { sandbox, root, skip } = this.#filter
    if (isFolder ? skip.has(name) || name === ".git" : isTemporary(name)) return true
    const { path } = this.top
    if (sandbox.protection.entry(`${path}/${name}`, root)) return true
    return this.#ignored(name, isFolder)
  }

  #ignored(name: string, isFolder: boolean): boolean {
    let path = name
    for (let index = this.#levels.length - 1; index >= 0; index--) {
      const level = this.#levels[index] as Level
      const answer = level.ignores?.(path, isFolder)
      if (answer !== undefined) return answer
      path = `${level.name}/${path}`
    }
    return false
  }

  /** Goes into a folder of the top one; false when it is none any more, or may not be opened. */
  down(name: string): boolean {
    const level = opened(this.#filter.sandbox, this.top, name)
    if (level) this.#levels.push(level)
    return level !== undefined
  }

  up(): void {
    if (this.depth > 0) this.#levels.pop()?.directory.close()
  }

  /** Goes to a folder by its names, keeping what is common. False when the way is closed or hidden. */
  to(names: readonly string[]): boolean {
    const here = this.names()
    let common = 0
    while (common < here.length && here[common] === names[common]) common++
    for (let depth = here.length; depth > common; depth--) this.up()
    return names.slice(common).every((name) => !this.hides(name, true) && this.down(name))
  }

  close(): void {
    while (this.depth > 0) this.up()
  }
}

/** What a process may not open, and what is no folder any more, is passed by; nothing else is. */
function opened(sandbox: Sandbox, parent: Directory, name: string): Level | undefined {
  try {
    const directory = openChild(parent, name, sandbox.holding)
    return { directory, name, ignores: ignoresOf(directory) }
  } catch (error) {
    if (passable(error)) return undefined
    throw error
  }
}

/** Errors that say something about one entry only. */
export const passable = (error: unknown): boolean =>
  isNoDirectory(error) ||
  ["ENOENT", "EACCES", "EPERM", "EINVAL", "ENAMETOOLONG", "ENXIO", "EIO"].includes(errnoOf(error) ?? "") ||
  (error instanceof FilesystemError && error.code === "path_changed")

function ignoresOf(directory: Directory): IgnoreFile | undefined {
  try {
    // Nearly no folder has one, and to be told so is cheaper than to fail.
    if (!lstatSync(directory.at(".gitignore"), { throwIfNoEntry: false })) return undefined
    const file = openEntry(directory, ".gitignore")
    if (!file) return undefined
    try {
      const bytes = Buffer.alloc(Math.min(Number(file.stat.size), IGNORE_FILE_BYTES))
      return ignoreFile(bytes.toString("utf8", 0, readSync(file.fd, bytes, 0, bytes.length, 0)))
    } finally {
      closeSync(file.fd)
    }
  } catch (error) {
    if (passable(error)) return undefined
    throw error
  }
}

/** A trail from the last of these folders, which are the caller's. The `.gitignore`s of all of them count. */
export function trailFrom(filter: Filter, way: readonly Directory[]): Trail {
  const levels = way.map((directory) => ({
    directory,
    name: directory.path.split(/[/\\]/).at(-1) ?? "",
    ignores: ignoresOf(directory),
  }))
  return new Trail(filter, levels)
}

/** All files below, in the order of their names. */
export function* walked(trail: Trail): Generator<Found> {
  const { top } = trail
  const prefix = trail
    .names()
    .map((name) => `${name}/`)
    .join("")
  for (const entry of entriesOf(top)) {
    const { name } = entry
    if (entry.isFile() && !trail.hides(name, false)) yield { directory: top, name, path: prefix + name }
    else if (entry.isDirectory() && trail.depth < MAX_DEPTH && !trail.hides(name, true) && trail.down(name)) {
      yield* walked(trail)
      trail.up()
    }
  }
}

/** Those of some paths that lie on the trail, in the order of `walked`. Whether they are files is still to be seen. */
export function* chosen(trail: Trail, paths: readonly string[]): Generator<Found> {
  // With the least character between names, paths sort as folders are walked: name by name.
  for (const path of paths.map((each) => each.replaceAll("/", "\0")).sort()) {
    const names = path.split("\0")
    const name = names.pop() ?? ""
    if (names.length <= MAX_DEPTH && trail.to(names) && !trail.hides(name, false))
      yield { directory: trail.top, name, path: [...names, name].join("/") }
  }
}

function entriesOf(directory: Directory): readonly Dirent[] {
  try {
    return namesIn(directory).sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    if (passable(error)) return []
    throw error
  }
}

/** What is in a folder. @throws the system's errors, FilesystemError (`path_changed`) */
export function namesIn(directory: Directory): Dirent[] {
  const entries = readdirSync(directory.self, { withFileTypes: true })
  directory.check()
  return entries
}
