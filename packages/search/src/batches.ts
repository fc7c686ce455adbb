/**
 * Parts of a list, in order, none of which is too many or too much: at most `limits.items`, with sizes of at most
 * `limits.size` in all. What is larger by itself is a part by itself.
 *
 * ```ts
 * [...batches(["a", "bc", "d"], (text) => text.length, { items: 96, size: 3 })] // [["a", "bc"], ["d"]]
 * ```
 */
export function* batches<T>(
  list: Iterable<T>,
  sizeOf: (item: T) => number,
  limits: { readonly items: number; readonly size: number },
): Generator<readonly T[]> {
  let part: T[] = []
  let total = 0
  for (const item of list) {
    const size = sizeOf(item)
    if (part.length > 0 && (part.length === limits.items || total + size > limits.size)) {
      yield part
      part = []
      total = 0
    }
    part.push(item)
    total += size
  }
  if (part.length > 0) yield part
}
