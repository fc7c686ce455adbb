import { marked, type Token, type TokensList } from "marked"
import { closeOpen } from "./close-open.ts"

/** A top-level block of a document. Blocks with the same `raw` look the same, so rendering can be kept. */
export interface Block {
  readonly raw: string
  readonly token: Token
}

const lex = (text: string): TokensList => marked.lexer(text, { gfm: true, breaks: false })

const asBlocks = (text: string): readonly Block[] =>
  lex(text)
    .filter((token) => token.type !== "space" && token.type !== "def")
    .map((token) => ({ raw: token.raw, token }))

const isVisible = (token: Token): boolean => token.type !== "space"

/** The blocks of a whole document. */
export const blocksOf = (text: string): readonly Block[] => asBlocks(text)

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
    const tokens = lex(text.slice(settledText.length))
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
    return [...settled, ...asBlocks(closeOpen(text.slice(settledText.length)))]
  }
}
