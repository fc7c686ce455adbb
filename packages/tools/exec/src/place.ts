import { lstat, realpath, stat } from "node:fs/promises"
import { dirname, resolve, sep } from "node:path"
import { ExecError } from "./errors.ts"

/** Whether a path is a directory or lies below it. Both are absolute and real. */
export const isWithin = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(directory === sep ? sep : directory + sep)

/**
 * The real path of where a command shall run: the session's own directory, or `wanted` below it.
 *
 * @throws ExecError (`directory_refused`) for what is not there, is no directory, or leads outside by whatever way.
 */
export async function workingDirectory(root: string, wanted: string | undefined): Promise<string> {
  const directory = await realDirectory(root)
  if (!directory) {
    throw new ExecError("directory_refused", "The directory this session works in does not exist.", { root })
  }
  if (wanted === undefined || wanted === "") return directory
  const real = wanted.includes("\0") ? undefined : await realDirectory(resolve(directory, wanted))
  // What is outside is not told apart from what is not there.
  if (!real || !isWithin(real, directory)) {
    throw new ExecError(
      "directory_refused",
      `"${wanted}" is no directory within the one this session works in: give a path relative to that, or none.`,
    )
  }
  return real
}

async function realDirectory(path: string): Promise<string | undefined> {
  try {
    const real = await realpath(path)
    return (await stat(real)).isDirectory() ? real : undefined
  } catch {
    return undefined
  }
}

/** More places than this in one argument, or more steps in a path, and it is not worth looking at them all. */
const MAX_CANDIDATES = 64

/** No system takes a longer path. */
const MAX_PATH = 4_096

/**
 * Whether an argument names, or may name, something outside of a directory: an absolute path, one with `..`, or one
 * through a symbolic link, alone or after an option's `=`, `:`, `,` or `@`. Addresses on the web are not paths.
 */
export async function leadsOutside(arg: string, from: string, directory: string): Promise<boolean> {
  const starts = new Set([0])
  for (const { index } of arg.matchAll(/[=,@]|(?<!https?):|:(?!\/\/)/gi)) starts.add(index + 1)
  // Letters with the value of the last one joined, such as -f/etc/passwd or -rflink.
  if (/^-[^-]/.test(arg)) for (let start = 2; start < arg.length; start++) starts.add(start)
  if (starts.size > MAX_CANDIDATES) return true
  for (const start of starts) {
    if (!(await staysWithin(arg.slice(start), from, directory))) return true
  }
  return false
}

async function staysWithin(candidate: string, from: string, directory: string): Promise<boolean> {
  if (candidate === "" || candidate === "/dev/null" || candidate.length > MAX_PATH) return true
  const steps = candidate.split("/")
  if (steps.length > MAX_CANDIDATES) return false
  const path = candidate.startsWith("/") ? candidate : `${from}/${candidate}`
  // `a/../b` is not `b` where `a` is a link: what is not there cannot be told.
  const real = steps.includes("..") ? await realpath(path).catch(() => undefined) : await realOrNearest(path)
  return real !== undefined && isWithin(real, directory)
}

/** The real path, or that of the nearest directory above that exists; undefined for a link that leads nowhere. */
async function realOrNearest(path: string): Promise<string | undefined> {
  for (let current = path; ; current = dirname(current)) {
    try {
      return await realpath(current)
    } catch {
      if (await lstat(current).catch(() => undefined)) return undefined
    }
  }
}
