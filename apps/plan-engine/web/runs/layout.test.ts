import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { type LayoutNode, layout, NODE } from "./layout.ts"

const node = (id: string, ...needs: readonly string[]): LayoutNode => ({ id, needs })
const places = (nodes: readonly LayoutNode[]) =>
  new Map(layout(nodes).nodes.map(({ node: { id }, x, y }) => [id, { x, y }]))

describe("a plan is laid out", () => {
  test("from left to right, side by side what can be done at once", () => {
    const found = places([node("a"), node("b", "a"), node("c", "a"), node("d", "b", "c")])
    const step = NODE.width + NODE.gapX
    expect(["a", "b", "c", "d"].map((id) => found.get(id)?.x)).toEqual([0, step, step, 2 * step])
    // One alone stands in the middle.
    expect(found.get("a")?.y).toBe((NODE.height + NODE.gapY) / 2)
    expect(found.get("b")?.y).not.toBe(found.get("c")?.y)
  })

  test("without lines that cross where they need not", () => {
    const found = places([node("a"), node("b"), node("x", "b"), node("y", "a")])
    expect(found.get("x")?.y).toBe(found.get("b")?.y)
    expect(found.get("y")?.y).toBe(found.get("a")?.y)
  })

  test("whatever it is: everything once, nothing on top of another, every line to the right", () => {
    const plans = fc
      .array(fc.array(fc.nat(30), { maxLength: 4 }), { maxLength: 30 })
      .map((all) =>
        all.map((needs, index) =>
          node(`t${index}`, ...new Set(needs.filter((need) => need < index).map((need) => `t${need}`))),
        ),
      )
    fc.assert(
      fc.property(plans, (nodes) => {
        const { nodes: placed, edges, width, height } = layout(nodes)
        expect(placed.map(({ node: { id } }) => id).sort()).toEqual(nodes.map(({ id }) => id).sort())
        expect(new Set(placed.map(({ x, y }) => `${x} ${y}`)).size).toBe(nodes.length)
        expect(edges).toHaveLength(nodes.flatMap(({ needs }) => needs).length)
        for (const { from, to } of edges) expect(to.x).toBeGreaterThan(from.x)
        for (const { x, y } of placed) {
          expect(x + NODE.width).toBeLessThanOrEqual(width)
          expect(y + NODE.height).toBeLessThanOrEqual(height)
        }
      }),
    )
  })
})
