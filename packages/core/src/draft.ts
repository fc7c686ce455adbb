import type { AssistantMessage, AssistantPart } from "./message.ts"
import type { DeltaPiece } from "./session.ts"

/**
 * An answer as far as it came. Unfinished tool calls are left out: their arguments are incomplete and they were
 * never carried out.
 */
export class Draft {
  #parts: AssistantPart[] = []
  readonly #provider: string
  readonly #model: string | undefined

  constructor(provider: string, model?: string) {
    this.#provider = provider
    this.#model = model
  }

  add(piece: DeltaPiece): void {
    if (piece.type === "tool_call") return
    const last = this.#parts.at(-1)
    if (last?.type === piece.type) {
      this.#parts[this.#parts.length - 1] = { ...last, text: last.text + piece.text }
    } else if (piece.type === "text") {
      this.#parts.push({ type: "text", text: piece.text })
    } else {
      this.#parts.push({ type: "thinking", text: piece.text, provider: this.#provider })
    }
  }

  get isEmpty(): boolean {
    return this.#parts.length === 0
  }

  message(): AssistantMessage {
    return {
      role: "assistant",
      parts: this.#parts,
      provider: this.#provider,
      ...(this.#model !== undefined && { model: this.#model }),
    }
  }
}
