/** What is drawn: a task and those it waits for. */
export interface LayoutNode {
  readonly id: string
  readonly needs: readonly string[]
}

export interface Placed<T extends LayoutNode> {
  readonly node: T
  /** In pixels, of its upper left corner. */
  readonly x: number
  readonly y: number
}

export interface Layout<T extends LayoutNode> {
  readonly width: number
  readonly height: number
  readonly nodes: readonly Placed<T>[]
  readonly edges: readonly { readonly from: Placed<T>; readonly to: Placed<T> }[]
}

export const NODE = { width: 184, height: 72, gapX: 64, gapY: 20 } as const

/** How often the order within the layers is improved, from left to right and back. */
const SWEEPS = 4

/**
 * A plan from left to right: each task in the layer after all it waits for, and within its layer near those it is joined to, so
 * that few lines cross. What waits in a circle is not drawn: no proven plan does.
 */
export function layout<T extends LayoutNode>(nodes: readonly T[]): Layout<T> {
  const layers = ordered(layersOf(nodes))
  const step = NODE.height + NODE.gapY
  const tallest = Math.max(1, ...layers.map((layer) => layer.length))
  const placed = new Map<string, Placed<T>>()
  for (const [column, layer] of layers.entries())
    for (const [row, node] of layer.entries())
      placed.set(node.id, {
        node,
        x: column * (NODE.width + NODE.gapX),
        y: (row + (tallest - layer.length) / 2) * step,
      })
  const all = [...placed.values()]
  return {
    width: Math.max(1, layers.length) * (NODE.width + NODE.gapX) - NODE.gapX,
    height: tallest * step - NODE.gapY,
    nodes: all,
    edges: all.flatMap((to) =>
      to.node.needs.flatMap((need) => {
        const from = placed.get(need)
        return from ? [{ from, to }] : []
      }),
    ),
  }
}

function layersOf<T extends LayoutNode>(nodes: readonly T[]): readonly (readonly T[])[] {
  const layers: T[][] = []
  const done = new Set<string>()
  let left = nodes
  while (left.length > 0) {
    const ready = left.filter(({ needs }) => needs.every((need) => done.has(need)))
    if (ready.length === 0) return layers
    layers.push([...ready])
    for (const { id } of ready) done.add(id)
    left = left.filter(({ id }) => !done.has(id))
  }
  return layers
}

function ordered<T extends LayoutNode>(layers: readonly (readonly T[])[]): readonly (readonly T[])[] {
  const joined = new Map<string, string[]>()
  const join = (a: string, b: string): void => void joined.set(a, [...(joined.get(a) ?? []), b])
  for (const { id, needs } of layers.flat())
    for (const need of needs) {
      join(id, need)
      join(need, id)
    }
  let best = layers
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const place = new Map<string, number>()
    const sorted: (readonly T[])[] = []
    for (const layer of sweep % 2 === 0 ? best : best.toReversed()) {
      const middle = ({ id }: T, index: number): number => {
        const places = (joined.get(id) ?? []).flatMap((other) => place.get(other) ?? [])
        return places.length === 0 ? index / layer.length : places.reduce((a, b) => a + b) / places.length
      }
      const next = layer
        .map((node, index) => ({ node, at: middle(node, index) }))
        .toSorted((a, b) => a.at - b.at)
        .map(({ node }) => node)
      for (const [index, { id }] of next.entries()) place.set(id, (index + 0.5) / next.length)
      sorted.push(next)
    }
    best = sweep % 2 === 0 ? sorted : sorted.reverse()
  }
  return best
}
