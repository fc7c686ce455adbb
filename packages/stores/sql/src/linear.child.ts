// A process of the trials in which many share a store and some are killed.

import { serveTrial } from "@orra/testing/linear"
import { postgresStore } from "./postgres-store.ts"
import { sqliteStore } from "./sqlite-store.ts"

const [, script, place, history, name] = process.argv
if (script === import.meta.filename && place && history && name) {
  const store = place.startsWith("postgres:")
    ? await postgresStore({ url: place, maxConnections: 4 })
    : await sqliteStore({ path: place })
  await serveTrial(store, history, name)
}
