import { Namespace } from "@orra/core"
import pg from "pg"
import { expect, onTestFinished, test } from "vitest"
import { testServer } from "./fixture.ts"
import { postgresStore } from "./index.ts"
import { CLOCK } from "./postgres-schema.ts"
import { takeSnapshot } from "./postgres-snapshot.ts"
import { changesIn, migrations } from "./schema.ts"
import { compiled } from "./statement.ts"

const server = testServer()

test("a schema of an older format keeps its rows, goes on counting where it was, and is walled in", async () => {
  const client = new pg.Client({ connectionString: server().url, options: "-c search_path=orra" })
  await client.connect()
  onTestFinished(() => client.end())
  await client.query("CREATE SCHEMA orra")
  await client.query("CREATE TABLE format (one boolean PRIMARY KEY DEFAULT true, version integer NOT NULL)")
  await client.query("INSERT INTO format (version) VALUES (4)")
  await client.query(CLOCK)
  for (const change of migrations.slice(0, 4).flatMap((step) => changesIn(step, "postgres"))) {
    const { sql, parameters } = compiled(change, "postgres")
    await client.query(sql, [...parameters])
  }
  await client.query("INSERT INTO records VALUES ('herald', 'logins', 'k', '1', 5, 41)")
  await client.query("INSERT INTO records VALUES ('other', 'logins', 'k', '1', 5, 40)")
  await client.query("UPDATE counters SET value = 41")

  const store = await postgresStore({ url: server().url })
  onTestFinished(() => store.close())
  const herald = Namespace.of("herald")
  const logins = store.records("logins")
  expect(await logins.get(herald, "k")).toMatchObject({ value: 1, version: 41 })
  expect(await logins.put(herald, "k", 2, { expected: 41 })).toBeGreaterThan(41)
  const lease = await store.acquire(herald, "owner", 60_000)
  expect(lease?.token).toBeGreaterThan(41)
  if (lease) await store.release(lease)
  expect((await client.query("SELECT * FROM records")).rows).toEqual([])

  // As it was, in a schema beside it, from which is erased what is erased.
  const snapshot = async (table: string): Promise<readonly unknown[]> =>
    (await client.query(`SELECT * FROM orra_format_4.${table}`)).rows
  expect(await snapshot("records")).toMatchObject([
    { ns: "herald", key: "k", version: "41" },
    { ns: "other" },
  ])
  expect(await snapshot("format")).toMatchObject([{ version: 4 }])
  expect(await snapshot("counters")).toHaveLength(2)
  await (await postgresStore({ url: server().url })).close()
  await store.erase?.(herald)
  expect(await snapshot("records")).toMatchObject([{ ns: "other" }])
})

test("one that is walled in already is copied whole, and stays walled in", async () => {
  const schema = "later"
  const store = await postgresStore({ url: server().url, schema })
  await store.records("notes").put(Namespace.of("ann"), "k", 1)
  await store.close()
  const client = new pg.Client({ connectionString: server().url })
  await client.connect()
  onTestFinished(() => client.end())
  await takeSnapshot(client as unknown as pg.PoolClient, schema, 9)
  expect((await client.query("SELECT * FROM later_format_9.records")).rows).toMatchObject([{ ns: "ann" }])
  expect((await client.query("SELECT * FROM later.records")).rows).toEqual([])
  // One that is there stays.
  await client.query("DELETE FROM later_format_9.records")
  await takeSnapshot(client as unknown as pg.PoolClient, schema, 9)
  expect((await client.query("SELECT * FROM later_format_9.records")).rows).toEqual([])
})

test("the key of entries gets their type beside it, in a schema that is walled in already", async () => {
  const schema = "walled"
  const opened = () => postgresStore({ url: server().url, schema })
  const ns = Namespace.of("ann", "chat")
  const store = await opened()
  await store.append(ns, [{ type: "meta", at: 1, patch: { title: "Kept" } }], { expected: 0 })
  await store.close()
  const client = new pg.Client({ connectionString: server().url, options: `-c search_path=${schema}` })
  await client.connect()
  onTestFinished(() => client.end())
  // As format 5 had it.
  await client.query(
    "ALTER TABLE entries DROP CONSTRAINT entries_key, ADD CONSTRAINT entries_key PRIMARY KEY (ns, seq)",
  )
  await client.query("DROP INDEX entries_type")
  await client.query("CREATE INDEX entries_type ON entries (ns, type, seq) WHERE type <> 'delta'")
  await client.query("UPDATE format SET version = 5")

  const again = await opened()
  onTestFinished(() => again.close())
  expect(await again.read(ns, { types: ["meta"] })).toMatchObject([{ seq: 1, patch: { title: "Kept" } }])
  const { rows } = await client.query<{ indexdef: string }>(
    "SELECT indexdef FROM pg_indexes WHERE tablename = 'entries' AND schemaname = 'walled' ORDER BY indexname",
  )
  expect(rows.map(({ indexdef }) => indexdef)).toEqual([
    expect.stringContaining("(ns, seq) INCLUDE (type)"),
    expect.stringContaining("run_finished"),
  ])
  expect((await client.query("SELECT * FROM entries")).rows).toEqual([])
})
