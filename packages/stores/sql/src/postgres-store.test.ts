import { isolationConformance, storeConformance } from "@orra/testing/conformance"
import { type PostgresServer, postgresServer } from "@orra/testing/postgres"
import { afterAll, beforeAll } from "vitest"
import { postgresStore } from "./index.ts"

let server: PostgresServer
beforeAll(async () => {
  server = await postgresServer()
}, 120_000)
afterAll(() => server.stop(), 60_000)

let schemas = 0
const open = ({ now }: { readonly now: () => number }) =>
  postgresStore({ url: server.url, schema: `test_${++schemas}`, maxConnections: 3, now })

storeConformance("PostgreSQL", open)
isolationConformance("PostgreSQL", open)
