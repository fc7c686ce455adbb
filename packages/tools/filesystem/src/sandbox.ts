import { lstatSync, mkdirSync, readlinkSync, type Stats } from "node:fs"
import { isAbsolute, sep } from "node:path"
import { plainly, type ToolContext } from "@orra/core"
import { type Directory, type Holding, isNoDirectory, openChild, openRoot } from "./directory.ts"
import { errnoOf, FilesystemError, inWords } from "./errors.ts"
import { type Base, stepsTo } from "./path.ts"
import type { Protection } from "./protect.ts"

/** Where a path led, inside the sandbox, with every link on the way followed and every folder held. */
export interface Place {
  /** The folder the name is in. */
  readonly directory: Directory
  /** The folders from the sandbox's root to `directory`, itself the last. */
  readonly way: readonly Directory[]
  /** Undefined when the path led to `directory` itself. */
  readonly name: string | undefined
  /** What is there, itself no link. Undefined when nothing is. */
  readonly stat: Stats | undefined
  /** The real absolute path. */
  readonly path: string
  /** As the model is told: relative to the session's working directory, "/" between names. */
  readonly shown: string
}

export interface Sandbox {
  /**
   * Calls `work` with the place a path of the model leads to. `create` makes the folders that are missing on the way.
   *
   * @throws FilesystemError (`path_invalid`, `path_outside`, `path_protected`, `path_missing`, ...), also for what the
   *   system answers to `work`.
   */
  enter<T>(
    context: ToolContext,
    path: string,
    work: (place: Place) => Promise<T> | T,
    options?: { readonly create?: boolean },
  ): Promise<T>
  readonly holding: Holding
  readonly protection: Protection
}

export interface SandboxOptions {
  readonly root: string | ((context: ToolContext) => string | Promise<string>)
  readonly holding: Holding
  readonly protection: Protection
}

/** As many as Linux follows. */
const MAX_LINKS = 40
/** Folders held at once for one path: far from what a process may have open. */
const MAX_DEPTH = 200

export function sandbox({ root, holding, protection }: SandboxOptions): Sandbox {
  return {
    holding,
    protection,
    async enter(context, path, work, { create = false } = {}) {
      const configured = typeof root === "function" ? await root(context) : root
      const walk = new Walk(openedRoot(configured, holding), holding, protection)
      try {
        const base: Base = {
          configured,
          real: walk.root.path,
          working: context.metadata["working_directory"],
        }
        const { steps, working } = stepsTo(path, base)
        return await work(walk.to(steps, path, working, create))
      } catch (error) {
        throw inWords(error, path)
      } finally {
        walk.close()
      }
    },
  }
}

function openedRoot(path: string, holding: Holding): Directory {
  try {
    return openRoot(path, holding)
  } catch (error) {
    throw new FilesystemError(
      "io_failed",
      "The folder of the file tools cannot be opened. Tell the user.",
      {},
      error,
    )
  }
}

/** One way through the sandbox: the folders from its root to where it stands. */
class Walk {
  readonly root: Directory
  readonly #holding: Holding
  readonly #protection: Protection
  readonly #below: Directory[] = []
  #links = 0

  constructor(root: Directory, holding: Holding, protection: Protection) {
    this.root = root
    this.#holding = holding
    this.#protection = protection
  }

