// A process of the test of many: does the jobs of a database and tells of each that it has told somebody of, until it is
// killed.

import { Namespace, Peers, PolicyRegistry, Runtime } from "@orra/core"
import { postgresStore, sqliteStore } from "@orra/store-sql"
import { scriptedProvider } from "@orra/testing"
import { say } from "@orra/testing/process"
import { jobRights } from "./rights.ts"
import { Scheduler } from "./scheduler.ts"

const [place = ""] = process.argv.slice(2)
const store = await (place.startsWith("postgres")
  ? postgresStore({ url: place })
  : sqliteStore({ path: place }))
const policies = PolicyRegistry.allowAll()
const household = Namespace.of("household")
const runtime = new Runtime({
  provider: scriptedProvider([], { otherwise: "Done." }),
  store,
  policies,
  rights: jobRights(policies),
  peers: await Peers.join(store, { takeOver: household }),
  leaseTtlMs: 500,
  onError: () => {},
})
const scheduler = new Scheduler(runtime, {
  prefix: household,
  claimMs: 1_000,
  pollMs: 100,
  deliver: async ({ key }) => await say(key),
  onError: () => {},
})
await scheduler.run({ signal: new AbortController().signal })
