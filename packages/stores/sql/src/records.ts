import { InvalidInput, type Json, type Namespace, type Page, pageLimit } from "@orra/core"
import { type Database, statement } from "./database.ts"
import { fromJson, toJson } from "./json.ts"
import { sql } from "./schema.ts"
import type { WriteQueue } from "./write-queue.ts"

/** A value that an application keeps, and when it was last written (ms since 1970). */
export interface StoredRecord {
  readonly key: string
  readonly value: Json
  readonly updatedAt: number
}

/** What `records.list` takes. `cursor` is the one of the page before. */
export interface RecordListOptions {
  /** 1 to 500, default 50. */
  readonly limit?: number
  readonly cursor?: string
}

/**
 * JSON values by namespace and key, for what an application keeps beside its sessions: settings, logins. Someone
 * else's key answers as one that does not exist.
 *
 * ```ts
 * const settings = store.records("settings")
 * await settings.put(ns, "theme", { dark: true })
 * ```
 */
export interface Records {
  get(namespace: Namespace, key: string): Promise<Json | undefined>
  /** Writes the value, replacing the one before; on disk when the promise resolves. @throws InvalidInput, StoreError. */
  put(namespace: Namespace, key: string, value: Json): Promise<void>
  /** True for the one caller that removed it: what may be used once is used by whoever gets true. */
  delete(namespace: Namespace, key: string): Promise<boolean>
  /** The records of exactly this namespace, by key. */
  list(namespace: Namespace, options?: RecordListOptions): Promise<Page<StoredRecord>>
}

type Place = Readonly<{ ns: string; collection: string; key: string }>

const selectRecord = statement((p: Place) =>
  sql
    .selectFrom("records")
    .select("value")
    .where("ns", "=", p.ns)
    .where("collection", "=", p.collection)
    .where("key", "=", p.key),
)
const putRecord = statement((p: Place & { readonly value: string; readonly updated_at: number }) =>
  sql
    .insertInto("records")
    .values({ ns: p.ns, collection: p.collection, key: p.key, value: p.value, updated_at: p.updated_at })
    .onConflict((conflict) =>
      conflict.columns(["ns", "collection", "key"]).doUpdateSet((eb) => ({
        value: eb.ref("excluded.value"),
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
const selectRecords = statement((p: Place & { readonly limit: number }) =>
  sql
    .selectFrom("records")
    .select(["key", "value", "updated_at"])
    .where("ns", "=", p.ns)
    .where("collection", "=", p.collection)
    .where("key", ">", p.key)
    .orderBy("key")
    .limit(p.limit),
)

export function recordsOf(
  collection: string,
  database: () => Database,
  queue: WriteQueue,
  now: () => number,
): Records {
  checkName(collection, "collection")
  const place = ({ key: ns }: Namespace, key: string): Place => ({
    ns,
    collection,
    key: checkName(key, "key"),
  })
  return {
    async get(namespace, key) {
      const open = database()
      const row = open.get(selectRecord, place(namespace, key))
      return row && fromJson<Json>(open.path, row.value)
    },
    async put(namespace, key, value) {
      const row = { ...place(namespace, key), value: toJson(value, "A record") }
      const open = database()
      await queue.submit(() => open.run(putRecord, { ...row, updated_at: now() }))
    },
    async delete(namespace, key) {
      const row = place(namespace, key)
      const open = database()
      return (await queue.submit(() => open.run(deleteRecord, row))) > 0
    },
    async list(namespace, options = {}) {
      const limit = pageLimit(options.limit)
      const after = { ns: namespace.key, collection, key: options.cursor ?? "", limit: limit + 1 }
      const open = database()
      const rows = open.all(selectRecords, after)
      const items = rows.slice(0, limit).map(({ key, value, updated_at }) => ({
        key,
        value: fromJson<Json>(open.path, value),
        updatedAt: updated_at,
      }))
      const last = items.at(-1)
      return last && rows.length > limit ? { items, cursor: last.key } : { items }
    },
  }
}

/** Two texts with lone surrogates could become one on disk, so they cannot name anything. */
function checkName(text: string, what: string): string {
  if (text !== "" && text.length <= 1_024 && text.isWellFormed() && !text.includes("\0")) return text
  throw new InvalidInput(`A record's ${what} is 1 to 1,024 characters of well-formed text.`, {
    length: text.length,
  })
}
