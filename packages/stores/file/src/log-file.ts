import type { FileHandle } from "node:fs/promises"
import { type Entry, isObject, StoreError } from "@orra/core"

/**
 * A line of a log: an entry, and what its append removed. A line that begins with a space is followed by another of the
 * same append, so an append whose last line is missing never happened.
 */
export interface Line {
  readonly entry: Entry
  readonly drops?: Range
  /** In a file of drafts: the append also wrote this entry to the log, and did not happen without it. */
  readonly with?: number
}

export interface Range {
  readonly from: number
  readonly to: number
}

const CHUNK = 64 * 1024
const NEWLINE = 0x0a
const SPACE = 0x20

/** The lines of one append, in the order of their entries. */
export const toLines = (lines: readonly Line[]): string =>
  together(
    lines.map(({ entry, drops, with: other }) => {
      // First the number and the type: a reader that looks for something need not parse the rest.
      const { seq, type, ...rest } = entry
      return JSON.stringify({ seq, type, ...rest, ...(drops && { drops }), ...(other && { with: other }) })
    }),
  )

/** Lines of which all count or none, whatever a crash leaves of them. */
export const together = (lines: readonly string[]): string =>
  lines.map((line, index) => `${index < lines.length - 1 ? " " : ""}${line}\n`).join("")

/** @throws StoreError (`store_corrupt`) for what `toLines` never wrote. */
export function fromLine(text: string, path: string): Line {
  try {
    const { drops, with: other, ...entry } = JSON.parse(text)
    if (Number.isSafeInteger(entry.seq) && typeof entry.type === "string") {
      return { entry, ...(drops && { drops }), ...(other && { with: other }) }
    }
  } catch {
    // Said below.
  }
  throw damaged(path)
}

export const damaged = (path: string): StoreError =>
  new StoreError(
    "store_corrupt",
    `The file "${path}" has a damaged line: restore it from a backup, or remove the line.`,
    { path },
  )

/** The number at the start of a line, without reading on. */
export function seqOf(line: string): number | undefined {
  const found = /^ ?\{"seq":(\d+),/.exec(line)
  return found ? Number(found[1]) : undefined
}

export function typeOf(line: string): string | undefined {
  return /^ ?\{"seq":\d+,"type":"([a-z_]+)"/.exec(line)?.[1]
}

/** The lines from the byte `start`, which begins one, to the byte `end`. */
export async function* linesForward(
  file: FileHandle,
  start: number,
  end: number,
): AsyncGenerator<string, void, undefined> {
  let pieces: Buffer[] = []
  for (let at = start; at < end; ) {
    const chunk = await read(file, at, Math.min(CHUNK, end - at))
    if (chunk.length === 0) return
    at += chunk.length
    let from = 0
    for (let to = chunk.indexOf(NEWLINE); to >= 0; to = chunk.indexOf(NEWLINE, from)) {
      pieces.push(chunk.subarray(from, to))
      yield text(pieces)
      pieces = []
      from = to + 1
    }
    if (from < chunk.length) pieces.push(chunk.subarray(from))
  }
}

/** The lines before the byte `end`, which ends one, the last one first. */
export async function* linesBackward(file: FileHandle, end: number): AsyncGenerator<string, void, undefined> {
  if (end === 0) return
  // What is known of a line whose beginning is not: its pieces, the last one first.
  let pieces: Buffer[] = []
  for (let at = end - 1; at > 0; ) {
    const start = Math.max(0, at - CHUNK)
    const chunk = await read(file, start, at - start)
    let to = chunk.length
    while (to > 0) {
      const from = chunk.lastIndexOf(NEWLINE, to - 1)
      if (from < 0) break
      pieces.push(chunk.subarray(from + 1, to))
      yield text(pieces.toReversed())
      pieces = []
      to = from
    }
    if (to > 0) pieces.push(chunk.subarray(0, to))
    at = start
  }
  yield text(pieces.toReversed())
}

/**
 * The byte at which the first line with the number `seq` or a later one begins; `end` when there is none. Found by
 * halving, so it costs some reads whatever the length of the file.
 */
export async function offsetOf(file: FileHandle, seq: number, end: number): Promise<number> {
  // Every line before `low` has a smaller number, no line from `high` on has: both are where lines begin.
  let low = 0
  let high = end
  while (high - low > CHUNK) {
    const start = await nextLine(file, low + Math.floor((high - low) / 2), high)
    if (start >= high) break
    const head = (await read(file, start, 32)).toString("latin1")
    if ((seqOf(head) ?? seq) < seq) low = await nextLine(file, start, high)
    else high = start
  }
  return await firstFrom(file, seq, low, high)
}

async function firstFrom(file: FileHandle, seq: number, low: number, high: number): Promise<number> {
  let at = low
  for await (const line of linesForward(file, low, high)) {
    if ((seqOf(line) ?? seq) >= seq) return at
    at += Buffer.byteLength(line) + 1
  }
  return high
}

/** Where the first line begins after the byte `at`, or `end`. */
async function nextLine(file: FileHandle, at: number, end: number): Promise<number> {
  for (let from = at; from < end; from += CHUNK) {
    const chunk = await read(file, from, Math.min(CHUNK, end - from))
    const index = chunk.indexOf(NEWLINE)
    if (index >= 0) return from + index + 1
  }
  return end
}

/**
 * Where the last whole append ends. What comes after was torn: the machine stopped while it was written, and nobody was
 * told that it had been. Of a damaged line that is only so if it is the last one.
 */
export async function wholeLength(file: FileHandle, size: number): Promise<number> {
  let end = (await lastNewline(file, size)) + 1
  for (let last = true; end > 0; last = false) {
    const start = (await lastNewline(file, end - 1)) + 1
    const line = await read(file, start, (last ? end - 1 : start + 1) - start)
    if (line[0] !== SPACE && (!last || isWhole(line))) return end
    end = start
  }
  return 0
}

function isWhole(line: Buffer): boolean {
  try {
    return isObject(JSON.parse(line.toString("utf8")))
  } catch {
    return false
  }
}

async function lastNewline(file: FileHandle, end: number): Promise<number> {
  for (let to = end; to > 0; ) {
    const from = Math.max(0, to - CHUNK)
    const chunk = await read(file, from, to - from)
    const index = chunk.lastIndexOf(NEWLINE)
    if (index >= 0) return from + index
    to = from
  }
  return -1
}

export async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

const text = (pieces: readonly Buffer[]): string =>
  pieces.length === 1
    ? (pieces[0] ?? Buffer.alloc(0)).toString("utf8")
    : Buffer.concat(pieces).toString("utf8")
