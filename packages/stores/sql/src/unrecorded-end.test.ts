import { join } from "node:path"
import { Namespace, Peers, Runtime, StoreError } from "@orra/core"
import { faulty, scriptedProvider } from "@orra/testing"
import { expect, test, vi } from "vitest"
import { testFolder } from "./fixture.ts"
import { sqliteStore } from "./sqlite-store.ts"

const folder = testFolder()

test("a run whose end could not be recorded is not given up: it is found as a dead process's is, and goes on", async () => {
  const acme = Namespace.of("acme")
  const ns = acme.child("bob")
  let ahead = 0
  const file = await sqliteStore({ path: join(folder, "orra.db"), now: () => Date.now() + ahead })
  // The first append begins the run; of the second nothing is written.
  const error = new StoreError("store_failed", "The disk is on fire.")
  const store = faulty(file, [{ method: "append", call: 2, fault: "fail", error }])
  const onError = vi.fn()
  const runtime = new Runtime({
    provider: scriptedProvider([], { otherwise: "Whole." }),
    store,
    peers: await Peers.join(store, { takeOver: acme }),
    leaseTtlMs: 5_000,
    onError,
  })
  await expect(runtime.run(ns, "Hello")).rejects.toMatchObject({ code: "store_failed" })
  // The lease that nobody renews runs out.
  ahead = 60_000
  await expect.poll(() => file.read(ns, { types: ["run_finished"] })).toHaveLength(1)
  expect(await file.read(ns, { types: ["run_started", "run_resumed", "run_finished"] })).toMatchObject([
    { type: "run_started" },
    { type: "run_resumed" },
    { type: "run_finished", outcome: "completed" },
  ])
  expect(onError).toHaveBeenCalledTimes(1)
  await runtime.close()
  await file.close()
})
