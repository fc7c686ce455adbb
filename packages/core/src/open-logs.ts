import { ByKey } from "./by-key.ts"
import type { Driver } from "./driver.ts"
import { NotFound } from "./errors.ts"
import type { Namespace } from "./namespace.ts"
import type { SessionLog } from "./session-log.ts"

/** Sessions kept in memory between runs, besides those that run, are as many to twice as many: a cache, never the truth. */
const OPEN = 64

/** The sessions that are in memory. */
export class OpenLogs {
  readonly #driver: Driver
  readonly #load: (namespace: Namespace) => Promise<SessionLog>
  /** Those used since the others were put aside: they go when there are as many of these. */
  #recent = new ByKey<Promise<SessionLog>>()
  #older = new ByKey<Promise<SessionLog>>()
  #count = 0

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
    this.#recent.delete(key)
    this.#older.delete(key)
  }

  #cached(namespace: Namespace): Promise<SessionLog> {
    const { key } = namespace
    const recent = this.#recent.get(key)
    const known = recent ?? this.#older.get(key)
    const log = known ?? this.#load(namespace)
    if (recent) return log
    if (++this.#count > OPEN) {
      this.#older = this.#recent
      this.#recent = new ByKey()
      this.#count = 1
    }
    this.#recent.set(key, log)
    if (!known) log.catch(() => this.forget(namespace))
    return log
  }
}
