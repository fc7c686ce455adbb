import type { RE2JS } from "re2js"
import { globSource } from "./glob.ts"
import { compiled } from "./linear.ts"

/** Whether one `.gitignore` ignores a path below its folder; undefined when it says nothing about it. */
export type IgnoreFile = (path: string, isFolder: boolean) => boolean | undefined

/** Bytes of a `.gitignore` that are read, and rules that are kept: the rest is somebody's joke. */
export const IGNORE_FILE_BYTES = 262_144
const RULES = 2_000

interface Rule {
  readonly source: string
  readonly takesBack: boolean
  readonly foldersOnly: boolean
  pattern?: RE2JS
}

/** A `.gitignore` as gitignore(5) has it. Undefined when there is no rule in it. */
export function ignoreFile(text: string): IgnoreFile | undefined {
  const rules = text
    .split("\n")
    .slice(0, RULES)
    .flatMap((line) => ruleOf(line.replace(/\r$/, "")) ?? [])
  if (rules.length === 0) return undefined
  // Most paths match no rule, and that one look tells.
  const any = compiled(`(?s)^(?:${rules.map(({ source }) => source).join("|")})$`)
  return (path, isFolder) => {
    if (!any.test(path)) return undefined
    const last = rules.findLast((rule) => {
      rule.pattern ??= compiled(`(?s)^(?:${rule.source})$`)
      return (isFolder || !rule.foldersOnly) && rule.pattern.test(path)
    })
    return last && !last.takesBack
  }
}

function ruleOf(line: string): Rule | undefined {
  // Blanks at the end do not count unless the last is escaped.
  let glob = line.replace(/(?<!\\)[ \t]+$/, "")
  if (glob === "" || glob.startsWith("#")) return undefined
  const takesBack = glob.startsWith("!")
  if (takesBack) glob = glob.slice(1)
  const foldersOnly = glob.endsWith("/")
  if (foldersOnly) glob = glob.slice(0, -1)
  const anchored = glob.includes("/")
  if (glob.startsWith("/")) glob = glob.slice(1)
  if (glob === "") return undefined
  // "a/**" is what is in a, and not a itself.
  const inside = /\/\*{2,}$/.test(glob)
  const source = inside ? `${globSource(glob.replace(/\*+$/, ""))}.+` : globSource(glob)
  return { source: anchored ? source : `(?:.*/)?${source}`, takesBack, foldersOnly }
}
