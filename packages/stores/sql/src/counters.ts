import { StoreError } from "@orra/core"
import { get, type Operation } from "./operation.ts"
import { sql } from "./schema.ts"
import { statement } from "./statement.ts"

const take = statement((p: { name: string }) =>
  sql
    .updateTable("counters")
    .set((eb) => ({ value: eb("value", "+", 1) }))
    .where("name", "=", p.name)
    .returning("value"),
)

/** A number that was never given before, larger than all that were. */
export function* nextOf(name: "lease_token" | "record_version"): Operation<number> {
  const row = yield* get(take, { name })
  if (row) return row.value
  throw new StoreError("store_corrupt", "A counter of the database is missing: restore a snapshot.", { name })
}
