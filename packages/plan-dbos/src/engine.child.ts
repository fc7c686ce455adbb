import process from "node:process"
import { enginePeer } from "@orra/plan-engine/conformance-peer"
import { postgresStore } from "@orra/store-sql"
import { dbos } from "./index.ts"

const [, , url = "", ...given] = process.argv
await enginePeer(dbos({ url, leaseMs: 500 }), await postgresStore({ url }), given)
