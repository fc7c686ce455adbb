import fc from "fast-check"
import { expect, test } from "vitest"
import { Heap } from "./heap.ts"

test("property: whatever is added, moved and removed, the first one is the least", () => {
  const keys = fc.constantFrom("a", "b", "c", "d", "e", "f", "g")
  const steps = fc.array(fc.tuple(keys, fc.option(fc.integer({ min: 0, max: 20 }))), { maxLength: 60 })
  fc.assert(
    fc.property(steps, (all) => {
      const heap = new Heap()
      const model = new Map<string, number>()
      for (const [key, at] of all) {
        if (at === null) {
          heap.delete(key)
          model.delete(key)
        } else {
          heap.set(key, at)
          model.set(key, at)
        }
        expect(heap.size).toBe(model.size)
        expect(heap.first()?.at ?? Number.POSITIVE_INFINITY).toBe(Math.min(...model.values()))
        const first = heap.first()
        if (first) expect(model.get(first.key)).toBe(first.at)
      }
      const order: number[] = []
      for (let first = heap.first(); first; first = heap.first()) {
        order.push(first.at)
        heap.delete(first.key)
      }
      expect(order).toEqual([...model.values()].sort((one, other) => one - other))
      heap.set("a", 1)
      heap.clear()
      expect(heap.first()).toBeUndefined()
    }),
  )
})
