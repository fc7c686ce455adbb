import { InvalidInput, StoreError } from "@orra/core"
import { expect, test } from "vitest"
import { WriteQueue } from "./write-queue.ts"

/** Transactions that are counted and fail as told, after their work was done. */
function transactions(failure: (count: number) => Error | undefined = () => undefined) {
  const state = { count: 0 }
  const transaction = <T>(work: () => T): T => {
    state.count++
    const result = work()
    const error = failure(state.count)
    if (error) throw error
    return result
  }
  return { state, queue: new WriteQueue({ transaction }, { lockMs: 10_000 }) }
}

const full = new StoreError("store_full", "Full.")
const locked = new StoreError("store_locked", "Locked.")

test("all writes of one turn share one transaction and are done in the order they were asked for", async () => {
  const { state, queue } = transactions()
  const order: number[] = []
  const results = await Promise.all([1, 2, 3].map((n) => queue.submit(() => order.push(n))))
  expect(results).toEqual([1, 2, 3])
  expect(order).toEqual([1, 2, 3])
  expect(state.count).toBe(1)
  await queue.submit(() => 4)
  expect(state.count).toBe(2)
})

test("nothing is answered before the commit: when it fails, so does the write", async () => {
  const { state, queue } = transactions(() => full)
  await expect(queue.submit(() => 1)).rejects.toBe(full)
  expect(state.count).toBe(1)
})

test("when a transaction of many fails, each is tried once more alone", async () => {
  const { state, queue } = transactions((count) => (count === 1 || count === 3 ? full : undefined))
  const results = await Promise.allSettled([1, 2, 3].map((n) => queue.submit(() => n)))
  expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"])
  expect(state.count).toBe(4)
})

test("a write that is refused fails alone, without another transaction", async () => {
  const { state, queue } = transactions()
  const refusal = new InvalidInput("No.")
  const refused = queue.submit(() => {
    throw refusal
  })
  const other = queue.submit(() => "fine")
  await expect(refused).rejects.toBe(refusal)
  expect(await other).toBe("fine")
  expect(state.count).toBe(1)
})

test("a lock is waited for, and what comes meanwhile joins", async () => {
  const { state, queue } = transactions((count) => (count <= 2 ? locked : undefined))
  const first = queue.submit(() => 1)
  await new Promise(setImmediate)
  const second = queue.submit(() => 2)
  expect(await Promise.all([first, second])).toEqual([1, 2])
  expect(state.count).toBe(3)
})

test("a very long queue is written in several transactions", async () => {
  const { state, queue } = transactions()
  const results = await Promise.all(Array.from({ length: 2_500 }, (_, n) => queue.submit(() => n)))
  expect(results).toHaveLength(2_500)
  expect(state.count).toBe(3)
})

test("draining writes at once, also while a lock is being waited for", async () => {
  const { state, queue } = transactions((count) => (count === 1 ? locked : undefined))
  const write = queue.submit(() => 1)
  await new Promise(setImmediate)
  expect(state.count).toBe(1)
  queue.drain()
  expect(state.count).toBe(2)
  expect(await write).toBe(1)
})
