import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Json, MemoryStore, Namespace, StoreError } from "@orra/core"
import { afterAll, afterEach, expect, test } from "vitest"
import { durableConformance, engineConformance } from "../../conformance/durable-suite.ts"
import type { Durable, DurableHost, DurableRun, Workflow } from "./durable.ts"
import { embedded } from "./embedded.ts"

const ROOT = Namespace.of("plans")
const RUN = ROOT.child("p_1", "o_1")
const FULL = Boolean(process.env["ORRA_TEST_FULL"])
const folder = mkdtempSync(join(tmpdir(), "orra-durable-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
durableConformance("embedded", {
  peer: new URL("embedded.child.ts", import.meta.url),
  args: () => [join(folder, "plans.db")],
  // Just after a signal was taken.
  ...(!FULL && { kills: [9] }),
})

if (FULL)
  engineConformance("an engine with SQLite", {
    peer: new URL("engine.child.ts", import.meta.url),
    args: () => [join(folder, "engine.db")],
  })

const opened: Durable[] = []
afterEach(async () => {
  for (const durable of opened.splice(0)) await durable.close()
})

async function open(
  store: DurableHost["store"],
  workflows: Readonly<Record<string, Workflow>>,
): Promise<Durable> {
  const durable = embedded({ leaseMs: 60 })({ store, root: ROOT, workflows, onError: () => {} })
  opened.push(durable)
  await durable.open()
  return durable
}

test("a run's steps, children and signals leave nothing behind when it has ended", async () => {
  const store = new MemoryStore()
  const over = Promise.withResolvers<Json>()
  const durable = await open(store, {
    main: async (run) => {
      const step = await run.step("a", async () => 1)
      const child = await run.child("below", "c", 2)
      await run.sleep("s", 1)
      const heard = await run.wait("t")
      const nothing = await run.wait("t", 1)
      over.resolve([step, child, heard ?? null, nothing ?? null])
      return null
    },
    below: async (run, input) => await run.step("b", async () => Number(input) * 10),
  })
  await durable.start("main", RUN, null)
  await durable.signal(RUN, "t", "hello")
  expect(await over.promise).toEqual([1, 20, "hello", null])
  await until(async () => (await durable.list(ROOT)).items.length === 0)
  await durable.close()
  for (const name of await store.collections()) {
    if (name === "durable-engines") continue
    const left = await store.records(name).list(ROOT, { below: true })
    expect(left.items, name).toEqual([])
  }
})

test("an engine that was taken for dead ends its part when it notices, and the run goes on in the other", async () => {
  const store = new MemoryStore()
  const runs: DurableRun[] = []
  const waits: Workflow = async (run) => {
    runs.push(run)
    return (await run.wait("t")) ?? null
  }
  let isAway = false
  const cutOff: DurableHost["store"] = {
    records: (name) => store.records(name),
    acquire: (...given) => store.acquire(...given),
    release: (...given) => store.release(...given),
    renew: (...given) =>
      isAway ? Promise.reject(new StoreError("store_away", "It is away.")) : store.renew(...given),
  }
  const one = await open(cutOff, { waits })
  await one.start("waits", RUN, null)
  isAway = true
  const two = await open(store, { waits })
  await until(async () => runs.length === 2)
  expect(runs.map(({ signal }) => signal.aborted)).toEqual([false, false])
  isAway = false
  await until(async () => runs[0]?.signal.aborted === true)
  await two.signal(RUN, "t", "hello")
  await until(async () => (await two.list(ROOT)).items.length === 0)
})

async function until(isThere: () => Promise<boolean>): Promise<void> {
  while (!(await isThere())) await new Promise((resolve) => setTimeout(resolve, 2))
}
