import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Json, MemoryStore, Namespace } from "@orra/core"
import { afterAll, afterEach, expect, test } from "vitest"
import { durableConformance, engineConformance } from "../../conformance/durable-suite.ts"
import type { Durable, DurableRun, Workflow } from "./durable.ts"
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

engineConformance("an engine with SQLite", {
  peer: new URL("engine.child.ts", import.meta.url),
  args: () => [join(folder, "engine.db")],
  isFull: FULL,
})

const opened: Durable[] = []
afterEach(async () => {
  for (const durable of opened.splice(0)) await durable.close()
})

async function open(
  workflow: (run: DurableRun, input: Json) => Promise<Json>,
  {
    store = new MemoryStore(),
    leaseMs = 30,
    more = {} as Record<string, Workflow>,
    errors = [] as unknown[],
  } = {},
): Promise<Durable> {
  const durable = embedded({ leaseMs })({
    store,
    root: ROOT,
    workflows: { main: workflow, ...more },
    onError: (error) => void errors.push(error),
  })
  opened.push(durable)
  await durable.open()
  return durable
}

test("a run's steps, children and signals leave nothing behind when it has ended", async () => {
  const store = new MemoryStore()
  const over = Promise.withResolvers<Json>()
  const durable = await open(
    async (run) => {
      const step = await run.step("a", async () => 1)
      const child = await run.child("below", "c", 2)
      await run.sleep("s", 1)
      const heard = await run.wait("t")
      const nothing = await run.wait("t", 1)
      over.resolve([step, child, heard ?? null, nothing ?? null])
      return null
    },
    { store, more: { below: async (run, input) => await run.step("b", async () => Number(input) * 10) } },
  )
  await durable.start("main", RUN, null)
  await durable.signal(RUN, "t", "hello")
  expect(await over.promise).toEqual([1, 20, "hello", null])
  await until(async () => (await durable.list(ROOT)).items.length === 0)
  await durable.close()
  for (const name of await store.collections(ROOT)) {
    if (name === "durable-engines") continue
    const left = await store.records(name).list(ROOT, { below: true })
    expect(left.items, name).toEqual([])
  }
})

async function until(isThere: () => Promise<boolean>): Promise<void> {
  while (!(await isThere())) await new Promise((resolve) => setTimeout(resolve, 2))
}
