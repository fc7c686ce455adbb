import { compiled } from "./linear.ts"

/** A glob as the source of a regular expression of RE2, to be anchored by the caller. `braces` reads `{a,b}` as a choice. */
export function globSource(glob: string, { braces = false } = {}): string {
  let source = ""
  let depth = 0
  let index = 0
  while (index < glob.length) {
    const char = glob.charAt(index)
    const starts = index === 0 || glob.charAt(index - 1) === "/"
    if (char === "*") {
      const from = index
      while (glob.charAt(index) === "*") index++
      // Two stars or more that stand alone are any number of folders.
      const alone = starts && index - from > 1
      if (alone && glob.charAt(index) === "/") {
        source += "(?:.*/)?"
        index++
      } else source += alone && index === glob.length ? ".*" : "[^/]*"
      continue
    }
    const end = char === "[" ? classEnd(glob, index) : -1
    if (end > 0) {
      source += classSource(glob.slice(index + 1, end))
      index = end + 1
      continue
    }
    if (char === "?") source += "[^/]"
    else if (braces && char === "{" && closes(glob, index)) {
      source += "(?:"
      depth++
    } else if (depth > 0 && char === "}") {
      source += ")"
      depth--
    } else if (depth > 0 && char === ",") source += "|"
    else if (char === "\\" && index + 1 < glob.length) source += quote(glob.charAt(++index))
    else source += quote(char)
    index++
  }
  return source
}

/** Where the brace that opens at `index` is closed. */
function closes(glob: string, index: number): boolean {
  let depth = 0
  for (let at = index; at < glob.length; at++) {
    const char = glob.charAt(at)
    if (char === "\\") at++
    else if (char === "{") depth++
    else if (char === "}" && --depth === 0) return true
  }
  return false
}

/** The index of the bracket that closes a class; the first one in it means itself. */
function classEnd(glob: string, start: number): number {
  let index = start + 1
  if (glob.charAt(index) === "!" || glob.charAt(index) === "^") index++
  for (index++; index < glob.length; index++) {
    if (glob.charAt(index - 1) === "\\") continue
    if (glob.charAt(index) === "]") return index
  }
  return -1
}

function classSource(body: string): string {
  const negated = /^[!^]/.test(body)
  const chars = (negated ? body.slice(1) : body).replace(/\\(.)/gsu, "$1")
  // A range written backwards matches nothing, as everywhere else; RE2 would refuse the whole pattern.
  const parts: string[] = []
  const points = [...chars]
  for (let index = 0; index < points.length; index++) {
    const [from = "", dash, to] = points.slice(index, index + 3)
    if (dash === "-" && to !== undefined) {
      if (from <= to) parts.push(`${quote(from)}-${quote(to)}`)
      index += 2
    } else parts.push(quote(from))
  }
  if (parts.length === 0) return negated ? "[^/]" : "[^\\x00-\\x{10FFFF}]"
  return negated ? `[^/${parts.join("")}]` : `[${parts.join("")}]`
}

const quote = (char: string): string => (/^[!-/:-@[-`{-~]$/.test(char) && char !== "/" ? `\\${char}` : char)

/**
 * Whether a path fits a glob: `*`, `?`, `[a-z]`, `{a,b}` within a name, `**` across folders. One without a slash is
 * about the name alone.
 *
 * @throws FilesystemError (`pattern_invalid`)
 */
export function globMatcher(glob: string): (path: string) => boolean {
  const plain = glob.replace(/^(?:\.?\/)+/, "")
  const whole = plain.endsWith("/") ? `${plain}**` : plain
  const anywhere = whole.includes("/") ? "" : "(?:.*/)?"
  const pattern = compiled(`(?s)^${anywhere}(?:${globSource(whole, { braces: true })})$`)
  return (path) => pattern.test(path)
}
