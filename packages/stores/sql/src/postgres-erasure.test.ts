import { join } from "node:path"
import { eraseNamespace } from "@orra/core"
import { findInFolder, findInPostgres, plantCanaries, type Query } from "@orra/testing/erasure"
import pg from "pg"
import { expect, onTestFinished, test } from "vitest"
import { testServer } from "./fixture.ts"
import { postgresStore } from "./index.ts"

const server = testServer({ durable: true })

/** As the superuser, for whom no row-level security hides anything. */
async function connected(): Promise<Query> {
  const client = new pg.Client({ connectionString: server().url.replace("//orra@", "//postgres@") })
  client.on("error", () => {})
  await client.connect()
  onTestFinished(() => client.end())
  return (sql) => client.query(sql)
}

test("what was erased is in no table, and after a vacuum in no file of the server; all of the other is", {
  timeout: 240_000,
}, async () => {
  const store = await postgresStore({ url: server().url })
  onTestFinished(() => store.close())
  const { runtime, gone, kept } = await plantCanaries(store)
  const query = await connected()
  await query("ANALYZE")
  const before = await findInPostgres(query, kept.canary)
  const statistics = { "pg_catalog.pg_statistic": 1 }
  expect(Object.keys(before).sort()).toEqual(Object.keys(await findInPostgres(query, gone.canary)).sort())

  await eraseNamespace(runtime, gone.root)
  expect(await findInPostgres(query, gone.canary)).toEqual({})
  // Statistics are samples, which are taken again.
  expect({ ...(await findInPostgres(query, kept.canary)), ...statistics }).toEqual({
    ...before,
    ...statistics,
  })
  await runtime.recover(gone.root)
  await runtime.run(kept.root.child("later"), `${kept.canary} goes on`)
  await runtime.close()

  await store.vacuum()
  // The log that the server writes before its tables, and keeps for a while, is its administrator's affair.
  await query("ALTER SYSTEM SET wal_recycle = off")
  await query("SELECT pg_reload_conf()")
  await expect
    .poll(async () => {
      await query("SELECT pg_switch_wal()")
      await query("CHECKPOINT")
      return findInFolder(join(server().data, "pg_wal"), gone.canary)
    })
    .toEqual({})
  // Names of sessions that were told to others are forgotten with the next start.
  await server().restart()
  expect(findInFolder(server().data, gone.canary)).toEqual({})
  expect(Object.keys(findInFolder(join(server().data, "base"), kept.canary)).length).toBeGreaterThan(3)
  expect(await findInPostgres(await connected(), gone.canary)).toEqual({})
})
