import { codePoints, firstCodePoints, visibleText } from "@orra/core"

/** What is kept of what a program wrote. */
export interface Kept {
  /** Its beginning and its end, with a line between them where something is left out. */
  readonly text: string
  /** Everything it wrote, in bytes. */
  readonly bytes: number
  readonly cut: boolean
  /** It is not text, and none of it is shown. */
  readonly binary: boolean
}

/** A character of UTF-8 has at most this many bytes. */
const MAX_CHARACTER = 4

/**
 * Takes what a program writes and keeps its beginning and its end in a memory that does not grow: enough to show
 * `characters` (code points) of it.
 */
export class OutputKeeper {
  readonly #head: Uint8Array
  /** A ring: what comes overwrites the oldest. */
  readonly #tail: Uint8Array
  #bytes = 0

  constructor(characters: number) {
    const size = Math.ceil(characters / 2) * MAX_CHARACTER
    this.#head = new Uint8Array(size)
    this.#tail = new Uint8Array(size)
  }

  get bytes(): number {
    return this.#bytes
  }

  add(chunk: Uint8Array): void {
    const size = this.#head.length
    const room = Math.max(0, size - this.#bytes)
    if (room > 0) this.#head.set(chunk.subarray(0, room), this.#bytes)
    // Only the end of it can be the end of everything.
    const last = chunk.subarray(Math.max(room, chunk.length - size))
    const position = this.#bytes + chunk.length - last.length - size
    for (let done = 0; done < last.length; ) {
      const at = (position + done) % size
      const part = last.subarray(done, done + size - at)
      this.#tail.set(part, at)
      done += part.length
    }
    this.#bytes += chunk.length
  }

  /** What is kept, `characters` of it at most: not more than the number it was made for. */
  kept(characters: number): Kept {
    const bytes = this.#bytes
    const { head, tail } = this.#ends()
    const isWhole = bytes <= head.length + tail.length
    const first = isWhole ? Buffer.concat([head, tail]) : head
    if (isBinary(first)) return { text: "", bytes, cut: false, binary: true }
    const beginning = shown(first)
    if (isWhole && codePoints(beginning) <= characters) {
      return { text: beginning, bytes, cut: false, binary: false }
    }
    const ending = isWhole ? beginning : shown(tail.subarray(continuation(tail)))
    const begin = firstCodePoints(beginning, Math.ceil(characters / 2))
    const end = lastCodePoints(ending, Math.floor(characters / 2))
    const left = Math.max(0, bytes - Buffer.byteLength(begin) - Buffer.byteLength(end))
    const text = `${begin}\n\n[… output cut: about ${left} of ${bytes} bytes are left out here …]\n\n${end}`
    return { text, bytes, cut: true, binary: false }
  }

  #ends(): { readonly head: Uint8Array; readonly tail: Uint8Array } {
    const size = this.#head.length
    const beyond = this.#bytes - size
    if (beyond <= size) {
      return { head: this.#head.subarray(0, this.#bytes), tail: this.#tail.subarray(0, Math.max(0, beyond)) }
    }
    const at = beyond % size
    return { head: this.#head, tail: Buffer.concat([this.#tail.subarray(at), this.#tail.subarray(0, at)]) }
  }
}

/** Escape sequences of terminals: colours, cursor movements, titles. */
const TERMINAL =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is removed
  /\u001B(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001B]*(?:\u0007|\u001B\\)|[@-Z\\-_])/g

/** Text for the model: what a person would see on a terminal, without what only the terminal sees. */
export const readable = (text: string): string => visibleText(text.replace(TERMINAL, ""))

/** Bytes as text; what is no UTF-8 is replaced, and a character that is broken off at the end is left out. */
const shown = (bytes: Uint8Array): string => readable(new TextDecoder().decode(bytes, { stream: true }))

/** How many bytes at the beginning belong to a character that began before. */
function continuation(bytes: Uint8Array): number {
  let count = 0
  while (count < MAX_CHARACTER - 1 && ((bytes[count] ?? 0) & 0xc0) === 0x80) count++
  return count
}

/** NUL bytes, or mostly bytes that are no UTF-8: nothing to read. */
function isBinary(bytes: Uint8Array): boolean {
  if (bytes.includes(0)) return true
  const text = new TextDecoder().decode(bytes, { stream: true })
  return text.split("\uFFFD").length - 1 > text.length * 0.3
}

function lastCodePoints(text: string, count: number): string {
  let index = text.length
  for (let taken = 0; taken < count && index > 0; taken++) {
    const isLow = text.charCodeAt(index - 1) >> 10 === 0xdc00 >> 10
    index -= isLow && index > 1 ? 2 : 1
  }
  return text.slice(index)
}
