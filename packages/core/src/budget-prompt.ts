import { countMessage, type Tokenizer, type toolCounter } from "./context.ts"
import type { Message } from "./message.ts"
import type { ModelRequest } from "./provider.ts"

/** Counts the requests of a run. What was counted for the one before is not counted again. */
export class PromptCounter {
  readonly #tokenizer: Tokenizer
  readonly #tools: ReturnType<typeof toolCounter>
  #first: Message | undefined
  #last: Message | undefined
  #length = 0
  #tokens = 0
  #system: string | undefined
  #systemTokens = 0

  constructor(tokenizer: Tokenizer, tools: ReturnType<typeof toolCounter>) {
    this.#tokenizer = tokenizer
    this.#tools = tools
  }

  /** About what the request sends, in tokens. */
  count({ messages, system = "", tools }: ModelRequest): number {
    const grew = this.#length > 0 && messages[0] === this.#first && messages[this.#length - 1] === this.#last
    if (!grew) {
      this.#length = 0
      this.#tokens = 0
    }
    for (let index = this.#length; index < messages.length; index++) {
      const message = messages[index]
      if (message) this.#tokens += countMessage(message, this.#tokenizer)
    }
    this.#first = messages[0]
    this.#last = messages.at(-1)
    this.#length = messages.length
    if (system !== this.#system) {
      this.#system = system
      this.#systemTokens = this.#tokenizer.count(system)
    }
    return this.#tokens + this.#systemTokens + this.#tools(tools)
  }
}
