/**
 * A pattern of RE2's syntax in that of ripgrep (Rust's regex), for a line of text: finds at least what RE2 finds.
 * What the two read differently is spelt out (classes are ASCII in RE2, Unicode in Rust). Undefined for what has no
 * such spelling.
 *
 * Sources: github.com/google/re2/wiki/Syntax, docs.rs/regex (syntax).
 */
export function rustPattern(pattern: string, ignoreCase: boolean): string | undefined {
  // The beginning and the end of a text are those of a line for one and of a file for the other.
  if (/\\[AzZQEC0-9]|\{,|\(\?[a-zA-Z]*-/.test(pattern)) return undefined
  let source = ignoreCase ? "(?i)" : ""
  for (let index = 0; index < pattern.length; ) {
    const char = pattern.charAt(index)
    // With --crlf an end of a line is also before its \r, and then no beginning of one is in the same place.
    if (char === "^" && !/^$|[|(:]$|\(\?[a-zA-Z]+\)$/.test(pattern.slice(0, index))) return undefined
    if (char === "$" && !/^$|^[|)]/.test(pattern.slice(index + 1))) return undefined
    if (char === "[") {
      const found = classSource(pattern, index)
      if (!found) return undefined
      source += found.source
      index = found.end
    } else if (char === "\\") {
      const { source: escaped, end } = escapeSource(pattern, index)
      source += OUTSIDE[escaped] ?? (/^\\[pPx]/.test(escaped) ? orStray(escaped) : escaped)
      index = end
    } else {
      source += char === "." ? ANY : char === "\uFFFD" ? orStray(char) : char
      index++
    }
  }
  return source
}

/** RE2 takes a byte that is no UTF-8 for the character U+FFFD, Rust for none. */
const STRAY = "(?-u:[\\x80-\\xFF])"
const orStray = (source: string): string => `(?:${source}|${STRAY})`
const ANY = `(?:[^\\n]|${STRAY})`

const INSIDE: Readonly<Record<string, string>> = {
  "\\d": "0-9",
  "\\w": "0-9A-Za-z_",
  "\\s": "\\t\\n\\x0C\\r\\x20",
  "\\D": "[^0-9]",
  "\\W": "[^0-9A-Za-z_]",
  "\\S": "[^\\t\\n\\x0C\\r\\x20]",
}

const OUTSIDE: Readonly<Record<string, string>> = {
  "\\d": "[0-9]",
  "\\w": "[0-9A-Za-z_]",
  "\\s": "[\\t\\n\\x0C\\r\\x20]",
  "\\D": `(?:[^0-9]|${STRAY})`,
  "\\W": `(?:[^0-9A-Za-z_]|${STRAY})`,
  "\\S": `(?:[^\\t\\n\\x0C\\r\\x20]|${STRAY})`,
  "\\b": "(?-u:\\b)",
  "\\B": "(?-u:\\B)",
}

/** One escape, and where it ends. A sign that is escaped means itself in RE2, and may mean something in Rust. */
function escapeSource(pattern: string, start: number): { readonly source: string; readonly end: number } {
  const char = pattern.charAt(start + 1)
  if (/[!-/:-@[-`{-~]/.test(char)) return { source: `\\x${char.charCodeAt(0).toString(16)}`, end: start + 2 }
  const long = /^\\(?:x\{[0-9a-fA-F]+\}|x[0-9a-fA-F]{2}|[pP]\{[^}]*\}|[pP].)/su.exec(pattern.slice(start))
  const whole = long?.[0] ?? pattern.slice(start, start + 2)
  return { source: whole, end: start + whole.length }
}

function classSource(
  pattern: string,
  start: number,
): { readonly source: string; readonly end: number } | undefined {
  const negated = pattern.charAt(start + 1) === "^"
  let index = start + (negated ? 2 : 1)
  let source = ""
  for (let first = true; ; first = false) {
    const char = pattern.charAt(index)
    if (char === "") return undefined
    if (char === "]" && !first) break
    if (char === "[" && pattern.charAt(index + 1) === ":") {
      const end = pattern.indexOf(":]", index)
      if (end < 0) return undefined
      source += pattern.slice(index, end + 2)
      index = end + 2
    } else if (char === "\\") {
      const escaped = escapeSource(pattern, index)
      source += INSIDE[escaped.source] ?? escaped.source
      index = escaped.end
    } else {
      // Doubled signs are operators in Rust.
      source += char === "-" ? "-" : /[!-/:-@[-`{-~]/.test(char) ? `\\${char}` : char
      index++
    }
  }
  if (source.includes("--")) return undefined
  const body = `[${negated ? "^" : ""}${source}]`
  return { source: /^[ -~]*$/.test(body) && !/\^|\\[pPx]/.test(body) ? body : orStray(body), end: index + 1 }
}
