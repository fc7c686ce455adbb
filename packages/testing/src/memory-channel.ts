import type { Channel, InboundMessage, Namespace, OutboundError, OutboundMessage } from "@orra/core"

/**
 * A channel in memory: what is pushed comes in, what is sent is kept.
 *
 * ```ts
 * const channel = new MemoryChannel()
 * channel.push(Namespace.of("bob"), "Hello")
 * await channel.until(() => channel.sent.length === 1)
 * ```
 */
export class MemoryChannel implements Channel {
  readonly name: string
  /** Everything sent, in order: answers as their text, errors as "!" and their code. */
  readonly sent: { readonly namespace: Namespace; readonly text: string }[] = []
  readonly answers: OutboundMessage[] = []
  readonly errors: OutboundError[] = []
  /** The messages that typing was shown for, each time. */
  readonly typed: InboundMessage[] = []
  /** The messages whose senders were told that the answer waits. */
  readonly held: InboundMessage[] = []
  /** What was shown of answers being written, each time. */
  readonly written: { readonly namespace: Namespace; readonly text: string }[] = []
  /** Pushed and not taken yet. */
  readonly inbox: InboundMessage[] = []
  /** Called before an answer counts as sent: throw, or take long. */
  onSend: (answer: OutboundMessage) => Promise<void> | void = () => {}
  /** Called before what is written of an answer counts as shown. */
  onWriting: (text: string) => Promise<void> | void = () => {}
  #receivers = 0
  #end: { readonly error?: Error } | undefined
  #changed = Promise.withResolvers<void>()

  constructor(name = "memory") {
    this.name = name
  }

  /** How often `receive` is going on. */
  get receivers(): number {
    return this.#receivers
  }

  push(namespace: Namespace, message: InboundMessage["message"], more: Partial<InboundMessage> = {}): void {
    this.inbox.push({ namespace, message, metadata: {}, ...more })
    this.#change()
  }

  /** The channel is closed, or broke. */
  end(error?: Error): void {
    this.#end = error ? { error } : {}
    this.#change()
  }

  /** Resolves as soon as `done` holds, which is looked at after each change. */
  async until(done: () => boolean): Promise<void> {
    while (!done()) await this.#changed.promise
  }

  async *receive(signal: AbortSignal): AsyncGenerator<InboundMessage> {
    const onAbort = (): void => this.#change()
    signal.addEventListener("abort", onAbort)
    this.#receivers++
    try {
      while (!signal.aborted) {
        const next = this.inbox.shift()
        if (next) yield next
        else if (this.#end?.error) throw this.#end.error
        else if (this.#end) return
        else await this.#changed.promise
      }
    } finally {
      signal.removeEventListener("abort", onAbort)
      this.#receivers--
    }
  }

  async send(answer: OutboundMessage): Promise<void> {
    await this.onSend(answer)
    this.answers.push(answer)
    this.sent.push({ namespace: answer.namespace, text: answer.result.text })
    this.#change()
  }

  async sendError(error: OutboundError): Promise<void> {
    this.errors.push(error)
    this.sent.push({ namespace: error.namespace, text: `! ${error.error.code}` })
    this.#change()
  }

  async waiting(message: InboundMessage): Promise<void> {
    this.held.push(message)
    this.#change()
  }

  async typing(message: InboundMessage): Promise<void> {
    this.typed.push(message)
    this.#change()
  }

  async writing({ namespace }: InboundMessage, text: string): Promise<void> {
    await this.onWriting(text)
    this.written.push({ namespace, text })
    this.#change()
  }

  #change(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}
