import { durableConformance, engineConformance } from "@orra/plan-engine/conformance"
import { type PostgresServer, postgresServer } from "@orra/testing/postgres"
import { afterAll, beforeAll } from "vitest"

/** Every day one process is killed while another is there. */
const FULL = Boolean(process.env["ORRA_TEST_FULL"])

let server: PostgresServer
beforeAll(async () => {
  server = await postgresServer({ durable: false })
})
afterAll(() => server?.stop())

durableConformance("DBOS on PostgreSQL", {
  peer: new URL("dbos.child.ts", import.meta.url),
  args: () => [server.url],
  ...(!FULL && { kills: [] }),
})

if (FULL)
  engineConformance("an engine with DBOS on PostgreSQL", {
    peer: new URL("engine.child.ts", import.meta.url),
    args: () => [server.url],
  })
