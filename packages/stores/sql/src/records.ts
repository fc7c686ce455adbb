import {
  assertDistinct,
  firstPage,
  type Json,
  keyOf,
  Namespace,
  type Page,
  pageLimit,
  type RecordChange,
  type RecordListOptions,
  type Records,
  recordName,
  recordPlace,
  type StoredRecord,
  VersionConflict,
} from "@orra/core"
import { sql as raw } from "kysely"
import { linkOf } from "./audit-chain.ts"
import { eventOf, isAudited } from "./audit-records.ts"
import { add } from "./audit-table.ts"
import { nextOf } from "./counters.ts"
import { fromJson, toJson } from "./json.ts"
import { all, get, type Operation, run, select, within } from "./operation.ts"
import { currentMs, sql } from "./schema.ts"
import type { Carrier } from "./session-store.ts"
import { atOrBelow } from "./session-tables.ts"
import { statement } from "./statement.ts"

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
    .where("key", "=", p.key)
    .forUpdate(),
)
type NewRecord = Place & { readonly value: string; readonly version: number }

const insertRecord = (p: NewRecord) =>
  sql.insertInto("records").values({
    ns: p.ns,
    collection: p.collection,
    key: p.key,
    value: p.value,
    version: p.version,
    updated_at: currentMs,
  })

const KEY = ["ns", "collection", "key"] as const

const putRecord = statement((p: NewRecord) =>
  insertRecord(p).onConflict((conflict) =>
    conflict.columns(KEY).doUpdateSet((eb) => ({
      value: eb.ref("excluded.value"),
      version: eb.ref("excluded.version"),
      updated_at: eb.ref("excluded.updated_at"),
    })),
  ),
)
/** A record that is not there cannot be locked: of several that make it, only the first does. */
const addRecord = statement((p: NewRecord) =>
  insertRecord(p).onConflict((conflict) => conflict.columns(KEY).doNothing()),
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
type Write = Place & {
  readonly namespace: Namespace
  readonly value: string | undefined
  readonly expected: number | undefined
}

export function recordsOf(collection: string, carrier: Carrier): Records {
  recordName(collection)
  const place = (namespace: Namespace, key: string): Place => ({
    ns: keyOf(namespace),
    collection,
    key: recordName(key),
  })
  const prepared = (change: RecordChange): Write => ({
    ...place(change.namespace, change.key),
    namespace: change.namespace,
    value: "deleted" in change ? undefined : toJson(change.value, "A record"),
    expected: change.expected,
  })
  const submit = async (changes: readonly RecordChange[]): Promise<readonly (number | undefined)[]> => {
    assertDistinct(changes)
    const writes = changes.map(prepared)
    const { audit, now } = carrier
    const at = audit && isAudited(collection) ? now() : undefined
    return await carrier.write(() => (at === undefined ? apply(writes) : audited(writes, at)))
  }
  return {
    async get(namespace, key) {
      const at = place(namespace, key)
      return await carrier.read(() => within(namespace, find(at, namespace)))
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
      return await carrier.read(() => within(namespace, pageOf(collection, namespace, limit, options)))
    },
  }
}

function* find(at: Place, namespace: Namespace): Operation<StoredRecord | undefined> {
  const row = yield* get(selectRecord, at)
  return row && toRecord(row, namespace)
}

function* pageOf(
  collection: string,
  namespace: Namespace,
  limit: number,
  { below, cursor }: RecordListOptions,
): Operation<Page<StoredRecord>> {
  const key = cursor?.slice(cursor.indexOf("\n") + 1) ?? ""
  const rows = below
    ? yield* listBelow(collection, namespace, limit + 1, cursor)
    : yield* all(selectRecords, { ns: keyOf(namespace), collection, key, limit: limit + 1 })
  const found = rows.map((row) => toRecord(row, namespace))
  return firstPage(found, limit, (last) => recordPlace(last.namespace, last.key))
}

function listBelow(
  collection: string,
  namespace: Namespace,
  limit: number,
  cursor: string | undefined,
): Operation<readonly Row[]> {
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
  return select(query)
}

/**
 * Refused before anything is written: a transaction may be shared, so what was written would stay. Each is the new
 * version, 0 when the record was removed, undefined when there was none to remove.
 */
function* apply(writes: readonly Write[]): Operation<readonly (number | undefined)[]> {
  for (const write of writes) yield* within(write.namespace, assertExpected(write))
  const versions: (number | undefined)[] = []
  for (const write of writes) versions.push(yield* within(write.namespace, applyOne(write)))
  return versions
}

/** The same, written into the audit of each namespace. */
function* audited(writes: readonly Write[], at: number): Operation<readonly (number | undefined)[]> {
  const versions = yield* apply(writes)
  for (const write of writes) {
    const event = eventOf(write)
    if (!event) continue
    const link = linkOf(write.namespace, (digestOf) => [{ at, ...event(digestOf) }])
    yield* within(write.namespace, add(write.namespace, link))
  }
  return versions
}

function* assertExpected({ expected, ns, collection, key }: Write): Operation<void> {
  if (expected === undefined) return
  const actual = (yield* get(selectVersion, { ns, collection, key }))?.version ?? 0
  if (actual !== expected) throw new VersionConflict(expected, actual)
}

function* applyOne({ expected, ns, collection, key, value }: Write): Operation<number | undefined> {
  if (value === undefined) return (yield* run(deleteRecord, { ns, collection, key })) > 0 ? 0 : undefined
  const version = yield* nextOf("record_version")
  const written = yield* run(expected === 0 ? addRecord : putRecord, { ns, collection, key, value, version })
  if (written > 0) return version
  throw new VersionConflict(0, (yield* get(selectVersion, { ns, collection, key }))?.version ?? 0)
}

const toRecord = (row: Row, namespace: Namespace): StoredRecord => ({
  namespace: row.ns === namespace.key ? namespace : Namespace.parse(row.ns),
  key: row.key,
  value: fromJson<Json>(row.value),
  version: row.version,
  updatedAt: row.updated_at,
})
