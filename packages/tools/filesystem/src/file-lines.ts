import { readSync } from "node:fs"
import type { RE2JS } from "re2js"
import { decodeText, formOf } from "./file-text.ts"
import type { OpenFile } from "./open-file.ts"

/** Larger files are not searched, in bytes. */
export const MAX_FILE = 50 * 1_024 * 1_024
/** Text that is looked at in one go: at most some tens of milliseconds, whatever the pattern. */
const PIECE = 65_536

export interface FoundLine {
  readonly number: number
  readonly text: string
  readonly isMatch: boolean
}

/** What is searched for, line by line. */
export interface LineQuery {
  readonly pattern: RE2JS
  /** A piece of text in which the pattern is not cannot have a line with it. */
  readonly skipsPieces: boolean
  /** Lines around each. */
  readonly context: number
}

/** The bytes of a file as UTF-8 without a byte order mark; undefined for what is no text, or too large. */
export function searchable({ fd, stat }: OpenFile): Buffer | undefined {
  if (stat.size > MAX_FILE) return undefined
  const bytes = Buffer.allocUnsafe(Number(stat.size))
  let length = 0
  for (let read = -1; read !== 0 && length < bytes.length; length += read)
    read = readSync(fd, bytes, length, bytes.length - length, length)
  const whole = bytes.subarray(0, length)
  const { encoding, bom } = formOf(whole)
  if (encoding !== "utf-8") {
    const decoded = decodeText(whole)
    return decoded && Buffer.from(decoded.text)
  }
  if (whole.includes(0)) return undefined
  return bom ? whole.subarray(3) : whole
}

/**
 * The lines in which the pattern is, with those around them, in order. Yields undefined where others may be let in.
 * Of a line of more than 65,536 bytes only its beginning counts.
 */
export function* foundLines(bytes: Buffer, query: LineQuery): Generator<FoundLine | undefined> {
  const { pattern, skipsPieces, context } = query
  const crlf = bytes.includes("\r\n")
  let number = 0
  let owed = 0
  let before: FoundLine[] = []
  for (let start = 0; start < bytes.length; ) {
    const end = pieceEnd(bytes, start)
    const piece = bytes.subarray(start, end)
    start = end
    // Ends of lines are not part of them: "$" has to be before the \r, too.
    const isLong = piece.length > 2 * PIECE
    const isHere = !skipsPieces || isLong || pattern.test(crlf ? withoutCr(piece) : piece)
    if (!isHere && context === 0) {
      number += newlines(piece)
      yield undefined
      continue
    }
    for (const line of linesOf(piece)) {
      number++
      const isMatch = isHere && pattern.test(line)
      if (!isMatch && context === 0) continue
      const found: FoundLine = { number, text: "", isMatch }
      if (isMatch) {
        yield* before
        before = []
        yield { ...found, text: line.toString("utf8") }
        owed = context
      } else if (owed > 0) {
        owed--
        yield { ...found, text: line.toString("utf8") }
      } else {
        before.push({ ...found, text: line.subarray(0, PIECE).toString("utf8") })
        if (before.length > context) before.shift()
      }
    }
    yield undefined
  }
}

/** After a line, about a piece on. */
function pieceEnd(bytes: Buffer, start: number): number {
  if (bytes.length - start <= PIECE) return bytes.length
  const last = bytes.lastIndexOf(10, start + PIECE - 1)
  if (last >= start) return last + 1
  const next = bytes.indexOf(10, start + PIECE)
  return next < 0 ? bytes.length : next + 1
}

function* linesOf(piece: Buffer): Generator<Buffer> {
  for (let start = 0; start < piece.length; ) {
    const newline = piece.indexOf(10, start)
    const end = newline < 0 ? piece.length : newline
    const line = piece.subarray(start, end > start && piece[end - 1] === 13 ? end - 1 : end)
    yield line.subarray(0, PIECE)
    start = end + 1
  }
}

function newlines(piece: Buffer): number {
  let count = 0
  for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) count++
  return piece.at(-1) === 10 ? count : count + 1
}

const withoutCr = (piece: Buffer): Buffer =>
  Buffer.from(piece.toString("latin1").replaceAll("\r\n", "\n"), "latin1")
