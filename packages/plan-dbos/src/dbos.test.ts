import { durableConformance } from "@orra/plan-engine/conformance"
import { type PostgresServer, postgresServer } from "@orra/testing/postgres"
import pg from "pg"
import { afterAll, beforeAll } from "vitest"

let server: PostgresServer
beforeAll(async () => {
  server = await postgresServer({ durable: false })
})
afterAll(() => server?.stop())

let places = 0
durableConformance("DBOS on PostgreSQL", {
  peer: new URL("dbos.child.ts", import.meta.url),
  place: async () => {
    const database = `place_${places++}`
    const client = new pg.Client({ connectionString: server.url.replace("orra@", "postgres@") })
    await client.connect()
    await client.query(`CREATE DATABASE ${database} OWNER orra`)
    await client.end()
    return [server.url.replace(/postgres$/, database)]
  },
  isFull: Boolean(process.env["ORRA_TEST_FULL"]),
})
