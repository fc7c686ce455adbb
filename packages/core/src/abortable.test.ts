import { expect, test } from "vitest"
import { abortable } from "./abortable.ts"

async function* numbers(log: string[] = []): AsyncGenerator<number> {
  try {
    for (let n = 1; n <= 3; n++) yield n
  } finally {
    log.push("returned")
  }
}

const collect = async <T>(source: AsyncIterable<T>): Promise<T[]> => {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}

const signal = () => new AbortController().signal

test("gives everything, in order, and its failure", async () => {
  expect(await collect(abortable(numbers(), signal()))).toEqual([1, 2, 3])
  const failing = async function* () {
    yield 1
    throw new Error("broken")
  }
  await expect(collect(abortable(failing(), signal()))).rejects.toThrow("broken")
})

test("tells the source to return when its reader leaves", async () => {
  const log: string[] = []
  for await (const n of abortable(numbers(log), signal())) if (n === 2) break
  await expect.poll(() => log).toEqual(["returned"])
})

test("ends when the signal fires, though the source never says another word", async () => {
  const stop = new AbortController()
  const stuck: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      return: () => new Promise(() => {}),
    }),
  }
  const reading = collect(abortable(stuck, stop.signal))
  stop.abort()
  expect(await reading).toEqual([])
})

test("ends when the signal fires, though the source never stops talking", async () => {
  const stop = new AbortController()
  const endless = async function* () {
    for (;;) yield 1
  }
  let count = 0
  for await (const _ of abortable(endless(), stop.signal)) if (++count === 10) stop.abort()
  expect(count).toBe(10)
})

test("asks nothing of the source when the signal has fired before", async () => {
  let asked = false
  const source: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        asked = true
        return new Promise(() => {})
      },
    }),
  }
  expect(await collect(abortable(source, AbortSignal.abort()))).toEqual([])
  expect(asked).toBe(false)
})

test("a source that fails after it was left disturbs nobody", async () => {
  const stop = new AbortController()
  const late = Promise.withResolvers<IteratorResult<number>>()
  const source: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: () => late.promise,
      return: () => Promise.reject(new Error("no")),
    }),
  }
  const reading = collect(abortable(source, stop.signal))
  stop.abort()
  expect(await reading).toEqual([])
  late.reject(new Error("too late"))
  await new Promise((resolve) => setImmediate(resolve))
})
