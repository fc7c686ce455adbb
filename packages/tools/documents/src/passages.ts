import type { Namespace, Records } from "@orra/core"
import type { SearchHit } from "@orra/search"
import { type Chunk, newlines } from "./chunks.ts"
import { chunkOf, type Known, type Shelf } from "./shelf.ts"
import { placeOf } from "./shelves.ts"
import { documentKey, partKey, type StoredPart, valueIn } from "./stored.ts"

/** What was found, and where: enough to cite it. */
export interface Passage {
  /** Whose document it is. */
  readonly namespace: Namespace
  /** The document's. */
  readonly id: string
  readonly title: string
  readonly metadata: Readonly<Record<string, string>>
  readonly text: string
  /** First and last line in the document, from 1. */
  readonly lines: readonly [number, number]
  /** Where it begins and ends in the document, in UTF-16 code units; the end is not in it. */
  readonly characters: readonly [number, number]
  /** The page, from 1, where the document has pages. */
  readonly page?: number
  /** The headings above it: "Guide > Installing". */
  readonly heading?: string
  /** Higher is better; scores of different searches do not compare. */
  readonly score: number
}

/** The passages of these hits, read from the store; those whose document has changed meanwhile are left out. */
export async function passages(
  records: Records,
  shelves: readonly Shelf[],
  hits: readonly SearchHit[],
): Promise<readonly Passage[]> {
  const found = await Promise.all(
    hits.map(async ({ id: name, score }) => {
      const { shelf: at, unit } = placeOf(name)
      const { id, number } = chunkOf(unit)
      const shelf = shelves[at]
      const document = shelf?.known.get(id)
      const first = document?.parts.findLast((start) => start <= number)
      if (!shelf || !document || first === undefined) return []
      const key = first === 0 ? documentKey(id) : partKey(id, first)
      const part = valueIn<StoredPart>(await records.get(shelf.namespace, key))
      const chunk = part?.revision === document.revision ? part.chunks[number - first] : undefined
      return chunk ? [{ namespace: shelf.namespace, id, ...passage(document, chunk), score }] : []
    }),
  )
  return found.flat()
}

function passage(
  { title, metadata }: Known,
  { start, line, page, heading, text: whole }: Chunk,
): Omit<Passage, "namespace" | "id" | "score"> {
  const text = whole.trimEnd()
  return {
    title,
    metadata,
    text,
    lines: [line, line + newlines(text)],
    characters: [start, start + text.length],
    ...(page !== undefined && { page }),
    ...(heading !== undefined && { heading }),
  }
}
