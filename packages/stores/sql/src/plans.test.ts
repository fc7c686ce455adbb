import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { afterAll, beforeAll, expect, test } from "vitest"
import { Database } from "./database.ts"
import { testFolder } from "./fixture.ts"
import { listsFor } from "./session-list.ts"
import { anyFor, firstEntries, lastEntries, rareFor } from "./session-tables.ts"

const folder = testFolder()

const path = join(folder, "plans.db")
let sqlite: DatabaseSync
beforeAll(() => {
  new Database({ path, busyMs: 1_000 }).close()
  sqlite = new DatabaseSync(path)
})
afterAll(() => sqlite.close())

/** How SQLite would run it: a range of an index, or a walk over everything. */
const planOf = (sql: string): readonly string[] =>
  sqlite
    .prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .all()
    .map((row) => String(row["detail"]))

test.each([
  ["the first entries", firstEntries],
  ["the last entries", lastEntries],
])("%s are read by a range of an index, already in order", (_, { text }) => {
  expect(planOf(text.sqlite)).toEqual([
    expect.stringMatching(/SEARCH entries USING INDEX .*\(ns=\? AND seq>\? AND seq<\?\)/),
  ])
})

test.each(["asc", "desc"] as const)(
  "the entries of rare types are found in the index of types, of all others in the key alone (%s)",
  (order) => {
    const range = /USING COVERING INDEX entries_type \(ns=\? AND type=\? AND seq>\? AND seq<\?\)/
    const searches = planOf(rareFor(2, order).text.sqlite).filter((detail) =>
      /SEARCH|SCAN entries/.test(detail),
    )
    expect(searches).toEqual([expect.stringMatching(range), expect.stringMatching(range)])
    expect(planOf(anyFor(2, order).text.sqlite)).toEqual([
      expect.stringMatching(/USING COVERING INDEX \S+ \(ns=\? AND seq>\? AND seq<\?\)/),
    ])
  },
)

test("the newest sessions are found in an index, and only those that are shown are read", () => {
  const { newest, walked, sorted } = listsFor({})
  expect(planOf(newest.text.sqlite)).toEqual([
    "CO-ROUTINE newest",
    expect.stringMatching(/SEARCH s USING COVERING INDEX sessions_recent/),
    "SCAN newest",
    expect.stringMatching(/SEARCH s USING INTEGER PRIMARY KEY/),
  ])
  expect(planOf(walked.text.sqlite)).toEqual([expect.stringMatching(/SEARCH s USING INDEX sessions_recent/)])
  expect(planOf(sorted.text.sqlite)).toEqual([
    "MULTI-INDEX OR",
    "INDEX 1",
    expect.stringMatching(/\(ns>\? AND ns<\?\)/),
    "INDEX 2",
    expect.stringMatching(/\(ns=\?\)/),
    "USE TEMP B-TREE FOR ORDER BY",
  ])
})
