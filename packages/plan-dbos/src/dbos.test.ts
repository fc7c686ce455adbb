import { durableConformance } from "@orra/plan-engine/conformance"
import { type PostgresServer, postgresServer } from "@orra/testing/postgres"
import { afterAll, beforeAll } from "vitest"

let server: PostgresServer
beforeAll(async () => {
  server = await postgresServer({ durable: false })
})
afterAll(() => server?.stop())

durableConformance("DBOS on PostgreSQL", {
  peer: new URL("dbos.child.ts", import.meta.url),
  args: () => [server.url],
  isFull: Boolean(process.env["ORRA_TEST_FULL"]),
})
