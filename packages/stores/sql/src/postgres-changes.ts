import { setTimeout as pause } from "node:timers/promises"
import { Namespace, randomId } from "@orra/core"
import type { Client } from "pg"

/** What is written within this time is told together. */
const TOGETHER_MS = 2
/** PostgreSQL takes less than 8,000 bytes. */
const MAX_BYTES = 7_500
const RECONNECT_MS = 200

export interface ChangesOptions {
  /** The channel's name; only those who use the same one hear of each other. */
  readonly channel: string
  readonly connect: () => Promise<Client>
  readonly send: (text: string) => Promise<unknown>
  readonly onError: (error: unknown) => void
}

/**
 * Which sessions were written, from one process to the others. Only their names travel: whoever hears one reads what is
 * new. They are sent after the commit and in a transaction that waits for no disk, because PostgreSQL lets only one
 * transaction that notifies commit at a time. A name can be lost when its sender dies or a connection breaks: the
 * reader is told of the second, and has to look again by itself for the first.
 */
export class Changes {
  readonly #options: ChangesOptions
  /** Tells our own messages from the others'. */
  readonly #sender = randomId()
  #waiting = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: ChangesOptions) {
    this.#options = options
  }

  /** Tells the others, soon. */
  announce(namespace: Namespace): void {
    this.#waiting.add(namespace.key)
    this.#timer ??= setTimeout(() => void this.flush(), TOGETHER_MS)
  }

  /** Tells the others what has not been told yet. Never rejects. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const keys = [...this.#waiting]
    this.#waiting = new Set()
    const { channel, send, onError } = this.#options
    for (const message of messages(this.#sender, keys)) {
      try {
        await send(
          `BEGIN; SET LOCAL synchronous_commit = off; SELECT pg_notify('${channel}', ${literal(message)}); COMMIT`,
        )
      } catch (error) {
        onError(error)
      }
    }
  }

  /** What others write; undefined when some of it may have been missed, also at first. Ends when the signal fires. */
  async *listen(signal: AbortSignal): AsyncGenerator<Namespace | undefined, void, undefined> {
    const { channel, connect, onError } = this.#options
    while (!signal.aborted) {
      let client: Client | undefined
      try {
        client = await connect()
        const heard = new Inbox<string>(signal)
        client.on("notification", ({ payload = "" }) => heard.put(payload))
        client.on("error", () => heard.end())
        client.on("end", () => heard.end())
        await client.query(`LISTEN ${channel}`)
        yield undefined
        for await (const payload of heard) {
          const [sender, ...keys] = payload.split("\n")
          if (sender !== this.#sender) for (const key of keys) yield Namespace.parse(key)
        }
      } catch (error) {
        if (!signal.aborted) onError(error)
      } finally {
        await client?.end().catch(() => {})
      }
      await pause(RECONNECT_MS, undefined, { signal }).catch(() => {})
    }
  }
}

/** As few messages as hold all keys. */
function messages(sender: string, keys: readonly string[]): readonly string[] {
  const list: string[] = []
  let message = ""
  for (const key of keys) {
    const longer = `${message || sender}\n${key}`
    if (message !== "" && Buffer.byteLength(longer) > MAX_BYTES) {
      list.push(message)
      message = `${sender}\n${key}`
    } else message = longer
  }
  return message === "" ? list : [...list, message]
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/** What arrives while nobody waits for it is kept in order. */
class Inbox<T> {
  readonly #items: T[] = []
  #wake = Promise.withResolvers<void>()
  #ended = false

  constructor(signal: AbortSignal) {
    if (signal.aborted) this.end()
    else signal.addEventListener("abort", () => this.end(), { once: true })
  }

  put(item: T): void {
    this.#items.push(item)
    this.#wake.resolve()
  }

  end(): void {
    this.#ended = true
    this.#wake.resolve()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) yield item
      if (this.#ended) return
      await this.#wake.promise
      this.#wake = Promise.withResolvers<void>()
    }
  }
}
