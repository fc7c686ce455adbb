import { errorMessage, InvalidInput, VersionConflict } from "./errors.ts"
import type { Json } from "./json.ts"
import { keyOf, type Namespace } from "./namespace.ts"
import { everyItem } from "./paging.ts"
import { type Records, recordName, type StoredRecord } from "./records.ts"
import type { SessionStore } from "./store.ts"

/** What waits to be delivered. */
export interface OutboxMessage {
  readonly namespace: Namespace
  /** The same at every attempt: whoever gets a message twice knows it by its key. */
  readonly key: string
  readonly value: Json
  /** How often it was tried, this time included. */
  readonly attempts: number
  /** Why the last attempt failed. */
  readonly error?: string
  /** It failed too often and was put aside: the messages behind it go on. */
  readonly dead?: true
}

export interface OutboxOptions {
  /** The messages of outboxes with other names are not this one's. Default "outbox". */
  readonly name?: string
  /** Delivers a message. Whether it has failed is whether this rejects. When the signal fires, somebody else may try. */
  readonly deliver: (message: OutboxMessage, signal: AbortSignal) => Promise<void>
  /** How long an attempt may take, in ms; so long a message waits whose process died. Default 60,000. */
  readonly attemptMs?: number
  /** The pause after the first failure, in ms, which doubles with each until `maxPauseMs`. Default 1,000 and 300,000. */
  readonly pauseMs?: number
  readonly maxPauseMs?: number
  /** After so many failures a message is dead. Default 10. */
  readonly maxAttempts?: number
  /** Told of every failure. */
  readonly onError?: (error: unknown, message: OutboxMessage) => void
}

/** How many namespaces are delivered to at once. */
const AT_ONCE = 8
const POLL_MS = 5_000

/** A message as it is kept. `notBefore` also says that somebody is at it. ms since 1970, by the store's clock. */
interface Kept {
  readonly key: string
  readonly value: Json
  readonly attempts: number
  readonly notBefore: number
  readonly error?: string
  readonly dead?: true
}

/**
 * Messages to somewhere else, kept in the store until they have arrived: at least once each, and in the order in which they
 * were added to a namespace. One of however many processes tries a message; when it dies another one does. A failed message
 * holds back those behind it until it is dead.
 *
 * ```ts
 * const outbox = new Outbox(store, { deliver: ({ key, value }, signal) => post(value, { key, signal }) })
 * await outbox.add(ns, "reminder-7", { text: "Water the plants." })
 * await outbox.run(Namespace.of("household"), { signal }) // until the signal fires
 * ```
 */
export class Outbox {
  readonly #store: Pick<SessionStore, "records" | "now">
  readonly #records: Records
  readonly #options: Required<OutboxOptions>
  #wake = (): void => {}

