import { Namespace } from "@orra/core"
import { type PostgresServer, postgresServer } from "@orra/testing/postgres"
import pg from "pg"
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest"
import { postgresStore } from "./index.ts"
import { CLOCK } from "./postgres-schema.ts"
import { migrations } from "./schema.ts"
import { compiled } from "./statement.ts"

let server: PostgresServer
beforeAll(async () => {
  server = await postgresServer()
}, 120_000)
afterAll(() => server.stop(), 60_000)

test("a schema of an older format keeps its rows, goes on counting where it was, and is walled in", async () => {
  const client = new pg.Client({ connectionString: server.url, options: "-c search_path=orra" })
  await client.connect()
  onTestFinished(() => client.end())
  await client.query("CREATE SCHEMA orra")
  await client.query("CREATE TABLE format (one boolean PRIMARY KEY DEFAULT true, version integer NOT NULL)")
  await client.query("INSERT INTO format (version) VALUES (4)")
  await client.query(CLOCK)
  for (const change of migrations.slice(0, 4).flat()) {
    const { sql, parameters } = compiled(change, "postgres")
    await client.query(sql, [...parameters])
  }
  await client.query("INSERT INTO records VALUES ('herald', 'logins', 'k', '1', 5, 41)")
  await client.query("UPDATE counters SET value = 41")

  const store = await postgresStore({ url: server.url })
  onTestFinished(() => store.close())
  const herald = Namespace.of("herald")
  const logins = store.records("logins")
  expect(await logins.get(herald, "k")).toMatchObject({ value: 1, version: 41 })
  expect(await logins.put(herald, "k", 2, { expected: 41 })).toBeGreaterThan(41)
  expect((await store.acquire(herald, "owner", 60_000))?.token).toBeGreaterThan(41)
  expect((await client.query("SELECT * FROM records")).rows).toEqual([])
})
