import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Namespace, VersionConflict } from "@orra/core"
import { expect, onTestFinished, test } from "vitest"
import { Database } from "./database.ts"
import { testFolder } from "./fixture.ts"
import { migrations } from "./schema.ts"
import { type SqliteStore, sqliteStore } from "./sqlite-store.ts"

const folder = testFolder()

let files = 0
const newPath = (): string => join(folder, `${++files}.db`)

async function open(path: string): Promise<SqliteStore> {
  const store = await sqliteStore({ path, now: () => 7 })
  onTestFinished(() => store.close())
  return store
}

const ns = Namespace.of("herald")

test("survive reopening, with their versions", async () => {
  const path = newPath()
  const first = await sqliteStore({ path })
  const version = await first.records("settings").put(ns, "a", 1)
  await first.close()
  const records = (await open(path)).records("settings")
  expect(await records.get(ns, "a")).toMatchObject({ value: 1, version })
  expect(await records.put(ns, "a", 2, { expected: version })).toBeGreaterThan(version)
})

test("what a refused batch would have written stays out of the transaction it shares", async () => {
  const path = newPath()
  const store = await open(path)
  const records = store.records("c")
  const beside = records.put(ns, "beside", 1)
  const refused = records.write([
    { namespace: ns, key: "a", value: 1 },
    { namespace: ns, key: "b", value: 1, expected: 99 },
  ])
  await expect(refused).rejects.toThrow(VersionConflict)
  await beside
  expect((await records.list(ns)).items.map(({ key }) => key)).toEqual(["beside"])
})

test("two connections to one file: of those that read the same version, one writes", async () => {
  const path = newPath()
  const [a, b] = [(await open(path)).records("c"), (await open(path)).records("c")]
  const version = await a.put(ns, "k", 0)
  const puts = [a, b, a, b].map((records, index) => records.put(ns, "k", index, { expected: version }))
  const results = await Promise.allSettled(puts)
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1)
})

test("a file of the first format keeps its records, each with a version", async () => {
  const path = newPath()
  new Database({ path, busyMs: 1_000, migrations: migrations.slice(0, 1) }).close()
  const old = new DatabaseSync(path)
  old.exec(
    `INSERT INTO records (ns, collection, key, value, updated_at) VALUES ('herald', 'logins', 'k', '{"a":1}', 5)`,
  )
  old.close()
  const records = (await open(path)).records("logins")
  const kept = await records.get(ns, "k")
  expect(kept).toEqual({ namespace: ns, key: "k", value: { a: 1 }, version: 1, updatedAt: 5 })
  expect(await records.put(ns, "k", { a: 2 }, { expected: 1 })).toBeGreaterThan(1)
  expect(await records.put(ns, "new", 1)).toBeGreaterThan(1)
})
