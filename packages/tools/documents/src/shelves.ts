import type { FindOptions, HybridOptions, SearchHit } from "@orra/search"
import { documentOf, type Shelf } from "./shelf.ts"

/** Where a hit is: on which of the shelves, and the name of its chunk there. */
interface Place {
  readonly shelf: number
  readonly unit: string
}

/**
 * Several shelves as one index. A word is as rare as it is on all of them together, so that what is found here and
 * there compares.
 */
export function together(shelves: readonly Shelf[]): Pick<HybridOptions, "keywords" | "vectors"> {
  const among = shelves.map(({ keywords }) => keywords)
  const all = (
    { limit = 10, filter, group }: FindOptions,
    find: (shelf: Shelf, options: FindOptions) => readonly SearchHit[],
  ): readonly SearchHit[] =>
    shelves
      .flatMap((shelf, number) => {
        const name = (unit: string): string => `${number} ${unit}`
        const options = {
          limit,
          ...(filter && { filter: (unit: string) => filter(name(unit)) }),
          ...(group && { group: (unit: string) => group(name(unit)) }),
        }
        return find(shelf, options).map(({ id, score }) => ({ id: name(id), score }))
      })
      // Hits of one shelf stay in their order.
      .sort((a, b) => b.score - a.score)
      .slice(0, limit)
  const dimensions = shelves.map(({ vectors }) => vectors.dimensions).find((length) => length !== undefined)
  return {
    keywords: {
      search: (query, options = {}) =>
        all(options, ({ keywords }, found) => keywords.search(query, { ...found, among })),
    },
    vectors: {
      dimensions,
      size: shelves.reduce((sum, { vectors }) => sum + vectors.size, 0),
      search: (vector, options = {}) =>
        all(options, ({ vectors }, found) =>
          vectors.dimensions === vector.length ? vectors.search(vector, found) : [],
        ),
    },
  }
}

export function placeOf(name: string): Place {
  const space = name.indexOf(" ")
  return { shelf: Number(name.slice(0, space)), unit: name.slice(space + 1) }
}

/** The same for all chunks of a document. */
export function groupOf(name: string): string {
  const { shelf, unit } = placeOf(name)
  return `${shelf} ${documentOf(unit)}`
}
