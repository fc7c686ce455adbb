import {
  assertDistinct,
  type Json,
  Namespace,
  pageLimit,
  type RecordChange,
  type Records,
  recordName,
  type StoredRecord,
  StoreError,
  VersionConflict,
} from "@orra/core"
import { sql as raw } from "kysely"
import { type Database, statement } from "./database.ts"
import { fromJson, toJson } from "./json.ts"
import { sql } from "./schema.ts"
import { atOrBelow } from "./session-tables.ts"
import type { WriteQueue } from "./write-queue.ts"

type Place = Readonly<{ ns: string; collection: string; key: string }>

const selectRecord = statement((p: Place) =>
  sql
    .selectFrom("records")
    .select(["ns", "key", "value", "version", "updated_at"])
    .where("ns", "=", p.ns)
    .where("collection", "=", p.collection)
    .where("key", "=", p.key),
)
const selectVersion = statement((p: Place) =>
  sql
    .selectFrom("records")
    .select("version")
    .where("ns", "=", p.ns)
    .where("collection", "=", p.collection)
    .where("key", "=", p.key),
)
const takeVersion = statement((_: Record<never, never>) =>
  sql
    .updateTable("counters")
    .set((eb) => ({ value: eb("value", "+", 1) }))
    .where("name", "=", "record_version")
    .returning("value"),
)
const putRecord = statement((p: Place & { value: string; version: number; updated_at: number }) =>
  sql
    .insertInto("records")
    .values({
      ns: p.ns,
      collection: p.collection,
      key: p.key,
      value: p.value,
      version: p.version,
      updated_at: p.updated_at,
    })
    .onConflict((conflict) =>
      conflict.columns(["ns", "collection", "key"]).doUpdateSet((eb) => ({
        value: eb.ref("excluded.value"),
        version: eb.ref("excluded.version"),
        updated_at: eb.ref("excluded.updated_at"),
      })),
    ),
)
const deleteRecord = statement((p: Place) =>
  sql
    .deleteFrom("records")
    .where("ns", "=", p.ns)
    .where("collection", "=", p.collection)
    .where("key", "=", p.key),
)
export const selectRecords = statement((p: Place & { readonly limit: number }) =>
  sql
    .selectFrom("records")
    .select(["ns", "key", "value", "version", "updated_at"])
    .where("ns", "=", p.ns)
    .where("collection", "=", p.collection)
    .where("key", ">", p.key)
    .orderBy("key")
    .limit(p.limit),
)

interface Row {
  readonly ns: string
  readonly key: string
  readonly value: string
  readonly version: number
  readonly updated_at: number
}

/** A write that is ready for the transaction: names checked, value turned into text. */
type Write = Place & { readonly value: string | undefined; readonly expected: number | undefined }

export function recordsOf(
  collection: string,
  database: () => Database,
  queue: WriteQueue,
  now: () => number,
): Records {
  recordName(collection)
  const place = ({ key: ns }: Namespace, key: string): Place => ({ ns, collection, key: recordName(key) })
  const prepared = (change: RecordChange): Write => ({
    ...place(change.namespace, change.key),
    value: "deleted" in change ? undefined : toJson(change.value, "A record"),
    expected: change.expected,
  })
  const submit = async (changes: readonly RecordChange[]): Promise<readonly (number | undefined)[]> => {
    assertDistinct(changes)
    const writes = changes.map(prepared)
    const open = database()
    return queue.submit(() => {
      assertExpected(open, writes)
      return writes.map((write) => apply(open, write, now()))
    })
  }
  return {
    async get(namespace, key) {
      const open = database()
      const row = open.get(selectRecord, place(namespace, key))
      return row && toRecord(open, row, namespace)
    },
    async put(namespace, key, value, options) {
      const [version = 0] = await submit([{ namespace, key, value, ...options }])
      return version
    },
    async write(changes) {
      const versions = await submit(changes)
      return versions.map((version) => version ?? 0)
    },
    async delete(namespace, key, options) {
      const [version] = await submit([{ namespace, key, deleted: true, ...options }])
      return version !== undefined
    },
    async list(namespace, options = {}) {
      const limit = pageLimit(options.limit)
      const open = database()
      const { cursor } = options
      const rows = options.below
        ? listBelow(open, collection, namespace, limit + 1, cursor)
        : open.all(selectRecords, {
            ns: namespace.key,
            collection,
            key: cursor?.slice(cursor.indexOf("\n") + 1) ?? "",
            limit: limit + 1,
          })
      const page = rows.slice(0, limit)
      const items = page.map((row) => toRecord(open, row, namespace))
      const last = page.at(-1)
      return last && rows.length > limit ? { items, cursor: `${last.ns}\n${last.key}` } : { items }
    },
  }
}

function listBelow(
  database: Database,
  collection: string,
  namespace: Namespace,
  limit: number,
  cursor: string | undefined,
): readonly Row[] {
  let query = sql
    .selectFrom("records")
    .select(["ns", "key", "value", "version", "updated_at"])
    .where(atOrBelow(namespace))
    .where("collection", "=", collection)
    .orderBy("ns")
    .orderBy("key")
    .limit(limit)
  if (cursor !== undefined) {
    const split = cursor.indexOf("\n")
    query = query.where(raw<boolean>`(ns, key) > (${cursor.slice(0, split)}, ${cursor.slice(split + 1)})`)
  }
  return database.select(query)
}

/** Refused before anything is written: a transaction is shared, so what was written would stay. */
function assertExpected(database: Database, writes: readonly Write[]): void {
  for (const { expected, ns, collection, key } of writes) {
    if (expected === undefined) continue
    const actual = database.get(selectVersion, { ns, collection, key })?.version ?? 0
    if (actual !== expected) throw new VersionConflict(expected, actual)
  }
}

/** The new version; 0 when the record was removed, undefined when there was none to remove. */
function apply(database: Database, { ns, collection, key, value }: Write, now: number): number | undefined {
  if (value === undefined) return database.run(deleteRecord, { ns, collection, key }) > 0 ? 0 : undefined
  const version = database.get(takeVersion, {})?.value
  if (version === undefined) {
    throw new StoreError("store_corrupt", "The counter of records is missing: restore a snapshot.", {
      path: database.path,
    })
  }
  database.run(putRecord, { ns, collection, key, value, version, updated_at: now })
  return version
}

const toRecord = (database: Database, row: Row, namespace: Namespace): StoredRecord => ({
  namespace: row.ns === namespace.key ? namespace : Namespace.parse(row.ns),
  key: row.key,
  value: fromJson<Json>(database.path, row.value),
  version: row.version,
  updatedAt: row.updated_at,
})
