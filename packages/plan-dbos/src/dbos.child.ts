import process from "node:process"
import { durablePeer } from "@orra/plan-engine/conformance-peer"
import { postgresStore } from "@orra/store-sql"
import { dbos } from "./index.ts"

const [, , url = "", root = "", killAt = ""] = process.argv
const store = await postgresStore({ url })
await durablePeer(dbos({ url, leaseMs: 500 }), store, root, killAt)
await store.close()
