import { isolationConformance, storeConformance } from "@orra/testing/conformance"
import { testServer } from "./fixture.ts"
import { postgresStore } from "./index.ts"

const server = testServer()

let schemas = 0
const open = ({ now }: { readonly now: () => number }) =>
  postgresStore({ url: server().url, schema: `test_${++schemas}`, maxConnections: 3, now })

storeConformance("PostgreSQL", open)
isolationConformance("PostgreSQL", open)
