import { MemoryStore, Namespace, StoreError } from "@orra/core"
import { expect, test } from "vitest"
import { watchedStore } from "./watched-store.ts"

const ns = Namespace.of("bob")
const meta = { type: "meta", at: 0, patch: {} } as const

test("counts calls and the entries read, until reset", async () => {
  const store = watchedStore(new MemoryStore())
  await store.append(ns, [meta, meta], { expected: 0 })
  await store.read(ns)
  expect([store.calls.append, store.calls.read, store.entriesRead]).toEqual([1, 1, 2])
  store.reset()
  expect([store.calls.append, store.calls.read, store.entriesRead]).toEqual([0, 0, 0])
})

test("a fault before the call leaves the store as it was, one after it does not", async () => {
  const inner = new MemoryStore()
  const fail = (when: string) => (method: string) => {
    if (method === "append") throw new StoreError("store_full", when)
  }
  await expect(
    watchedStore(inner, { before: fail("before") }).append(ns, [meta], { expected: 0 }),
  ).rejects.toThrow("before")
  expect(await inner.info(ns)).toBeUndefined()
  await expect(
    watchedStore(inner, { after: fail("after") }).append(ns, [meta], { expected: 0 }),
  ).rejects.toThrow("after")
  expect(await inner.info(ns)).toMatchObject({ version: 1 })
})