  constructor(store: Pick<SessionStore, "records" | "now">, options: OutboxOptions) {
    this.#store = store
    this.#options = {
      name: "outbox",
      attemptMs: 60_000,
      pauseMs: 1_000,
      maxPauseMs: 300_000,
      maxAttempts: 10,
      onError: () => {},
      ...options,
    }
    this.#records = store.records(this.#options.name)
  }

  /**
   * Keeps the message; durable when the promise resolves.
   *
   * @returns false when one with this key waits already, or is dead: that one stays as it is.
   * @throws InvalidInput for a key that is empty or too long; StoreError.
   */
  async add(namespace: Namespace, key: string, value: Json): Promise<boolean> {
    keyOf(namespace)
    const mark = recordName(`key ${key}`)
    if (key === "") throw new InvalidInput("A message of an outbox needs a key.")
    const kept: Kept = { key, value, attempts: 0, notBefore: 0 }
    for (;;) {
      if (await this.#records.get(namespace, mark)) return false
      const last = await this.#records.get(namespace, LAST)
      const place = Number(last?.value ?? 0) + 1
      try {
        await this.#records.write([
          { namespace, key: LAST, value: place, expected: last?.version ?? 0 },
          { namespace, key: mark, value: place, expected: 0 },
          { namespace, key: placeKey(place), value: { ...kept }, expected: 0 },
        ])
        this.#wake()
        return true
      } catch (error) {
        // Somebody added another one, or this one.
        if (!(error instanceof VersionConflict)) throw error
      }
    }
  }

  /** What waits or is dead at and below the namespace, in the order of delivery. */
  async list(prefix: Namespace): Promise<readonly OutboxMessage[]> {
    return (await this.#kept(prefix)).map(({ namespace, value: { notBefore: _, ...kept } }) => ({
      namespace,
      ...kept,
    }))
  }

  /** Tries a dead message again, as if it were new. False when there is none with this key. */
  revive(namespace: Namespace, key: string): Promise<boolean> {
    return this.#change(namespace, key, ({ key, value }) => ({ key, value, attempts: 0, notBefore: 0 }))
  }

  /** Gives up a message that waits or is dead. False when there is none with this key. */
  remove(namespace: Namespace, key: string): Promise<boolean> {
    return this.#change(namespace, key, () => undefined)
  }

  /** Delivers until the signal fires, all that is at or below the prefix. Rejects when the store fails. */
  async run(
    prefix: Namespace,
    { signal, pollMs = POLL_MS }: { readonly signal: AbortSignal; readonly pollMs?: number },
  ): Promise<void> {
    while (!signal.aborted) {
      const { promise: woken, resolve } = Promise.withResolvers<void>()
      const wake = (): void => resolve()
      this.#wake = wake
      signal.addEventListener("abort", wake, { once: true })
      const due = await this.deliver(prefix, signal)
      const timer = setTimeout(wake, Math.min(due ?? pollMs, pollMs))
      await woken
      clearTimeout(timer)
      signal.removeEventListener("abort", wake)
    }
  }

  /**
   * Delivers what is due at and below the prefix, each namespace's messages one after the other.
   *
   * @returns how many ms later something will be due, undefined when nothing waits.
   */
  async deliver(prefix: Namespace, signal?: AbortSignal): Promise<number | undefined> {
    const queues = byNamespace(await this.#kept(prefix))
    let next: number | undefined
    const worker = async (): Promise<void> => {
      for (const queue of queues) {
        const due = await this.#deliverAll(queue, signal)
        if (due !== undefined) next = Math.min(next ?? due, due)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    return next
  }

  async #deliverAll(queue: readonly Item[], signal: AbortSignal | undefined): Promise<number | undefined> {
    for (const item of queue) {
      if (item.value.dead) continue
      if (signal?.aborted) return 0
      const due = await this.#attempt(item, signal)
      if (due !== undefined) return due
    }
    const [item] = queue
    if (item) await this.#forgetLast(item.namespace)
    return undefined
  }

  /** Undefined when the message has gone, or is dead: the next one may follow. Else when to come back, in ms. */
  async #attempt(item: Item, signal: AbortSignal | undefined): Promise<number | undefined> {
    const { attemptMs, maxAttempts, deliver, onError } = this.#options
    const { namespace } = item
    const now = await this.#now()
    if (item.value.notBefore > now) return item.value.notBefore - now
    const tried: Kept = { ...item.value, attempts: item.value.attempts + 1, notBefore: now + attemptMs }
    const version = await this.#put(item, tried, item.version)
    if (version === undefined) return attemptMs
    const { notBefore: _, ...shown } = tried
    const message: OutboxMessage = { namespace, ...shown }
    const late = AbortSignal.timeout(attemptMs)
    try {
      await inTime(deliver(message, signal ? AbortSignal.any([signal, late]) : late), late)
    } catch (error) {
      onError(error, message)
      const isLast = tried.attempts >= maxAttempts
      const pause = isLast ? 0 : this.#pauseAfter(tried.attempts)
      const notBefore = (await this.#now()) + pause
      const failed = { ...tried, notBefore, error: errorMessage(error).toWellFormed() }
      const kept = await this.#put(item, isLast ? { ...failed, dead: true } : failed, version)
      if (kept === undefined) return attemptMs
      return isLast ? undefined : pause
    }
    return (await this.#gone(item, version)) ? undefined : attemptMs
  }

  #pauseAfter(attempts: number): number {
    const { pauseMs, maxPauseMs } = this.#options
    return Math.min(pauseMs * 2 ** (attempts - 1), maxPauseMs)
  }

  async #kept(prefix: Namespace): Promise<readonly Item[]> {
    const items: Item[] = []
    for await (const record of everyItem((page) => this.#records.list(prefix, { below: true, ...page }))) {
      if (record.key.startsWith(PLACE)) items.push({ ...record, value: record.value as unknown as Kept })
    }
    return items
  }

  async #change(
    namespace: Namespace,
    key: string,
    change: (kept: Kept) => Kept | undefined,
  ): Promise<boolean> {
    for (;;) {
      const mark = await this.#records.get(namespace, recordName(`key ${key}`))
      const record = mark && (await this.#records.get(namespace, placeKey(Number(mark.value))))
      if (!record) return false
      const item: Item = { ...record, value: record.value as unknown as Kept }
      const after = change(item.value)
      const done = after
        ? (await this.#put(item, after, item.version)) !== undefined
        : await this.#gone(item, item.version)
      if (done) this.#wake()
      if (done) return true
    }
  }

  /** The new version, undefined when somebody else has changed it. */
  async #put({ namespace, key }: Item, kept: Kept, expected: number): Promise<number | undefined> {
    return await unlessChanged(() => this.#records.put(namespace, key, { ...kept }, { expected }))
  }

  async #gone({ namespace, key, value }: Item, expected: number): Promise<boolean> {
    const written = await unlessChanged(() =>
      this.#records.write([
        { namespace, key, deleted: true, expected },
        { namespace, key: `key ${value.key}`, deleted: true },
      ]),
    )
    return written !== undefined
  }

  /** Numbers begin anew where nothing is left. */
  async #forgetLast(namespace: Namespace): Promise<void> {
    const { items } = await this.#records.list(namespace, { limit: 2 })
    const [last] = items
    if (items.length !== 1 || last?.key !== LAST) return
    await unlessChanged(() => this.#records.delete(namespace, LAST, { expected: last.version }))
  }

  async #now(): Promise<number> {
    return (await this.#store.now?.()) ?? Date.now()
  }
}

type Item = Omit<StoredRecord, "value"> & { readonly value: Kept }

/** The number of the last message that was added. */
const LAST = "last"
const PLACE = "message "
/** In the order of the numbers, up to 2^53. */
const placeKey = (place: number): string => `${PLACE}${String(place).padStart(16, "0")}`

/** Those of one namespace after the other, as they are listed. */
function* byNamespace(items: readonly Item[]): Generator<readonly Item[], void, undefined> {
  for (let from = 0, to = 0; from < items.length; from = to) {
    const key = items[from]?.namespace.key
    while (to < items.length && items[to]?.namespace.key === key) to++
    yield items.slice(from, to)
  }
}

async function unlessChanged<T>(write: () => Promise<T>): Promise<T | undefined> {
  try {
    return await write()
  } catch (error) {
    if (error instanceof VersionConflict) return undefined
    throw error
  }
}

/** What the work comes to. @throws Error when it takes longer: what it still does is no longer waited for. */
function inTime(work: Promise<void>, late: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onLate = (): void => reject(new Error("The message was not delivered in time."))
    late.addEventListener("abort", onLate, { once: true })
    work.then(resolve, reject).finally(() => late.removeEventListener("abort", onLate))
  })
}
