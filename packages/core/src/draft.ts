import type { AssistantMessage, AssistantPart, ToolCallPart } from "./message.ts"
import type { DeltaPiece } from "./session.ts"

/**
 * An answer as far as it came. Unfinished tool calls are left out: their arguments are incomplete and they were
 * never carried out.
 */
export class Draft {
  readonly #parts: Exclude<AssistantPart, ToolCallPart>[] = []
  /** What the last part has so far: it becomes the part's text when the next one begins. */
  #text = ""
  readonly #provider: string
  readonly #model: string | undefined

  constructor(provider: string, model?: string) {
    this.#provider = provider
    this.#model = model
  }

  add(piece: DeltaPiece): void {
    if (piece.type === "tool_call") return
    if (this.#parts.at(-1)?.type === piece.type) {
      this.#text += piece.text
      return
    }
    this.#complete()
    this.#text = piece.text
    this.#parts.push(
      piece.type === "text"
        ? { type: "text", text: "" }
        : { type: "thinking", text: "", provider: this.#provider },
    )
  }

  #complete(): void {
    const last = this.#parts.pop()
    if (last) this.#parts.push({ ...last, text: this.#text })
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0
  }

  message(): AssistantMessage {
    this.#complete()
    return {
      role: "assistant",
      parts: [...this.#parts],
      provider: this.#provider,
      ...(this.#model !== undefined && { model: this.#model }),
    }
  }
}
