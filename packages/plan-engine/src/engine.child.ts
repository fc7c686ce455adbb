// An engine as a process of its own. It kills itself, as a power cut would, when its store has written so many records.
import process from "node:process"
import type { Records } from "@orra/core"
import { postgresStore, sqliteStore } from "@orra/store-sql"
import { scriptedProvider } from "@orra/testing"
import { heard, say } from "@orra/testing/process"
import { embedded } from "./execution/durable/embedded.ts"
import { createPlanEngine } from "./plan-engine.ts"

/** What it is told: what its model answers from then on (before that, what its second argument says), and after how many writes from then on it dies. */
export interface Told {
  readonly plan?: string
  readonly writes?: number
}

const [, , place = "", given = ""] = process.argv
let plan = given
let left = Number.POSITIVE_INFINITY
const written = <T>(value: T): T => {
  if (--left === 0) process.kill(process.pid, "SIGKILL")
  return value
}
const store = place.startsWith("postgres:")
  ? await postgresStore({ url: place, maxConnections: 4 })
  : await sqliteStore({ path: place })
const engine = createPlanEngine({
  store: {
    ...store,
    records: (collection): Records => {
      const records = store.records(collection)
      // That it lives is said from time to time, whatever happens.
      if (/-engines$|-pokes$/.test(collection)) return records
      return {
        ...records,
        put: async (...given) => written(await records.put(...given)),
        write: async (...given) => written(await records.write(...given)),
        delete: async (...given) => written(await records.delete(...given)),
      }
    },
  },
  provider: scriptedProvider([], { otherwise: () => plan }),
  durable: embedded({ leaseMs: 1_000 }),
  connections: { redeliverMs: [100, 500], handoverMs: 50, beatMs: 300 },
  retry: { delayMs: 1, maxDelayMs: 1 },
  undoRetry: { delayMs: 1, maxDelayMs: 1 },
  webhooks: { pauseMs: 20, allowInternal: true },
  onError: (error) => console.error(error),
})
await say(await engine.listen({ port: 0 }))
for await (const told of heard<Told>()) {
  plan = told.plan ?? plan
  left = told.writes ?? left
}
await engine.close()
await store.close()
