import type { Namespace, Records } from "@orra/core"
import type { SearchHit } from "@orra/search"
import { type Chunk, newlines } from "./chunks.ts"
import { chunkOf, type Known } from "./shelf.ts"
import { documentKey, partKey, type StoredPart, valueIn } from "./stored.ts"

/** What was found, and where: enough to cite it. */
export interface Passage {
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
  namespace: Namespace,
  known: ReadonlyMap<string, Known>,
  hits: readonly SearchHit[],
): Promise<readonly Passage[]> {
  const found = await Promise.all(
    hits.map(async ({ id: unit, score }) => {
      const { id, number } = chunkOf(unit)
      const document = known.get(id)
      const first = document?.parts.findLast((start) => start <= number)
      if (!document || first === undefined) return []
      const key = first === 0 ? documentKey(id) : partKey(id, first)
      const part = valueIn<StoredPart>(await records.get(namespace, key))
      const chunk = part?.revision === document.revision ? part.chunks[number - first] : undefined
      return chunk ? [passage(id, document, chunk, score)] : []
    }),
  )
  return found.flat()
}

function passage(id: string, { title, metadata }: Known, chunk: Chunk, score: number): Passage {
  const text = chunk.text.trimEnd()
  return {
    id,
    title,
    metadata,
    text,
    lines: [chunk.line, chunk.line + newlines(text)],
    characters: [chunk.start, chunk.start + text.length],
    ...(chunk.page !== undefined && { page: chunk.page }),
    ...(chunk.heading !== undefined && { heading: chunk.heading }),
    score,
  }
}
