import fc from "fast-check"
import { describe, expect, test } from "vitest"
import { childrenOf, newestThrough, parentOf, pathBack, type Stretch, stretches, tipOf } from "./branches.ts"
import type { Entry } from "./session.ts"

/** The same tree as a child would draw it: each entry points to the one it follows. */
class Tree {
  readonly parents = new Map<number, number>()
  readonly rewinds: Entry<"rewind">[] = []
  version = 0
  tip = 0

  append(): void {
    this.version++
    this.parents.set(this.version, this.tip)
    this.tip = this.version
  }

  rewind(to: number): void {
    this.version++
    this.rewinds.push({ type: "rewind", at: 0, seq: this.version, to })
    this.tip = to
  }

  /** From the newest to the oldest. */
  path(from: number): number[] {
    const path: number[] = []
    for (let seq = from; seq > 0; seq = this.parents.get(seq) ?? 0) path.push(seq)
    return path
  }

  children(of: number): number[] {
    return [...this.parents].filter(([, parent]) => parent === of).map(([seq]) => seq)
  }

  newestThrough(first: number): number {
    return Math.max(...[...this.parents.keys()].filter((seq) => this.path(seq).includes(first)))
  }

  get stretches(): readonly Stretch[] {
    return stretches(this.rewinds, this.version)
  }
}

/** Entries, and now and then a rewind to one of those there are (or to the start). */
const trees = fc.array(fc.option(fc.nat(), { freq: 3 }), { maxLength: 40 }).map((steps) => {
  const tree = new Tree()
  for (const step of steps) {
    const places = [0, ...tree.parents.keys()]
    if (step === null) tree.append()
    else tree.rewind(places[step % places.length] ?? 0)
  }
  return tree
})

describe("property: the stretches say what the tree of entries says", () => {
  const holds = (check: (tree: Tree, all: readonly Stretch[]) => void) =>
    fc.assert(
      fc.property(trees, (tree) => check(tree, tree.stretches)),
      { numRuns: 300 },
    )

  test("which entry each one follows, and which the next one will", () => {
    holds((tree, all) => {
      for (const [seq, parent] of tree.parents) expect(parentOf(all, seq)).toBe(parent)
      expect(tipOf(all)).toBe(tree.tip)
    })
  })

  test("the way back from any entry", () => {
    holds((tree, all) => {
      for (const seq of [...tree.parents.keys(), tree.tip]) {
        const path = [...pathBack(all, seq)].flatMap(({ from, to }) =>
          Array.from({ length: to - from + 1 }, (_, index) => to - index),
        )
        expect(path).toEqual(tree.path(seq))
      }
    })
  })

  test("the ways on from any entry, and how far each has come", () => {
    holds((tree, all) => {
      for (const seq of [0, ...tree.parents.keys()]) {
        expect(childrenOf(all, seq)).toEqual(tree.children(seq))
        if (seq > 0) expect(newestThrough(all, seq)).toBe(tree.newestThrough(seq))
      }
    })
  })
})

test("thousands of branches cost no more than a look at each", () => {
  const tree = new Tree()
  for (let index = 0; index < 5_000; index++) {
    tree.append()
    tree.rewind(index % 2 ? 1 : tree.version)
  }
  let looks = 0
  const all = tree.stretches.map(
    (stretch) =>
      new Proxy(stretch, {
        get(target, key) {
          looks++
          return Reflect.get(target, key)
        },
      }),
  )
  expect(newestThrough(all, 1)).toBe(tree.version - 1)
  expect(looks).toBeLessThan(5_000 * 40)
})
