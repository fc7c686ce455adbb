import { countMessage, type Tokenizer, type toolCounter } from "./context.ts"
import type { Message } from "./message.ts"
import type { ModelRequest } from "./provider.ts"

interface Counted {
  readonly message: Message
  readonly tokens: number
}

/** Counts the requests of a session. What was counted for the one before is not counted again. */
export class PromptCounter {
  readonly #tokenizer: Tokenizer
  readonly #tools: ReturnType<typeof toolCounter>
  #first: Message | undefined
  #last: Message | undefined
  #length = 0
  #tokens = 0
  /** The messages after those, and what each of them counted. */
  #tail: readonly Counted[] = []
  #system: string | undefined
  #systemTokens = 0

  constructor(tokenizer: Tokenizer, tools: ReturnType<typeof toolCounter>) {
    this.#tokenizer = tokenizer
    this.#tools = tools
  }

  /** About what the request sends, in tokens. */
  count({ messages, system = "", tools }: ModelRequest): number {
    const isKnown =
      this.#length > 0 && messages[0] === this.#first && messages[this.#length - 1] === this.#last
    let tokens = isKnown ? this.#tokens : 0
    const from = isKnown ? this.#length : 0
    const tail: Counted[] = []
    // The last answer and its results are one message each until they are complete: only what is before them stays.
    const settled = messages.length - 2
    for (let index = from; index < messages.length; index++) {
      const message = messages[index]
      if (!message) continue
      const seen = this.#tail[index - from]
      const own = seen?.message === message ? seen.tokens : countMessage(message, this.#tokenizer)
      tokens += own
      if (index >= settled) tail.push({ message, tokens: own })
      if (index === settled - 1) {
        this.#first = messages[0]
        this.#last = message
        this.#length = settled
        this.#tokens = tokens
      }
    }
    this.#tail = tail
    if (system !== this.#system) {
      this.#system = system
      this.#systemTokens = this.#tokenizer.count(system)
    }
    return tokens + this.#systemTokens + this.#tools(tools)
  }
}
