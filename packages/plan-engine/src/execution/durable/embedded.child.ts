import process from "node:process"
import { sqliteStore } from "@orra/store-sql"
import { durablePeer } from "../../conformance/durable-peer.ts"
import { embedded } from "./embedded.ts"

const [, , path = "", root = "", killAt = ""] = process.argv
const store = await sqliteStore({ path })
await durablePeer(embedded({ leaseMs: 300 }), store, root, killAt)
await store.close()
