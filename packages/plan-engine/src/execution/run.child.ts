import { appendFileSync } from "node:fs"
import process from "node:process"
import { Namespace } from "@orra/core"
import { sqliteStore } from "@orra/store-sql"
import { ORDER, SHOP } from "../fixture.ts"
import { RecordedLog, runPlan } from "../index.ts"

const [, , path = "", effects = "", step = ""] = process.argv
const OUTPUTS: Readonly<Record<string, object>> = {
  s_customer: { name: "Ada", address: { street: "Long Lane", zip: "1" } },
  s_inventory: { reserved: true, items: [{ id: "i-1", price: 5 }] },
  s_delivery: { day: "2026-12-01", cost: 3 },
}

/** Kills this process, as a power cut would, when so many things have happened: each gets a little further. */
let left = Number(step)
const happened = (): void => {
  if (left-- === 1) process.kill(process.pid, "SIGKILL")
}

const store = await sqliteStore({ path })
await runPlan({
  id: "o_1",
  plan: ORDER,
  services: SHOP,
  log: new RecordedLog(store.records("plan-runs"), Namespace.of("plans", "p_1", "o_1")),
  call: async ({ task, service, idempotencyKey }) => {
    appendFileSync(effects, `${task} ${idempotencyKey}\n`)
    happened()
    return { type: "done", output: { ...OUTPUTS[service.id] } }
  },
  onEntry: happened,
})
await store.close()
