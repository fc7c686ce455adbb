import { VersionConflict } from "./errors.ts"
import { jsonText } from "./frozen.ts"
import type { Json } from "./json.ts"
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

/**
 * The records of one collection in memory. A value is kept as text, so that each reader gets one of its own: most are
 * written more often than read. `now` is asked at each call and throws when the store is closed.
 */
export function memoryRecords(now: () => number): Records {
  const kept = new Map<string, Written>()
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
    const texts = changes.map((change) => ("deleted" in change ? undefined : jsonText(change.value)))
    return changes.map(({ namespace, key }, index) => {
      const at = places[index] ?? ""
      const text = texts[index]
      if (text === undefined) {
        kept.delete(at)
        return 0
      }
      const version = ++lastVersion
      kept.set(at, { namespace, key, text, version, updatedAt })
      return version
    })
  }

  return {
    write,
    async get(namespace, key) {
      now()
      const written = kept.get(recordPlace(namespace, key))
      return written && opened(written)
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
      const { items, ...rest } = recordPage(kept, namespace, options)
      return { items: items.map(opened), ...rest }
    },
  }
}

/** A record with its value as text. */
type Written = Omit<StoredRecord, "value"> & { readonly text: string }

const opened = ({ text, ...record }: Written): StoredRecord => ({
  ...record,
  value: JSON.parse(text) as Json,
})

/** Where a record is kept in memory. No namespace's key has a control character: these sort by namespace, then by key. */
export const recordPlace = (namespace: Namespace, key: string): string =>
  `${keyOf(namespace)}\n${recordName(key)}`

/** A page of the records of a collection that is all in memory, by `recordPlace`: what `list` of a store answers. */
export function recordPage<T extends Pick<StoredRecord, "namespace" | "key">>(
  kept: ReadonlyMap<string, T>,
  namespace: Namespace,
  { cursor = "", below, limit: asked }: RecordListOptions,
): Page<T> {
  keyOf(namespace)
  const limit = pageLimit(asked)
  const found = [...kept]
    .filter(([at, record]) => at > cursor && isListed(namespace, record, below))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, record]) => record)
  return firstPage(found, limit, (last) => recordPlace(last.namespace, last.key))
}

const isListed = (
  namespace: Namespace,
  record: Pick<StoredRecord, "namespace">,
  below: boolean | undefined,
): boolean => (below ? namespace.contains(record.namespace) : namespace.equals(record.namespace))
