import { InvalidInput } from "./errors.ts"
import type { Json } from "./json.ts"
import type { Namespace } from "./namespace.ts"
import type { Page } from "./store.ts"

/** A JSON value that is kept beside the sessions. */
export interface StoredRecord {
  readonly namespace: Namespace
  readonly key: string
  readonly value: Json
  /** At least 1, and never given twice: a record that was deleted and made again has a new, larger one. */
  readonly version: number
  /** When it was last written, ms since 1970 by the store's clock. */
  readonly updatedAt: number
}

/** What a write relies on. */
export interface RecordOptions {
  /** The version that was read; 0 when there must be no such record. Default: whatever is there. */
  readonly expected?: number
}

/** One write of several: a new value, or the removal of the record. */
export type RecordChange = RecordOptions & { readonly namespace: Namespace; readonly key: string } & (
    | { readonly value: Json }
    | { readonly deleted: true }
  )

/** What `list` takes. `cursor` is the one of the page before. */
export interface RecordListOptions {
  /** 1 to 500, default 50. */
  readonly limit?: number
  readonly cursor?: string
  /** Also the records of all namespaces below. Default false. */
  readonly below?: boolean
}

/**
 * JSON values by namespace and key, for what is kept beside the sessions: approvals, budgets, settings, logins.
 * Someone else's key answers as one that does not exist. Deleting a session leaves the records of its namespace.
 *
 * ```ts
 * const settings = store.records("settings")
 * await settings.put(ns, "theme", { dark: true })
 *
 * // Read, decide, write: refused when somebody else wrote in between, also in another process.
 * const seen = await settings.get(ns, "uses")
 * await settings.put(ns, "uses", Number(seen?.value ?? 0) + 1, { expected: seen?.version ?? 0 })
 * ```
 */
export interface Records {
  get(namespace: Namespace, key: string): Promise<StoredRecord | undefined>
  /**
   * Writes the value; durable when the promise resolves.
   *
   * @returns the record's new version.
   * @throws VersionConflict when the record is not at `expected`; InvalidInput for what is not JSON; StoreError.
   */
  put(namespace: Namespace, key: string, value: Json, options?: RecordOptions): Promise<number>
  /**
   * Several writes, all or none. Each record is named once.
   *
   * @returns the new version of each, 0 where the record was removed.
   * @throws as `put`; VersionConflict when any record is not at its `expected`; InvalidInput when one is named twice.
   */
  write(changes: readonly RecordChange[]): Promise<readonly number[]>
  /**
   * True for the one caller that removed it: what may be used once is used by whoever gets true.
   *
   * @throws VersionConflict when the record is not at `expected`.
   */
  delete(namespace: Namespace, key: string, options?: RecordOptions): Promise<boolean>
  /** The records of this namespace by key; with `below` by namespace, then key. */
  list(namespace: Namespace, options?: RecordListOptions): Promise<Page<StoredRecord>>
}

const MAX_NAME = 1_024

/**
 * The name of a collection or a key, as every store can keep it. Two texts with lone surrogates could become one on
 * disk, so they cannot name anything.
 *
 * @throws InvalidInput unless it is 1 to 1,024 characters of well-formed text without NUL.
 */
export function recordName(text: string): string {
  if (text !== "" && text.length <= MAX_NAME && text.isWellFormed() && !text.includes("\0")) return text
  throw new InvalidInput("A record's collection and key are 1 to 1,024 characters of well-formed text.", {
    length: text.length,
  })
}

/** For stores: what `write` takes names each record once. @throws InvalidInput. */
export function assertDistinct(changes: readonly RecordChange[]): void {
  if (changes.length < 2) return
  const places = new Set(changes.map(({ namespace, key }) => `${namespace.key}\n${key}`))
  if (places.size < changes.length) throw new InvalidInput("Each record can be written once in one call.")
}
