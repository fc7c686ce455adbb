import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type PostgresServer, type PostgresServerOptions, postgresServer } from "@orra/testing/postgres"
import { afterAll, beforeAll } from "vitest"

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
