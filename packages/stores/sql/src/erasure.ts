import { busyBelow, Namespace } from "@orra/core"
import { type Operation, select } from "./operation.ts"
import { currentMs, sql, type Tables } from "./schema.ts"
import { atOrBelow } from "./session-tables.ts"

/** Whether a table has rows of tenants: of each somebody has to have thought. Entries go before the sessions they are of. */
const HAS_TENANTS: Readonly<Record<keyof Tables, boolean>> = {
  entries: true,
  sessions: true,
  leases: true,
  records: true,
  // Kept, without what tells of whom they speak.
  audit: false,
  audit_heads: false,
  counters: false,
}

/** The tables that hold what belongs to a namespace, in their column `ns`. */
const TENANT_TABLES = (Object.keys(HAS_TENANTS) as (keyof Tables)[]).filter(
  (table): table is Exclude<keyof Tables, "audit" | "audit_heads" | "counters"> => HAS_TENANTS[table],
)

/** What PostgreSQL has to tidy up when rows were removed or changed. */
export const VACUUMED = Object.keys(HAS_TENANTS).filter((table) => table !== "counters")

export function* collections(prefix: Namespace): Operation<readonly string[]> {
  const rows = yield* select(
    sql.selectFrom("records").select("collection").where(atOrBelow(prefix)).groupBy("collection"),
  )
  return rows.map(({ collection }) => collection)
}

/** Everything at and below the prefix, in one transaction. @returns the sessions there were. */
export function* erase(prefix: Namespace): Operation<readonly Namespace[]> {
  const below = atOrBelow(prefix)
  // Refused before anything is written: a transaction may be shared.
  const held = yield* select(
    sql.selectFrom("leases").select("ns").where(below).where("expires_at", ">", currentMs).limit(1),
  )
  if (held.length > 0) throw busyBelow()
  const sessions = yield* select(sql.selectFrom("sessions").select("ns").where(below))
  for (const table of TENANT_TABLES) {
    yield { type: "query", query: sql.deleteFrom(table).where(below), rows: false }
  }
  return sessions.map(({ ns }) => Namespace.parse(ns))
}
