import { RE2JS } from "re2js"
import { FilesystemError } from "./errors.ts"

/** Long enough for whatever a person would write. */
const MAX_LENGTH = 1_000
/** A step of the matcher costs at most as much as its program is long. */
const MAX_PROGRAM = 1_000

/**
 * A regular expression whose time is linear in the text, whoever wrote it (RE2's syntax: no backreferences, no
 * lookaround). Patterns come from models and from files, and V8's own engine can be made to run for years.
 *
 * @throws FilesystemError (`pattern_invalid`) saying what is wrong.
 */
export function linearPattern(source: string, { ignoreCase = false, multiline = false } = {}): RE2JS {
  if (source.length > MAX_LENGTH) throw invalid(source, `it is longer than ${MAX_LENGTH} characters`)
  const flags = (ignoreCase ? RE2JS.CASE_INSENSITIVE : 0) | (multiline ? RE2JS.MULTILINE : 0)
  const pattern = compiled(source, flags)
  if (pattern.programSize() > MAX_PROGRAM) throw invalid(source, "it repeats too much")
  return pattern
}

const compiled = (source: string, flags: number): RE2JS => {
  try {
    return RE2JS.compile(source, flags)
  } catch (error) {
    throw invalid(source, error instanceof Error ? error.message : "it cannot be read", error)
  }
}

const invalid = (source: string, why: string, cause?: unknown): FilesystemError =>
  new FilesystemError(
    "pattern_invalid",
    `${JSON.stringify(source.slice(0, 200))} is not a pattern: ${why}. The syntax is RE2's: no backreferences, no lookaround; escape ( ) [ ] { } . * + ? | ^ $ and \\ to mean themselves.`,
    {},
    cause,
  )
