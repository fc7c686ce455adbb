import {
  everyItem,
  isObject,
  type Json,
  type JsonObject,
  type Namespace,
  OrraError,
  type Records,
} from "@orra/core"
import { FIRST_HASH, hashAfter, numberKey } from "../chain.ts"
import type { RunEntry, RunLog } from "./run-log.ts"

/** An entry as it is kept: with a hash over itself and the one before it. */
interface Kept {
  readonly entry: RunEntry
  readonly hash: string
}

/** An entry and its place in the log, from 0. */
export interface NumberedEntry extends Kept {
  readonly number: number
}

/**
 * A run's log in the records of a store: one record an entry, each with a hash over itself and the one before, so that
 * nothing can be changed, taken out or put in without that being seen.
 *
 * ```ts
 * const log = new RecordedLog(store.records("plan-runs"), Namespace.of("plans", projectId, runId))
 * await runPlan({ id: runId, plan, services, log, call })
 * ```
 *
 * @throws OrraError (`read`) `plan_log_broken` where the hashes do not fit; VersionConflict (`append`) when another process
 *   has written meanwhile: read it again.
 */
export class RecordedLog implements RunLog {
  readonly #records: Records
  readonly #namespace: Namespace
  #count = 0
  #last = FIRST_HASH

  constructor(records: Records, namespace: Namespace) {
    this.#records = records
    this.#namespace = namespace
  }

  async read(): Promise<readonly RunEntry[]> {
    const entries: RunEntry[] = []
    let last = FIRST_HASH
    for await (const { key, value } of everyItem((page) => this.#records.list(this.#namespace, page))) {
      const kept = keptIn(value)
      if (key !== numberKey(entries.length) || !kept || kept.hash !== hashAfter(last, kept.entry))
        throw broken(this.#namespace, key)
      entries.push(kept.entry)
      last = kept.hash
    }
    this.#count = entries.length
    this.#last = last
    return entries
  }

  /** What is there from this number on, `limit` at most, as it is: `read` says whether all of it is whole. */
  async from(number: number, limit: number): Promise<readonly NumberedEntry[]> {
    const found: NumberedEntry[] = []
    while (found.length < limit) {
      const place = number + found.length
      const record = await this.#records.get(this.#namespace, numberKey(place))
      const kept = record && keptIn(record.value)
      if (!kept) break
      found.push({ number: place, ...kept })
    }
    return found
  }

  async append(entry: RunEntry): Promise<void> {
    const hash = hashAfter(this.#last, entry)
    const value = { entry: entry as unknown as Json, hash }
    await this.#records.put(this.#namespace, numberKey(this.#count), value, { expected: 0 })
    this.#count++
    this.#last = hash
  }
}

function keptIn(value: Json): Kept | undefined {
  if (!isObject(value)) return undefined
  const { entry, hash } = value as JsonObject
  return isObject(entry) && typeof hash === "string"
    ? { entry: entry as unknown as RunEntry, hash }
    : undefined
}

const broken = (namespace: Namespace, key: string): OrraError =>
  new OrraError(
    "plan_log_broken",
    `The log of ${namespace.key} was changed, or a part of it is missing, at entry ${Number(key)}: restore it from a backup. Nothing was done.`,
    { namespace: namespace.key, entry: Number(key) },
  )
