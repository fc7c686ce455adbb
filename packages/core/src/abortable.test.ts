import { expect, test } from "vitest"
import { each } from "./abortable.ts"

async function* numbers(log: string[] = []): AsyncGenerator<number> {
  try {
    for (let n = 1; n <= 3; n++) yield n
  } finally {
    log.push("returned")
  }
}

const collect = async <T>(source: AsyncIterable<T>, signal: AbortSignal, most = Infinity): Promise<T[]> => {
  const items: T[] = []
  await each(
    () => source,
    signal,
    (item) => items.push(item) >= most,
  )
  return items
}

const signal = () => new AbortController().signal

test("gives everything, in order, and its failure", async () => {
  expect(await collect(numbers(), signal())).toEqual([1, 2, 3])
  const failing = async function* () {
    yield 1
    throw new Error("broken")
  }
  await expect(collect(failing(), signal())).rejects.toThrow("broken")
})

test("tells the source to return when its reader leaves", async () => {
  const log: string[] = []
  expect(await collect(numbers(log), signal(), 2)).toEqual([1, 2])
  await expect.poll(() => log).toEqual(["returned"])
})

test("fails with what the taker throws, and tells the source to return", async () => {
  const log: string[] = []
  const taken = each(
    () => numbers(log),
    signal(),
    () => {
      throw new Error("full")
    },
  )
  await expect(taken).rejects.toThrow("full")
  await expect.poll(() => log).toEqual(["returned"])
})

test("fails when the source gives what is no item, now or later", async () => {
  const source = (results: unknown[]) => ({
    [Symbol.asyncIterator]: () => ({ next: () => results.shift() as Promise<IteratorResult<number>> }),
  })
  await expect(collect(source([undefined]), signal())).rejects.toThrow(TypeError)
  await expect(collect(source([Promise.resolve(undefined)]), signal())).rejects.toThrow(TypeError)
  const one = Promise.resolve({ done: false, value: 1 })
  await expect(collect(source([one, undefined]), signal())).rejects.toThrow(TypeError)
})

test("ends when the signal fires, though the source never says another word", async () => {
  const stop = new AbortController()
  const stuck: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise(() => {}),
      return: () => new Promise(() => {}),
    }),
  }
  const reading = collect(stuck, stop.signal)
  stop.abort()
  expect(await reading).toEqual([])
})

test("ends when the signal fires, though the source never stops talking", async () => {
  const stop = new AbortController()
  const endless = async function* () {
    for (;;) yield 1
  }
  let count = 0
  await each(endless, stop.signal, () => {
    if (++count === 10) stop.abort()
    return false
  })
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
  expect(await collect(source, AbortSignal.abort())).toEqual([])
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
  const reading = collect(source, stop.signal)
  stop.abort()
  expect(await reading).toEqual([])
  late.reject(new Error("too late"))
  await new Promise((resolve) => setImmediate(resolve))
})
