import { watchedStore } from "@orra/testing"
import { expect, test } from "vitest"
import { MemoryStore, Namespace } from "./index.ts"
import { newest } from "./newest.ts"

const ns = Namespace.of("a")

test("finds the newest that fits, however far back, and reads little when it is near", async () => {
  const store = watchedStore(new MemoryStore())
  const entries = Array.from({ length: 3_000 }, (_, index) => ({
    type: "meta" as const,
    at: 1,
    patch: { n: index % 1_000 },
  }))
  await store.append(ns, entries, { expected: 0 })
  const find = (n: number, before?: number) =>
    newest(store, ns, "meta", ({ patch }) => patch["n"] === n, before)
  expect(await find(999)).toMatchObject({ seq: 3_000 })
  expect(store.entriesRead).toBeLessThan(10)
  expect(await find(0)).toMatchObject({ seq: 2_001 })
  expect(await find(0, 2_001)).toMatchObject({ seq: 1_001 })
  expect(await find(-1)).toBeUndefined()
  expect(await newest(store, ns, "user", () => true)).toBeUndefined()
})
