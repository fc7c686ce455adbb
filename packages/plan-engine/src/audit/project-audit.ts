import {
  isObject,
  type Json,
  type JsonObject,
  type Namespace,
  type Records,
  type SessionStore,
  VersionConflict,
} from "@orra/core"
import { FIRST_HASH, hashAfter, numberKey } from "../chain.ts"

/** What somebody asked a project for, and how it was answered. */
export interface AuditEntry {
  /** ms since 1970. */
  readonly at: number
  /** The id of the key, or `host` for who makes projects. */
  readonly by: string
  /** The method and path of the route, such as `POST /orchestrations/:id/cancel`. */
  readonly action: string
  /** What it was about: an id, a name or an address. */
  readonly subject?: string
  readonly status: number
  /** Why it was refused. */
  readonly code?: string
}

/** An entry and its place in the log, from 0. */
export interface NumberedAuditEntry {
  readonly number: number
  readonly hash: string
  readonly entry: AuditEntry
}

/** The end of a log: how many entries it has, and the hash of the last. */
interface Head {
  readonly count: number
  readonly hash: string
}

const HEAD = "head"

/**
 * Who did what to a project over the API: appended and never changed, each entry with a hash over itself and the one before.
 */
export class ProjectAudit {
  readonly #records: Records
  readonly #root: Namespace
  /** One after the other of each project: they would only be in each other's way. */
  readonly #appending = new Map<string, Promise<void>>()

  constructor(store: Pick<SessionStore, "records">, root: Namespace) {
    this.#records = store.records("plan-audit")
    this.#root = root
  }

  async append(projectId: string, entry: AuditEntry): Promise<void> {
    const before = this.#appending.get(projectId) ?? Promise.resolve()
    const appended = before.then(() => this.#append(this.#root.child(projectId), entry))
    const settled = appended.catch(() => {})
    this.#appending.set(projectId, settled)
    try {
      await appended
    } finally {
      if (this.#appending.get(projectId) === settled) this.#appending.delete(projectId)
    }
  }

  /** The newest first, `limit` of them, those before the number `before`. */
  async page(
    projectId: string,
    { limit, before }: { readonly limit: number; readonly before?: number },
  ): Promise<readonly NumberedAuditEntry[]> {
    const namespace = this.#root.child(projectId)
    const { count } = headIn((await this.#records.get(namespace, HEAD))?.value)
    const last = Math.min(before ?? count, count)
    const numbers = Array.from({ length: Math.min(limit, last) }, (_, index) => last - 1 - index)
    const found = await Promise.all(numbers.map((number) => this.#entry(namespace, number)))
    return found.filter((entry) => entry !== undefined)
  }

  /** Whether all of it is there, each entry as it was written. `brokenAt` is the number of the first that is not. */
  async verify(
    projectId: string,
  ): Promise<{ readonly entries: number; readonly head?: string; readonly brokenAt?: number }> {
    const namespace = this.#root.child(projectId)
    const head = headIn((await this.#records.get(namespace, HEAD))?.value)
    let hash = FIRST_HASH
    for (let number = 0; number < head.count; number++) {
      const kept = await this.#entry(namespace, number)
      if (!kept || kept.hash !== hashAfter(hash, kept.entry)) return { entries: number, brokenAt: number }
      hash = kept.hash
    }
    if (hash !== head.hash) return { entries: head.count, brokenAt: head.count }
    return { entries: head.count, ...(head.count > 0 && { head: hash }) }
  }

  async #append(namespace: Namespace, entry: AuditEntry): Promise<void> {
    for (;;) {
      const head = await this.#records.get(namespace, HEAD)
      const { count, hash: last } = headIn(head?.value)
      const hash = hashAfter(last, entry)
      const value = { entry: { ...entry }, hash }
      try {
        await this.#records.write([
          { namespace, key: numberKey(count), value, expected: 0 },
          { namespace, key: HEAD, value: { count: count + 1, hash }, expected: head?.version ?? 0 },
        ])
        return
      } catch (error) {
        // Another engine has written one.
        if (!(error instanceof VersionConflict)) throw error
      }
    }
  }

  async #entry(namespace: Namespace, number: number): Promise<NumberedAuditEntry | undefined> {
    const value = (await this.#records.get(namespace, numberKey(number)))?.value
    if (!isObject(value)) return undefined
    const { entry, hash } = value as JsonObject
    if (!isObject(entry) || typeof hash !== "string") return undefined
    return { number, hash, entry: entry as unknown as AuditEntry }
  }
}

const headIn = (value: Json | undefined): Head =>
  value === undefined ? { count: 0, hash: FIRST_HASH } : (value as unknown as Head)
