import fc from "fast-check"
import { expect, test } from "vitest"
import { compare, newestFirst, type Position, type Source } from "./newest-first.ts"

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
