import { firstCodePoints } from "@orra/core"

/** Characters of a line that are shown. */
const LINE = 2_000
/** A code point has at most four bytes; one more tells that there are more. */
const LINE_BYTES = LINE * 4 + 4

/** Some lines of a file that comes in pieces. What it holds does not grow with the file, nor with a line. */
export class LineWindow {
  readonly lines: string[] = []
  /** Lines that have ended so far. */
  count = 0
  /** Some bytes of what is shown were no UTF-8. */
  broken = false
  readonly #first: number
  readonly #last: number
  #room: number
  #parts: Buffer[] = []
  #kept = 0
  #length = 0

  /** Lines `first` to `last`, counted from 1, in at most `room` characters. */
  constructor(first: number, last: number, room: number) {
    this.#first = first
    this.#last = last
    this.#room = room
  }

  /** Nothing more will be shown. */
  get full(): boolean {
    return this.#room <= 0 || this.count >= this.#last
  }

  push(chunk: Buffer): void {
    for (let start = 0; ; ) {
      const end = chunk.indexOf(10, start)
      this.#keep(end < 0 ? chunk.subarray(start) : chunk.subarray(start, end))
      if (end < 0) return
      this.#endLine()
      start = end + 1
    }
  }

  /** The last line may have no end of its own. */
  end(): void {
    if (this.#length > 0) this.#endLine()
  }

  #keep(bytes: Buffer): void {
    this.#length += bytes.length
    if (this.full || this.count + 1 < this.#first || this.#kept >= LINE_BYTES) return
    const part = bytes.subarray(0, LINE_BYTES - this.#kept)
    // A copy: the piece it is part of is used again.
    this.#parts.push(Buffer.from(part))
    this.#kept += part.length
  }

  #endLine(): void {
    const isShown = !this.full && this.count + 1 >= this.#first
    this.count++
    if (isShown) this.#show()
    this.#parts = []
    this.#kept = this.#length = 0
  }

  #show(): void {
    const bytes = Buffer.concat(this.#parts, this.#kept)
    const text = new TextDecoder("utf-8", { ignoreBOM: this.count > 1 }).decode(bytes).replace(/\r$/, "")
    const shown = firstCodePoints(text, LINE)
    this.broken ||= shown.includes("\uFFFD") && !bytes.includes("\uFFFD")
    const cut = this.#length > this.#kept || shown.length < text.length
    const left = this.#length - Buffer.byteLength(shown)
    this.lines.push(cut ? `${shown} [line cut: ${left} bytes more]` : shown)
    this.#room -= shown.length + 8
  }
}
