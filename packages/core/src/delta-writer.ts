import type { DeltaPiece, NewEntry } from "./session.ts"

/**
 * Turns the pieces of an answer into `delta` entries. Pieces that arrive while one entry is being written, or
 * within `intervalMs` of the last, share the next: a fast model costs a few appends a second, and the first
 * piece is on its way at once.
 */
export class DeltaWriter {
  readonly #append: (entry: NewEntry<"delta">) => Promise<number | undefined>
  readonly #runId: string
  readonly #messageId: string
  readonly #intervalMs: number
  #pending: DeltaPiece[] = []
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
    if (last && joins(last, piece)) {
      this.#pending[this.#pending.length - 1] = {
        ...last,
        text: (last.text ?? "") + (piece.text ?? ""),
      } as DeltaPiece
    } else {
      this.#pending.push(piece)
    }
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
    clearTimeout(this.#timer)
    this.#timer = undefined
    const pieces = this.#pending
    this.#pending = []
    this.#lastWrite = Date.now()
    this.#writing = this.#append({
      type: "delta",
      at: this.#lastWrite,
      runId: this.#runId,
      messageId: this.#messageId,
      pieces,
    })
      .then((seq) => {
        if (seq !== undefined) this.#range = { from: this.#range?.from ?? seq, to: seq }
      })
      .catch((cause: unknown) => {
        this.#error = { cause }
        this.#pending = []
      })
      .then(() => {
        this.#writing = undefined
        if (this.#pending.length > 0 && this.#timer === undefined) {
          this.#timer = setTimeout(
            () => this.#write(),
            Math.max(0, this.#lastWrite + this.#intervalMs - Date.now()),
          )
        }
      })
  }
}

const joins = (a: DeltaPiece, b: DeltaPiece): boolean =>
  a.type === b.type &&
  (a.type !== "tool_call" || (b.type === "tool_call" && a.id === b.id && b.name === undefined))
