import { isolationConformance, storeConformance } from "@orra/testing/conformance"
import { testSchemas, testServer } from "./fixture.ts"
import { postgresStore } from "./index.ts"

const server = testServer()

const schema = testSchemas(server)
const open = async ({ now }: { readonly now: () => number }) =>
  postgresStore({ url: server().url, schema: await schema(), maxConnections: 3, now })

storeConformance("PostgreSQL", open)
isolationConformance("PostgreSQL", open)
