import { VersionConflict } from "./errors.ts"
import type { Json } from "./json.ts"
import type { Namespace } from "./namespace.ts"
import type { Records } from "./records.ts"
import type { SessionStore } from "./store.ts"

/** Who did it, for the audit. */
export interface By {
  readonly by?: string
}

/** Of each namespace there is one. */
const KEY = "set"

/**
 * Writes what an application sets in memory into a store that keeps an audit, which then says who changed what. What is
 * there already is not written again: a program that starts sets what it set before, and has changed nothing.
 */
export class Recorded {
  readonly #records: Records | undefined
  readonly #report: (error: unknown) => void
  #last: Promise<void> = Promise.resolve()

  constructor(
    store: Pick<SessionStore, "records" | "audited"> | undefined,
    collection: string,
    report: (error: unknown) => void,
  ) {
    this.#records = store?.audited ? store.records(collection) : undefined
    this.#report = report
  }

  /** In the order of the calls, some time after them. Null: there is none any more. */
  write(namespace: Namespace, value: unknown, by: string | undefined): void {
    const records = this.#records
    if (!records) return
    const now = JSON.parse(JSON.stringify(value, withoutEnd)) as Json
    this.#last = this.#last.then(() => write(records, namespace, now, by)).catch(this.#report)
  }

  /** What was asked for until now is written, or its failure was reported. */
  settled(): Promise<void> {
    return this.#last
  }
}

async function write(
  records: Records,
  namespace: Namespace,
  value: Json,
  by: string | undefined,
): Promise<void> {
  const text = JSON.stringify(value)
  for (;;) {
    const before = await records.get(namespace, KEY)
    const recorded = (before?.value as { readonly value: Json } | undefined)?.value ?? null
    if (JSON.stringify(recorded) === text) return
    try {
      const next = { value, ...(by !== undefined && { by }) }
      await records.put(namespace, KEY, next, { expected: before?.version ?? 0 })
      return
    } catch (error) {
      // Another process was first: what it wrote may be the same.
      if (!(error instanceof VersionConflict)) throw error
    }
  }
}

/** JSON has no number for "without end". */
const withoutEnd = (_: string, value: unknown): unknown =>
  value === Number.POSITIVE_INFINITY ? "Infinity" : value