  get #top(): Directory {
    return this.#below.at(-1) ?? this.root
  }

  close(): void {
    for (const directory of this.#below.splice(0)) directory.close()
    this.root.close()
  }

  to(steps: readonly string[], asked: string, working: string, create: boolean): Place {
    const left = [...steps]
    for (let step = left.shift(); step !== undefined; step = left.shift()) {
      if (step === "" || step === ".") continue
      if (step === "..") {
        const done = this.#below.pop()
        if (!done) throw outside(asked)
        done.close()
        continue
      }
      const stat = lstatSync(this.#top.at(step), { throwIfNoEntry: false })
      if (stat?.isSymbolicLink()) {
        left.unshift(...this.#target(step, asked))
        continue
      }
      if (!left.some((name) => name !== "" && name !== ".")) return this.#place(step, stat, working, asked)
      if (!stat && create) this.#make(step, left, asked)
      this.#down(step, left, asked)
    }
    const top = this.#top
    return this.#checked(
      { directory: top, name: undefined, stat: lstatSync(top.self + sep), path: top.path },
      working,
      asked,
    )
  }

  /** The steps of a link's target, from where the walk stands or from the root. */
  #target(name: string, asked: string): readonly string[] {
    if (++this.#links > MAX_LINKS)
      throw new FilesystemError("path_invalid", `${asked} leads through links in a circle.`, { path: asked })
    let target: string
    try {
      target = readlinkSync(this.#top.at(name))
    } catch (error) {
      // It was a link a moment ago: look again.
      if (errnoOf(error) === "EINVAL") return [name]
      throw error
    }
    if (!isAbsolute(target)) return target.split(sep)
    const { path } = this.root
    if (target !== path && !target.startsWith(path.endsWith(sep) ? path : path + sep)) throw outside(asked)
    for (const directory of this.#below.splice(0)) directory.close()
    return target.slice(path.length).split(sep)
  }

  #down(name: string, left: string[], asked: string): void {
    if (this.#below.length >= MAX_DEPTH)
      throw new FilesystemError("path_invalid", `${asked} is deeper than ${MAX_DEPTH} folders.`, {
        path: asked,
      })
    try {
      this.#below.push(openChild(this.#top, name, this.#holding))
    } catch (error) {
      // A folder that has become a link is followed like one that always was; #links ends the game.
      const now = isNoDirectory(error) ? lstatSync(this.#top.at(name), { throwIfNoEntry: false }) : undefined
      if (!now?.isSymbolicLink()) throw error
      left.unshift(...this.#target(name, asked))
    }
  }

  #make(name: string, left: readonly string[], asked: string): void {
    const names = [name, ...left.filter((step) => step !== "" && step !== ".")]
    if (names.includes(".."))
      throw new FilesystemError("path_missing", `${asked} leads through a folder that does not exist.`, {
        path: asked,
      })
    if (this.#protection.path([this.#top.path, ...names].join(sep), this.root.path))
      throw protectedError(asked)
    this.#top.check()
    try {
      mkdirSync(this.#top.at(name))
    } catch (error) {
      // Somebody else made it: it is looked at like any other.
      if (errnoOf(error) !== "EEXIST") throw error
    }
  }

  #place(name: string, stat: Stats | undefined, working: string, asked: string): Place {
    const directory = this.#top
    const path = directory.path + (directory.path.endsWith(sep) ? "" : sep) + name
    return this.#checked({ directory, name, stat, path }, working, asked)
  }

  #checked(place: Omit<Place, "shown" | "way">, working: string, asked: string): Place {
    if (this.#protection.path(place.path, this.root.path)) throw protectedError(asked)
    return {
      ...place,
      way: [this.root, ...this.#below],
      shown: shownPath(place.path, this.root.path, working),
    }
  }
}

/** A path as the model can use it: relative to where its session works, or to the sandbox through "..". */
function shownPath(path: string, root: string, working: string): string {
  const names = path.slice(root.length).split(sep).filter(Boolean)
  const from = working.split("/").filter(Boolean)
  let common = 0
  while (common < from.length && names[common] === from[common]) common++
  return legible([...from.slice(common).map(() => ".."), ...names.slice(common)].join("/") || ".")
}

/** A name that has controls in it could look like several lines: it is shown as JSON. */
export const legible = (name: string): string =>
  /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/u.test(name) ? plainly(JSON.stringify(name)) : name

const outside = (path: string): FilesystemError =>
  new FilesystemError(
    "path_outside",
    `${path} leads out of the folder that may be used. Use paths inside it.`,
    { path },
  )

export const protectedError = (path: string): FilesystemError =>
  new FilesystemError(
    "path_protected",
    `${path} is protected: it is neither read nor changed. Do not try to get around that; tell the user if it is needed.`,
    { path },
  )
