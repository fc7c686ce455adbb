import { VersionConflict } from "./errors.ts"
import { frozenCopy } from "./frozen.ts"
import { keyOf, type Namespace } from "./namespace.ts"
import { pageLimit } from "./paging.ts"
import { assertDistinct, type RecordChange, type Records, recordName, type StoredRecord } from "./records.ts"

/** The records of one collection in memory. `now` is asked at each call and throws when the store is closed. */
export function memoryRecords(now: () => number): Records {
  const kept = new Map<string, StoredRecord>()
  let lastVersion = 0

  const write = async (changes: readonly RecordChange[]): Promise<readonly number[]> => {
    const updatedAt = now()
    assertDistinct(changes)
    const places = changes.map(({ namespace, key, expected }) => {
      const at = place(namespace, key)
      const actual = kept.get(at)?.version ?? 0
      if (expected !== undefined && expected !== actual) throw new VersionConflict(expected, actual)
      return at
    })
    const values = changes.map((change) => ("deleted" in change ? undefined : frozenCopy(change.value)))
    return changes.map(({ namespace, key }, index) => {
      const at = places[index] ?? ""
      const value = values[index]
      if (value === undefined) {
        kept.delete(at)
        return 0
      }
      lastVersion += 1
      kept.set(at, Object.freeze({ namespace, key, value, version: lastVersion, updatedAt }))
      return lastVersion
    })
  }

  return {
    write,
    async get(namespace, key) {
      now()
      return kept.get(place(namespace, key))
    },
    async put(namespace, key, value, options) {
      const [version = 0] = await write([{ namespace, key, value, ...options }])
      return version
    },
    async delete(namespace, key, options) {
      const isThere = kept.has(place(namespace, key))
      await write([{ namespace, key, deleted: true, ...options }])
      return isThere
    },
    async list(namespace, options = {}) {
      now()
      keyOf(namespace)
      const { cursor = "", below } = options
      const limit = pageLimit(options.limit)
      const found = [...kept]
        .filter(([at, record]) => at > cursor && isListed(namespace, record, below))
        .sort(([a], [b]) => (a < b ? -1 : 1))
      const items = found.slice(0, limit)
      const last = items.at(-1)
      const records = items.map(([, record]) => record)
      return last && found.length > limit ? { items: records, cursor: last[0] } : { items: records }
    },
  }
}

const isListed = (namespace: Namespace, record: StoredRecord, below: boolean | undefined): boolean =>
  below ? namespace.contains(record.namespace) : namespace.equals(record.namespace)

/** No namespace's key has a control character, so these sort by namespace, then by key. */
const place = (namespace: Namespace, key: string): string => `${keyOf(namespace)}\n${recordName(key)}`
