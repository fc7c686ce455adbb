import { StoreError } from "@orra/core"
import { get, type Operation } from "./operation.ts"
import type { Statement } from "./statement.ts"

type Counter = "lease_token" | "record_version"

const take: Statement<{ readonly name: Counter }, { readonly value: number }> = {
  text: {
    sqlite: "UPDATE counters SET value = value + 1 WHERE name = ? RETURNING value",
    // Everybody would wait for whoever has updated a row, until that one has committed.
    postgres: "SELECT nextval($1::text::regclass) AS value",
  },
  bind: ({ name }) => [name],
}

/** A number that was never given before, larger than all that were. */
export function* nextOf(name: Counter): Operation<number> {
  const row = yield* get(take, { name })
  if (row) return row.value
  throw new StoreError("store_corrupt", "A counter of the database is missing: restore a snapshot.", { name })
}
