import { VersionConflict } from "./errors.ts"
import { copyJson } from "./frozen.ts"
import { keyOf, type Namespace } from "./namespace.ts"
import { firstPage, pageLimit } from "./paging.ts"
import {
  assertDistinct,
  type RecordChange,
  type RecordListOptions,
  type Records,
  recordName,
  type StoredRecord,
} from "./records.ts"
import type { Page } from "./store.ts"

/** The records of one collection in memory. `now` is asked at each call and throws when the store is closed. */
export function memoryRecords(now: () => number): Records {
  const kept = new Map<string, StoredRecord>()
  let lastVersion = 0

  const write = async (changes: readonly RecordChange[]): Promise<readonly number[]> => {
    const updatedAt = now()
    assertDistinct(changes)
    const places = changes.map(({ namespace, key, expected }) => {
      const at = recordPlace(namespace, key)
      const actual = kept.get(at)?.version ?? 0
      if (expected !== undefined && expected !== actual) throw new VersionConflict(expected, actual)
      return at
    })
    const values = changes.map((change) => ("deleted" in change ? undefined : copyJson(change.value)))
    return changes.map(({ namespace, key }, index) => {
      const at = places[index] ?? ""
      const value = values[index]
      if (value === undefined) {
        kept.delete(at)
        return 0
      }
      lastVersion += 1
      kept.set(at, { namespace, key, value, version: lastVersion, updatedAt })
      return lastVersion
    })
  }

  return {
    write,
    async get(namespace, key) {
      now()
      const record = kept.get(recordPlace(namespace, key))
      return record && shown(record)
    },
    async put(namespace, key, value, options) {
      const [version = 0] = await write([{ namespace, key, value, ...options }])
      return version
    },
    async delete(namespace, key, options) {
      const isThere = kept.has(recordPlace(namespace, key))
      await write([{ namespace, key, deleted: true, ...options }])
      return isThere
    },
    async list(namespace, options = {}) {
      now()
      const page = recordPage(kept, namespace, options)
      return { ...page, items: page.items.map(shown) }
    },
  }
}

/** A copy: whoever reads it cannot change what is kept. */
const shown = (record: StoredRecord): StoredRecord => ({ ...record, value: copyJson(record.value) })

/** Where a record is kept in memory. No namespace's key has a control character: these sort by namespace, then by key. */
export const recordPlace = (namespace: Namespace, key: string): string =>
  `${keyOf(namespace)}\n${recordName(key)}`

/** A page of the records of a collection that is all in memory, by `recordPlace`: what `list` of a store answers. */
export function recordPage(
  kept: ReadonlyMap<string, StoredRecord>,
  namespace: Namespace,
  { cursor = "", below, limit: asked }: RecordListOptions,
): Page<StoredRecord> {
  keyOf(namespace)
  const limit = pageLimit(asked)
  const found = [...kept]
    .filter(([at, record]) => at > cursor && isListed(namespace, record, below))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, record]) => record)
  return firstPage(found, limit, (last) => recordPlace(last.namespace, last.key))
}

const isListed = (namespace: Namespace, record: StoredRecord, below: boolean | undefined): boolean =>
  below ? namespace.contains(record.namespace) : namespace.equals(record.namespace)
