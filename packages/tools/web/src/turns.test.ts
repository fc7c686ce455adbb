import { setImmediate as turn } from "node:timers/promises"
import { expect, test } from "vitest"
import { Turns } from "./turns.ts"

const { signal } = new AbortController()

test("no more than so many are done at a time, in the order they came, also where some fail", async () => {
  const turns = new Turns(2)
  const begun: number[] = []
  let [now, most] = [0, 0]
  const done = await Promise.allSettled(
    Array.from({ length: 9 }, (_, index) =>
      turns.take(signal, async () => {
        begun.push(index)
        most = Math.max(most, ++now)
        await turn()
        now--
        if (index % 3 === 0) throw new Error("no")
        return index
      }),
    ),
  )
  expect(most).toBe(2)
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8])
  expect(done.map(({ status }) => status === "fulfilled")).toEqual(begun.map((index) => index % 3 !== 0))
})

test("whoever is stopped while they wait leaves at once, and takes nobody's turn", async () => {
  const turns = new Turns(1)
  const first = Promise.withResolvers<void>()
  const stop = new AbortController()
  const working = turns.take(signal, () => first.promise)
  const stopped = turns.take(stop.signal, async () => "never")
  const after = turns.take(signal, async () => "after")
  stop.abort(new Error("stopped"))
  await expect(stopped).rejects.toThrow("stopped")
  first.resolve()
  await working
  expect(await after).toBe("after")
  await expect(turns.take(stop.signal, async () => "never")).rejects.toThrow("stopped")
  expect(await turns.take(signal, async () => "free")).toBe("free")
})
