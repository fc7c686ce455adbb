import { Marked, type Token, type TokensList } from "marked"
import { closeOpen } from "./close-open.ts"
import { mathTokens } from "./math-tokens.ts"

/** A top-level block of a document. Blocks with the same `raw` look the same, so rendering can be kept. */
export interface Block {
  readonly raw: string
  readonly token: Token
}

type Lex = (text: string) => TokensList

const lexer = (isGrowing: boolean): Lex => {
  const plain = new Marked({ gfm: true, breaks: false })
  const withMath = new Marked({ gfm: true, breaks: false }, mathTokens({ isGrowing }))
  return (text) => (mayHaveMath(text) ? withMath : plain).lexer(text)
}
const lexWhole = lexer(false)
const lexGrowing = lexer(true)

const asBlocks = (tokens: TokensList): readonly Block[] =>
  tokens
    .filter((token) => token.type !== "space" && token.type !== "def")
    .map((token) => ({ raw: token.raw, token }))

const isVisible = (token: Token): boolean => token.type !== "space"

/** Each formula of its own has the rest of the text looked at: thousands, which nobody means, would be felt. */
const MAX_DISPLAYS = 500

const mayHaveMath = (text: string): boolean =>
  /[$\\]/.test(text) && (text.match(/^ {0,3}(?:\$\$|\\\[)/gm)?.length ?? 0) <= MAX_DISPLAYS

/** The blocks of a whole document. */
export const blocksOf = (text: string): readonly Block[] => asBlocks(lexWhole(text))

/**
 * The blocks of a document that is still growing. What is settled is read once; only the last block is read again
 * with each piece, and what is open in it (a fence, a table, a link, emphasis) is closed for the moment.
 */
export function growingBlocks(): (text: string) => readonly Block[] {
  let settled: readonly Block[] = []
  let settledText = ""
  return (text) => {
    if (!text.startsWith(settledText)) {
      settled = []
      settledText = ""
    }
    const tokens = lexGrowing(text.slice(settledText.length))
    // The last block can still change, and so can the one before it: a paragraph that becomes a table, a list that
    // goes on after a blank line.
    const last = tokens.findLastIndex(isVisible)
    const beforeLast = tokens.slice(0, Math.max(0, last)).findLastIndex(isVisible)
    const done = tokens.slice(0, Math.max(0, beforeLast))
    if (done.length > 0) {
      settledText += done.map((token) => token.raw).join("")
      settled = [
        ...settled,
        ...done
          .filter((token) => token.type !== "space" && token.type !== "def")
          .map((token) => ({ raw: token.raw, token })),
      ]
    }
    return [...settled, ...asBlocks(lexGrowing(closeOpen(text.slice(settledText.length))))]
  }
}
