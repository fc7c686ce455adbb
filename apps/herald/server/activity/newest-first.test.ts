import fc from "fast-check"
import { expect, test } from "vitest"
import { compare, inOrder, newestFirst, type Position, type Source } from "./newest-first.ts"

async function* each<T>(all: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* all
}

const listsOf = (
  logs: readonly (readonly Position[])[],
  opened: (key: string) => void = () => {},
): AsyncGenerator<Source<Position>, void, undefined>[] => {
  const sources = logs.flatMap((log) => {
    const [newest] = log
    return newest
      ? [
          {
            bound: newest.at,
            read() {
              opened(newest.key)
              return each(log)
            },
          },
        ]
      : []
  })
  return [
    each(sources.filter((_, index) => index % 2 === 0).sort((a, b) => b.bound - a.bound)),
    each(sources.filter((_, index) => index % 2 === 1).sort((a, b) => b.bound - a.bound)),
  ]
}

const log = (key: string, ...times: readonly number[]): readonly Position[] =>
  times
    .toSorted((a, b) => a - b)
    .map((at, index) => ({ at, key, seq: index + 1 }))
    .reverse()

test("logs of any number and length come as one, sorted", async () => {
  const logs = fc.array(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 8 }), { maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(logs, async (times) => {
      const all = times.map((each, index) => log(`log${index}`, ...each))
      const found: Position[] = []
      for await (const one of newestFirst(listsOf(all))) found.push(one)
      expect(found).toEqual(all.flat().sort(compare))
    }),
    { numRuns: 100 },
  )
})

test("a log is opened no sooner than what it has may be next", async () => {
  const opened: string[] = []
  const lists = listsOf([log("old", 1, 2), log("new", 8, 9), log("middle", 5)], (key) => opened.push(key))
  const found = newestFirst(lists)
  expect((await found.next()).value).toMatchObject({ at: 9 })
  expect(opened).toEqual(["new"])
  await found.next()
  await found.next()
  expect(opened).toEqual(["new", "middle"])
})

test("a log is told in its own order, also where its clock was set back, and only what comes after a place", async () => {
  const written = [
    { at: 5, key: "log", seq: 3 },
    { at: 9, key: "log", seq: 2 },
    { at: 4, key: "log", seq: 1 },
  ]
  const told = async (from?: Position): Promise<readonly string[]> => {
    const found: string[] = []
    for await (const { at, seq } of inOrder(each(written), from)) found.push(`${seq} at ${at}`)
    return found
  }
  expect(await told()).toEqual(["3 at 5", "2 at 5", "1 at 4"])
  expect(await told({ at: 5, key: "log", seq: 3 })).toEqual(["2 at 5", "1 at 4"])
  expect(await told({ at: 5, key: "other", seq: 1 })).toEqual(["1 at 4"])
  expect(await told({ at: 5, key: "earlier", seq: 1 })).toEqual(["3 at 5", "2 at 5", "1 at 4"])
})
