import process from "node:process"
import { durablePeer } from "@orra/plan-engine/conformance"
import { postgresStore } from "@orra/store-sql"
import { dbos } from "./index.ts"

const [, , url = "", killAt = ""] = process.argv
const store = await postgresStore({ url })
await durablePeer(dbos({ url, leaseMs: 500 }), store, Number(killAt))
await store.close()
