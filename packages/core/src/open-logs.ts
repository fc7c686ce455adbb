import type { Driver } from "./driver.ts"
import { NotFound } from "./errors.ts"
import type { Namespace } from "./namespace.ts"
import type { SessionLog } from "./session-log.ts"

/** Sessions kept in memory between runs, besides those that run: a cache, never the truth. */
const MAX_OPEN = 128

/** The sessions that are in memory. */
export class OpenLogs {
  readonly #driver: Driver
  readonly #load: (namespace: Namespace) => Promise<SessionLog>
  readonly #logs = new Map<string, Promise<SessionLog>>()

  constructor(driver: Driver, load: (namespace: Namespace) => Promise<SessionLog>) {
    this.#driver = driver
    this.#load = load
  }

  /** The session's state. One that runs has exactly one, so that its run sees what is added to the queue. */
  async open(namespace: Namespace): Promise<SessionLog> {
    const log = this.#driver.get(namespace)?.log ?? (await this.#cached(namespace))
    return this.#driver.get(namespace)?.log ?? log
  }

  /** The same, as it is in the store now. @throws NotFound without such a session. */
  async existing(namespace: Namespace): Promise<SessionLog> {
    const log = await this.open(namespace)
    await log.refresh()
    if (log.info) return log
    this.forget(namespace)
    throw new NotFound("session")
  }

  forget({ key }: Namespace): void {
    this.#logs.delete(key)
  }

  #cached(namespace: Namespace): Promise<SessionLog> {
    const { key } = namespace
    const known = this.#logs.get(key)
    // Most recently used last.
    this.#logs.delete(key)
    const log = known ?? this.#load(namespace)
    this.#logs.set(key, log)
    if (known) return log
    log.catch(() => this.forget(namespace))
    for (const oldest of this.#logs.keys()) {
      if (this.#logs.size <= MAX_OPEN) break
      this.#logs.delete(oldest)
    }
    return log
  }
}
