import type { MarkedExtension, Token, Tokens } from "marked"

/** A formula in an answer: its TeX, and how it was written. One that is still being written has no `tex` yet. */
export interface MathToken extends Tokens.Generic {
  readonly type: "math"
  readonly raw: string
  readonly tex: string | undefined
  readonly isDisplay: boolean
}

// No formula has a backtick or an empty line in it: code stays code, and what was never closed ends with its block.
// Nor does one begin within another, so that looking for the end of many that have none stays cheap.
const DOUBLE = /\$\$(?!\$)((?:\\[^`]|(?!\n[ \t]*\n)[^\\$`])+)\$\$/
const BRACKETS = /\\\[((?:\\[^`[\]]|(?!\n[ \t]*\n)[^\\`])+)\\\](?![([])/
const PARENTHESES = /\\\(((?:\\[^`()]|(?!\n[ \t]*\n)[^\\`])+)\\\)/
/** Prices are no formulas: nothing may stand between the marks and what is in them, no digit or letter after it. */
const SINGLE = /\$(?![\s$])((?:\\[^\n`]|[^\\$`\n])+)(?<!\s)\$(?![\p{L}\d$])/u

const at = (pattern: RegExp, after = ""): RegExp => new RegExp(`^${pattern.source}${after}`, "u")
const BLOCK = [DOUBLE, BRACKETS].map((pattern) => at(pattern, "[ \\t]*(?:\\n+|$)"))
const INLINE = [
  { pattern: at(DOUBLE), isDisplay: true },
  { pattern: at(BRACKETS), isDisplay: true },
  { pattern: at(PARENTHESES), isDisplay: false },
  { pattern: at(SINGLE), isDisplay: false },
]
const OPEN_BLOCK = /^(?:\$\$(?!\$)|\\\[)(?:(?!\n[ \t]*\n)[^`])*$/
const OPEN_INLINE = /^(?:(?:\$\$(?!\$)|\\[([])[^`]*|\$(?![\s\d$])[^$`\n]*)$/

/** Characters; what is open for longer is no formula. */
const MAX_OPEN = 5_000

const MARKS = new RegExp(
  [/(`+)[\s\S]*?[^`]\1(?!`)/.source, DOUBLE, BRACKETS, PARENTHESES, `(?<![\\p{L}\\d$\\\\])${SINGLE.source}`]
    .map((pattern) => (typeof pattern === "string" ? pattern : pattern.source))
    .join("|"),
  "gu",
)

/** The text with code and formulas replaced by dots, for looking for marks that are not inside of them. */
export const withoutMath = (text: string): string => text.replace(MARKS, (found) => ".".repeat(found.length))

/** Where the formula begins that is open at the end of the text. A dollar alone is rather money than one. */
export function openMath(text: string): number | undefined {
  const masked = withoutMath(text)
  const from = Math.max(masked.lastIndexOf("`") + 1, text.length - MAX_OPEN)
  const plain = ".".repeat(from) + masked.slice(from)
  const found = /(?<!\\)(?:\$\$(?!\$)|\\[([])[^`]*$|(?<![\p{L}\d$\\])\$(?![\s\d$])[^$`\n]*$/u.exec(plain)
  if (!found) return undefined
  return found[0].startsWith("$") && found[0][1] !== "$" && /\*\*|~~|\]\(/.test(found[0])
    ? undefined
    : found.index
}

/** Reads formulas in Markdown. `isGrowing` also takes the one that is open at the end, so that it stays its source. */
export function mathTokens({ isGrowing }: { readonly isGrowing: boolean }): MarkedExtension {
  return {
    extensions: [
      {
        name: "math",
        level: "block",
        start: (src) => {
          const found = /\n {0,3}(?:\$\$|\\\[)/.exec(src)
          return found ? found.index + 1 : undefined
        },
        tokenizer: (src) => {
          const indent = /^ {0,3}/.exec(src)?.[0] ?? ""
          const rest = src.slice(indent.length)
          for (const pattern of BLOCK) {
            const found = pattern.exec(rest)
            if (found) return token(indent + found[0], found[1], true)
          }
          return isGrowing && OPEN_BLOCK.test(rest.trimEnd()) ? token(src, undefined, true) : undefined
        },
      },
      {
        name: "math",
        level: "inline",
        start: (src) => {
          const found = /\$|\\[([]/.exec(src)
          return found?.index
        },
        tokenizer: (src, before) => {
          if (src[0] !== "$" && src[0] !== "\\") return undefined
          if (src[0] === "$" && /[\p{L}\d$]$/u.test(lastOf(before))) return undefined
          for (const { pattern, isDisplay } of INLINE) {
            const found = pattern.exec(src)
            if (found) return token(found[0], found[1], isDisplay)
          }
          return isGrowing && src.length <= MAX_OPEN && OPEN_INLINE.test(src) && openMath(src) === 0
            ? token(src, undefined, false)
            : undefined
        },
      },
    ],
    hooks: { emStrongMask: withoutMath },
  }
}

const lastOf = (tokens: readonly Token[]): string => tokens.at(-1)?.raw ?? ""

const token = (raw: string, tex: string | undefined, isDisplay: boolean): MathToken => ({
  type: "math",
  raw,
  tex: tex?.trim(),
  isDisplay,
})
