import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { expect, test } from "vitest"
import { Database } from "./database.ts"
import { testFolder } from "./fixture.ts"
import { listsFor } from "./session-list.ts"
import { anyFor, firstEntries, lastEntries, rareFor } from "./session-tables.ts"

const folder = testFolder()

/** How SQLite would run it: a range of an index, or a walk over everything. */
test.each([
  [
    "the first entries",
    firstEntries.text.sqlite,
    /SEARCH entries USING INDEX .*\(ns=\? AND seq>\? AND seq<\?\)/,
  ],
  [
    "the last entries",
    lastEntries.text.sqlite,
    /SEARCH entries USING INDEX .*\(ns=\? AND seq>\? AND seq<\?\)/,
  ],
])("%s are read by a range of an index, already in order", (_, sql, plan) => {
  const path = join(folder, "plans.db")
  new Database({ path, busyMs: 1_000 }).close()
  const sqlite = new DatabaseSync(path)
  const steps = sqlite
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all()
    .map((row) => String(row["detail"]))
  sqlite.close()
  expect(steps).toEqual([expect.stringMatching(plan)])
})

test.each(["asc", "desc"] as const)(
  "the entries of rare types are found in the index of types, of all others in the key alone (%s)",
  (order) => {
    const path = join(folder, "types.db")
    new Database({ path, busyMs: 1_000 }).close()
    const sqlite = new DatabaseSync(path)
    const plan = (sql: string): readonly string[] =>
      sqlite
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all()
        .map((row) => String(row["detail"]))
    const range = /USING COVERING INDEX entries_type \(ns=\? AND type=\? AND seq>\? AND seq<\?\)/
    const searches = plan(rareFor(2, order).text.sqlite).filter((detail) =>
      /SEARCH|SCAN entries/.test(detail),
    )
    expect(searches).toEqual([expect.stringMatching(range), expect.stringMatching(range)])
    expect(plan(anyFor(2, order).text.sqlite)).toEqual([
      expect.stringMatching(/USING COVERING INDEX \S+ \(ns=\? AND seq>\? AND seq<\?\)/),
    ])
    sqlite.close()
  },
)

test("the newest sessions are found in an index, and only those that are shown are read", () => {
  const path = join(folder, "lists.db")
  new Database({ path, busyMs: 1_000 }).close()
  const sqlite = new DatabaseSync(path)
  const plan = (sql: string): readonly string[] =>
    sqlite
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all()
      .map((row) => String(row["detail"]))
  const { newest, walked, sorted } = listsFor({})
  expect(plan(newest.text.sqlite)).toEqual([
    "CO-ROUTINE newest",
    expect.stringMatching(/SEARCH s USING COVERING INDEX sessions_recent/),
    "SCAN newest",
    expect.stringMatching(/SEARCH s USING INTEGER PRIMARY KEY/),
  ])
  expect(plan(walked.text.sqlite)).toEqual([expect.stringMatching(/SEARCH s USING INDEX sessions_recent/)])
  expect(plan(sorted.text.sqlite)).toEqual([
    "MULTI-INDEX OR",
    "INDEX 1",
    expect.stringMatching(/\(ns>\? AND ns<\?\)/),
    "INDEX 2",
    expect.stringMatching(/\(ns=\?\)/),
    "USE TEMP B-TREE FOR ORDER BY",
  ])
  sqlite.close()
})
