import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type PostgresServer, type PostgresServerOptions, postgresServer } from "@orra/testing/postgres"
import pg from "pg"
import { afterAll, beforeAll, onTestFinished } from "vitest"

/** A folder for the tests of a file. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "orra-sql-"))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A PostgreSQL server for the tests of a file, once they run. Durable where they stop it. */
export function testServer(options: PostgresServerOptions = { durable: false }): () => PostgresServer {
  let server: PostgresServer | undefined
  beforeAll(async () => {
    server = await postgresServer(options)
  })
  afterAll(() => server?.stop())
  return () => {
    if (!server) throw new Error("The server starts with the tests.")
    return server
  }
}

/** Gives each test schemas without rows: to empty one that a test is done with is quicker than to make one. */
export function testSchemas(server: () => PostgresServer): () => Promise<string> {
  const free: string[] = []
  let made = 0
  return async () => {
    const known = free.pop()
    const schema = known ?? `test_${++made}`
    onTestFinished(() => void free.push(schema))
    if (known !== undefined) await emptied(server().url, known)
    return schema
  }
}

async function emptied(url: string, schema: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query<{ name: string }>(
    "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname = $1 AND tablename <> 'format'",
    [schema],
  )
  await client.query(`TRUNCATE ${rows.map(({ name }) => name).join(", ")}`)
  await client.end()
}
