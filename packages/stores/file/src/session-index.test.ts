import { listPosition, Namespace, newestFirst, type SessionInfo } from "@orra/core"
import fc from "fast-check"
import { expect, test } from "vitest"
import { SessionIndex } from "./session-index.ts"

const sessions = ["a", "a:b", "a:b:c", "a:bc", "a-b", "b", "b:a"].map((key) => Namespace.parse(key))
const oneOf = fc.constantFrom(...sessions)

const change = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("put"), at: oneOf, time: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant("gone"), at: oneOf, time: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("erased"), at: oneOf, time: fc.constant(0) }) },
)

test("property: whatever is written, removed and erased, each list is what sorting would make, page by page", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 30 }), fc.integer({ min: 1, max: 3 }), (changes, limit) => {
      const index = new SessionIndex()
      const kept = new Map<string, SessionInfo>()
      for (const { type, at, time } of changes) {
        if (type === "put") {
          const info: SessionInfo = {
            namespace: at,
            version: 1,
            createdAt: 0,
            updatedAt: time,
            messages: 0,
            metadata: {},
          }
          kept.set(at.key, info)
          index.put(at, info)
        } else if (type === "gone") {
          kept.delete(at.key)
          index.put(at, undefined)
        } else {
          for (const { namespace } of [...kept.values()])
            if (at.contains(namespace)) kept.delete(namespace.key)
          index.erase(at)
        }
        for (const prefix of sessions) {
          const expected = [...kept.values()]
            .filter(({ namespace }) => prefix.contains(namespace))
            .sort((a, b) => newestFirst(listPosition(a), listPosition(b)))
          expect(all(index, prefix, limit)).toEqual(expected)
        }
      }
    }),
    { numRuns: process.env["ORRA_TEST_FULL"] ? 2_000 : 50 },
  )
})

function all(index: SessionIndex, prefix: Namespace, limit: number): readonly SessionInfo[] {
  const found: SessionInfo[] = []
  for (let cursor: string | undefined; ; ) {
    const page = index.page(prefix, cursor === undefined ? { limit } : { limit, cursor })
    expect(page.items.length).toBeLessThanOrEqual(limit)
    found.push(...page.items)
    if (page.cursor === undefined) return found
    cursor = page.cursor
  }
}
