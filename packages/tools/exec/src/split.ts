/** A command line as this package reads it. */
export type CommandLine =
  /** The words of a plain command: what they say is what the program gets. */
  | { readonly type: "argv"; readonly words: readonly string[] }
  /** Only a shell could do what it says: `what` names the first thing that needs one. */
  | { readonly type: "shell"; readonly what: string }
  /** Nothing could: empty, an open quote, characters that nobody can see. */
  | { readonly type: "invalid"; readonly message: string }

/** Characters that mean something to a shell wherever they stand without quotes. */
const OPERATORS: ReadonlySet<string> = new Set(";|&<>$`(){}*?[]!")

/** What a backslash takes its meaning from within double quotes; before others it stands for itself. */
const ESCAPED_IN_DOUBLE: ReadonlySet<string> = new Set('$`"\\\n')

/**
 * What no reader sees: controls but tab and newline, direction marks and overrides, zero-width spaces, tag characters.
 * A person who approves a command must see all of it. Joiners stay: scripts and emoji need them.
 */
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u061C\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]/u

const ASSIGNMENT = /^[A-Za-z_]\w*\+?=/

/**
 * Splits a command line into words by the quoting rules of a POSIX shell, and does nothing else of what a shell does.
 * Whatever a shell would interpret (expansions, globs, pipes, redirections, lists, comments, assignments) is never
 * passed over: either it is quoted, and then it is text, or the answer says that it needs a shell.
 */
export function splitCommand(command: string): CommandLine {
  const hidden = HIDDEN.exec(command)?.[0]
  if (hidden !== undefined || !command.isWellFormed()) {
    const code = hidden?.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")
    const which = code === undefined ? "half a character" : `the invisible character U+${code}`
    return { type: "invalid", message: `The command contains ${which}: write it with visible ones only.` }
  }
  const words: string[] = []
  let word: string | undefined
  let quote: "'" | '"' | undefined
  let quoted = false
  const end = (): void => {
    if (word !== undefined) words.push(word)
    word = undefined
    quoted = false
  }
  for (let index = 0; index < command.length; index++) {
    const char = command[index] as string
    const next = command[index + 1]
    if (quote === "'") {
      if (char === "'") quote = undefined
      else word += char
    } else if (quote === '"') {
      if (char === '"') quote = undefined
      else if (char === "$" || char === "`") return needsShell(char, "within double quotes")
      else if (char === "\\" && next !== undefined && ESCAPED_IN_DOUBLE.has(next)) {
        if (next !== "\n") word += next
        index++
      } else word += char
    } else if (char === " " || char === "\t") end()
    else if (char === "\n") {
      if (command.slice(index).trim() !== "") return needsShell("a line break")
      end()
    } else if (char === "'" || char === '"') {
      quote = char
      quoted = true
      word ??= ""
    } else if (char === "\\") {
      if (next === undefined) return { type: "invalid", message: "The command ends in a backslash." }
      if (next !== "\n") word = (word ?? "") + next
      quoted = true
      index++
    } else {
      if (OPERATORS.has(char)) return needsShell(char)
      if (char === "#" && word === undefined) return needsShell(char)
      if (char === "~" && (word === undefined || /[=:]$/.test(word))) return needsShell(char)
      word = (word ?? "") + char
      if (char === "=" && words.length === 0 && !quoted && ASSIGNMENT.test(word)) {
        return needsShell(`${word}…`, "before the program")
      }
    }
  }
  if (quote) return { type: "invalid", message: `The command has a ${quote} that is not closed.` }
  end()
  if (words.length === 0 || words[0] === "") {
    return { type: "invalid", message: "The command names no program." }
  }
  return { type: "argv", words }
}

const needsShell = (what: string, where = ""): CommandLine => ({
  type: "shell",
  what: [what.length === 1 ? `\`${what}\`` : what, where].filter(Boolean).join(" "),
})
