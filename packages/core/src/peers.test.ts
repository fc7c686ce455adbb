import { scriptedProvider } from "@orra/testing"
import { expect, test } from "vitest"
import { MemoryStore } from "./memory-store.ts"
import type { Namespace } from "./namespace.ts"
import { Peers } from "./peers.ts"
import { Runtime } from "./runtime.ts"

/** What it says of itself: how processes work together is tested with processes, in @orra/store-sql. */
class SharedStore extends MemoryStore {
  async *changes(): AsyncGenerator<undefined> {}
  async abandoned(): Promise<readonly Namespace[]> {
    return []
  }
  async now(): Promise<number> {
    return 1_000_000
  }
}

test("a store that is for one process only has no peers", async () => {
  await expect(Peers.join(new MemoryStore())).rejects.toMatchObject({ code: "invalid_input" })
})

test("peers belong to one runtime, on the store that was joined", async () => {
  const store = new SharedStore()
  const provider = scriptedProvider([])
  const peers = await Peers.join(store)
  expect(() => new Runtime({ provider, store: new SharedStore(), peers })).toThrow(
    "the store that was joined",
  )
  const runtime = new Runtime({ provider, store, peers })
  expect(() => new Runtime({ provider, store, peers })).toThrow("another runtime")
  await runtime.close()
})

test("their time is the store's, and goes on", async () => {
  const peers = await Peers.join(new SharedStore())
  const first = peers.now()
  expect(first).toBeGreaterThanOrEqual(999_000)
  expect(first).toBeLessThan(1_060_000)
  expect(peers.now()).toBeGreaterThanOrEqual(first)
})
