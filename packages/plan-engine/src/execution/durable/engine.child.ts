import process from "node:process"
import { sqliteStore } from "@orra/store-sql"
import { enginePeer } from "../../conformance/engine-peer.ts"
import { embedded } from "./embedded.ts"

const [, , path = "", ...given] = process.argv
await enginePeer(embedded({ leaseMs: 300 }), await sqliteStore({ path }), given)
