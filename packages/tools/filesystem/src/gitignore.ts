import { fits, type Glob, parseGlob } from "./glob.ts"

/** Whether one `.gitignore` ignores a path below its folder; undefined when it says nothing about it. */
export type IgnoreFile = (path: string, isFolder: boolean) => boolean | undefined

/** Bytes of a `.gitignore` that are read: the rest is somebody's joke. */
export const IGNORE_FILE_BYTES = 65_536

interface Rule {
  readonly glob: Glob
  /** About the name alone, wherever it is. */
  readonly isName: boolean
  readonly takesBack: boolean
  readonly foldersOnly: boolean
}

/** A `.gitignore` as gitignore(5) has it. Undefined when there is no rule in it. */
export function ignoreFile(text: string): IgnoreFile | undefined {
  const rules = text.split("\n").flatMap((line) => ruleOf(line.replace(/\r$/, "")) ?? [])
  if (rules.length === 0) return undefined
  return (path, isFolder) => {
    const names = path.split("/")
    const name = names.slice(-1)
    const last = rules.findLast(
      (rule) => (isFolder || !rule.foldersOnly) && fits(rule.glob, rule.isName ? name : names),
    )
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
  const isName = !glob.includes("/")
  if (glob.startsWith("/")) glob = glob.slice(1)
  return glob === "" ? undefined : { glob: parseGlob(glob), isName, takesBack, foldersOnly }
}
