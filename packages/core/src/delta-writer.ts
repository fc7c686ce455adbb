import type { DeltaPiece, Entry, NewEntry } from "./session.ts"

/** A piece that still grows. */
type Growing = DeltaPiece & { text?: string }

/** With an interval of 0, so many pieces are an entry though the last one was written within this millisecond. */
const BURST = 16

interface DeltaWriterOptions {
  readonly append: (entry: NewEntry<"delta">) => Promise<readonly Entry[]>
  readonly runId: string
  readonly messageId: string
  readonly intervalMs: number
}

/**
 * Turns the pieces of an answer into `delta` entries. Pieces that arrive while one entry is being written, or
 * within `intervalMs` of the last, share the next: a fast model costs a few appends a second, and the first
 * piece is on its way at once. With an interval of 0 pieces are shown as fast as the store takes them, those that come
 * within a millisecond in groups of 16: what arrives in one network chunk costs a sixteenth of the appends.
 */
export class DeltaWriter {
  readonly #options: DeltaWriterOptions
  #pending: Growing[] = []
  /** Pieces pushed since the last write. */
  #pushed = 0
  #writing: Promise<void> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #lastWrite = 0
  #error: { readonly cause: unknown } | undefined
  /** The numbers of the entries written, to be dropped when the message is complete. */
  range: { readonly from: number; readonly to: number } | undefined

  constructor(options: DeltaWriterOptions) {
    this.#options = options
  }

  /** @throws what an earlier write failed with: the answer cannot go on when it is no longer recorded. */
  push(piece: DeltaPiece): void {
    if (this.#error) throw this.#error.cause
    const last = this.#pending.at(-1)
    if (last && joins(last, piece)) last.text = (last.text ?? "") + (piece.text ?? "")
    else this.#pending.push({ ...piece })
    this.#pushed++
    if (this.#writing) return
    if (this.#isBurst()) this.#write()
    else if (this.#timer === undefined) this.#schedule()
  }

  /**
   * Resolves when nothing is being written any more; undefined where nothing is. Pieces not yet begun are discarded: the
   * message has them.
   *
   * @throws what a write failed with.
   */
  settle(): Promise<void> | undefined {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#discard()
    if (this.#writing) return this.#writing.then(() => this.settle())
    if (this.#error) throw this.#error.cause
    return undefined
  }

  #discard(): void {
    this.#pending = []
    this.#pushed = 0
  }

  #isBurst(): boolean {
    return this.#options.intervalMs === 0 && this.#pushed >= BURST
  }

  /** Writes now, or when the interval since the last write is over. */
  #schedule(): void {
    const interval = Math.max(1, this.#options.intervalMs)
    const wait = this.#lastWrite + interval - Date.now()
    if (wait <= 0 || wait > interval) this.#write()
    else this.#timer = setTimeout(() => this.#onTimer(), wait)
  }

  #onTimer(): void {
    this.#timer = undefined
    if (!this.#writing && this.#pending.length > 0) this.#schedule()
  }

  #write(): void {
    this.#writing = this.#writePending()
  }

  async #writePending(): Promise<void> {
    do {
      const pieces = this.#pending as readonly DeltaPiece[]
      this.#pending = []
      this.#pushed = 0
      this.#lastWrite = Date.now()
      const { append, runId, messageId } = this.#options
      try {
        const [written] = await append({
          type: "delta",
          at: this.#lastWrite,
          runId,
          messageId,
          pieces,
        })
        if (written) this.range = { from: this.range?.from ?? written.seq, to: written.seq }
      } catch (cause) {
        this.#error = { cause }
        this.#discard()
      }
    } while (this.#isBurst())
    this.#writing = undefined
    if (this.#pending.length > 0 && this.#timer === undefined) this.#schedule()
  }
}

const joins = (a: Growing, b: DeltaPiece): boolean =>
  a.type === b.type &&
  (a.type !== "tool_call" || (b.type === "tool_call" && a.id === b.id && b.name === undefined))
