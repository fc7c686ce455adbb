import type { DeltaPiece, NewEntry } from "./session.ts"

/** A piece that still grows. */
type Growing = DeltaPiece & { text?: string }

/**
 * Turns the pieces of an answer into `delta` entries. Pieces that arrive while one entry is being written, or
 * within `intervalMs` of the last, share the next: a fast model costs a few appends a second, and the first
 * piece is on its way at once. With an interval of 0 there is always one being written while there is something to
 * write: pieces are shown as fast as the store takes them.
 */
export class DeltaWriter {
  readonly #append: (entry: NewEntry<"delta">) => Promise<number | undefined>
  readonly #runId: string
  readonly #messageId: string
  readonly #intervalMs: number
  #pending: Growing[] = []
  #writing: Promise<void> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #lastWrite = 0
  #error: { readonly cause: unknown } | undefined
  #range: { from: number; to: number } | undefined

  constructor(options: {
    readonly append: (entry: NewEntry<"delta">) => Promise<number | undefined>
    readonly runId: string
    readonly messageId: string
    readonly intervalMs: number
  }) {
    this.#append = options.append
    this.#runId = options.runId
    this.#messageId = options.messageId
    this.#intervalMs = options.intervalMs
  }

  /** The numbers of the entries written, to be dropped when the message is complete. */
  get range(): { from: number; to: number } | undefined {
    return this.#range
  }

  /** @throws what an earlier write failed with: the answer cannot go on when it is no longer recorded. */
  push(piece: DeltaPiece): void {
    if (this.#error) throw this.#error.cause
    const last = this.#pending.at(-1)
    if (last && joins(last, piece)) last.text = (last.text ?? "") + (piece.text ?? "")
    else this.#pending.push({ ...piece })
    if (this.#writing || this.#timer !== undefined) return
    const wait = this.#lastWrite + this.#intervalMs - Date.now()
    if (wait <= 0 || wait > this.#intervalMs) this.#write()
    else this.#timer = setTimeout(() => this.#write(), wait)
  }

  /** Resolves when nothing is being written any more. Pieces not yet begun are discarded: the message has them. */
  async settle(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#pending = []
    await this.#writing
    if (this.#error) throw this.#error.cause
  }

  #write(): void {
    this.#timer = undefined
    this.#writing = this.#writePending()
  }

  async #writePending(): Promise<void> {
    let wait = 0
    while (wait <= 0 && this.#pending.length > 0) {
      const pieces = this.#pending as readonly DeltaPiece[]
      this.#pending = []
      this.#lastWrite = Date.now()
      try {
        const seq = await this.#append({
          type: "delta",
          at: this.#lastWrite,
          runId: this.#runId,
          messageId: this.#messageId,
          pieces,
        })
        if (seq !== undefined) this.#range = { from: this.#range?.from ?? seq, to: seq }
      } catch (cause) {
        this.#error = { cause }
        this.#pending = []
      }
      wait = Math.min(this.#intervalMs, this.#lastWrite + this.#intervalMs - Date.now())
    }
    this.#writing = undefined
    if (this.#pending.length > 0) this.#timer = setTimeout(() => this.#write(), wait)
  }
}

const joins = (a: Growing, b: DeltaPiece): boolean =>
  a.type === b.type &&
  (a.type !== "tool_call" || (b.type === "tool_call" && a.id === b.id && b.name === undefined))
