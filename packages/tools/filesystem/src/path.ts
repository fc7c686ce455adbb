import { FilesystemError } from "./errors.ts"

/** What paths are relative to. */
export interface Base {
  /** The sandbox as it was configured, and as it really is. */
  readonly configured: string
  readonly real: string
  /** What the session's metadata says; undefined or null when it says nothing. */
  readonly working: unknown
}

/** As Linux has it. */
const MAX_LENGTH = 4_096
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(?:\..*)?$/i

/**
 * The steps from the sandbox's root to what a path of the model means, ".." among them, and the working directory they
 * began at (relative to the root, "" for the root). Nothing is looked up.
 *
 * @throws FilesystemError (`path_invalid`, `path_outside`, `working_directory_invalid`)
 */
export function stepsTo(
  path: string,
  base: Base,
  platform: NodeJS.Platform = process.platform,
): { readonly steps: readonly string[]; readonly working: string } {
  const working = workingSteps(base, platform)
  const steps = fromRoot(path, base, platform)
  return { steps: steps ?? [...working, ...namesOf(path, platform)], working: working.join("/") }
}

function workingSteps(base: Base, platform: NodeJS.Platform): readonly string[] {
  if (base.working === undefined || base.working === null || base.working === "") return []
  const invalid = (cause?: unknown) =>
    new FilesystemError(
      "working_directory_invalid",
      "The session's working directory is not in the folder that may be used. Tell the user.",
      {},
      cause,
    )
  if (typeof base.working !== "string") throw invalid()
  try {
    const steps = fromRoot(base.working, base, platform) ?? namesOf(base.working, platform)
    const names = steps.filter((name) => name !== "" && name !== ".")
    if (names.includes("..")) throw invalid()
    return names
  } catch (error) {
    throw invalid(error)
  }
}

/** The steps of an absolute path inside the sandbox; undefined for a relative one. */
function fromRoot(path: string, base: Base, platform: NodeJS.Platform): readonly string[] | undefined {
  const names = namesOf(path, platform)
  if (!isAbsolute(path, platform)) return undefined
  const windows = platform === "win32"
  const same = (a: string, b: string | undefined): boolean =>
    windows ? a.toLowerCase() === b?.toLowerCase() : a === b
  for (const root of [base.real, base.configured]) {
    const own = split(root, platform).filter(Boolean)
    const given = names.filter(Boolean)
    if (isAbsolute(root, platform) && own.every((name, index) => same(name, given[index])))
      return given.slice(own.length)
  }
  throw new FilesystemError(
    "path_outside",
    `${path} is not in the folder that may be used. Use a path relative to it.`,
    { path },
  )
}

const isAbsolute = (path: string, platform: NodeJS.Platform): boolean =>
  path.startsWith("/") || (platform === "win32" && /^(?:[a-zA-Z]:)?[\\/]/.test(path))

const split = (path: string, platform: NodeJS.Platform): readonly string[] =>
  path.split(platform === "win32" ? /[\\/]/ : "/")

/** @throws FilesystemError (`path_invalid`) for what is a name to nobody, or another thing than a file to some system. */
function namesOf(path: string, platform: NodeJS.Platform): readonly string[] {
  const invalid = (why: string) =>
    new FilesystemError("path_invalid", `${JSON.stringify(path.slice(0, 200))} is not a path: ${why}.`, {})
  if (path.includes("\0")) throw invalid("it has a NUL character in it")
  if (!path.isWellFormed()) throw invalid("it has half a character in it")
  if (path.length > MAX_LENGTH) throw invalid(`it is longer than ${MAX_LENGTH} characters`)
  if (/^[\\/]{2}[^\\/]/.test(path) && (platform === "win32" || path.startsWith("\\")))
    throw invalid("it names another machine or a device")
  if (platform !== "win32") {
    if (/^[a-zA-Z]:[\\/]/.test(path)) throw invalid('this system has no drives; write "/" between names')
    return split(path, platform)
  }
  const names = split(path, platform)
  for (const [index, name] of names.entries()) {
    if (index === 0 && /^[a-zA-Z]:$/.test(name) && names.length > 1) continue
    if (/[<>:"|?*\p{Cc}]/u.test(name)) throw invalid('a name may not have < > : " | ? * in it')
    if (WINDOWS_DEVICE.test(name.trim())) throw invalid(`${name} is a device`)
    if (/[^. ][. ]+$/.test(name)) throw invalid("a name may not end in a dot or a blank")
  }
  return names
}
