import { OrraError } from "@orra/core"
import { batches, type Embedder, embedAll } from "@orra/search"
import type { Draft } from "./document.ts"

/** Documents whose records are one write. */
const MAX_WRITE = 100
const MAX_CHARACTERS = 2_000_000

/** At most a hundred documents at a time, and not too much text. Of those with the same id the last one counts. */
export const groupsOf = (drafts: readonly Draft[]): Generator<readonly Draft[]> =>
  batches(new Map(drafts.map((draft) => [draft.id, draft])).values(), ({ characters }) => characters, {
    items: MAX_WRITE,
    size: MAX_CHARACTERS,
  })

/** The vectors of all chunks, one after the other; none without an embedder, or with the reason why it failed. */
export async function vectorsFor(
  embedder: Embedder | undefined,
  drafts: readonly Draft[],
  options: { readonly dimensions: number | undefined; readonly signal: AbortSignal | undefined },
): Promise<{ readonly vectors?: readonly Float32Array[]; readonly failure?: OrraError }> {
  if (!embedder) return {}
  const texts = drafts.flatMap(({ title, chunks }) =>
    chunks.map(({ heading, text }) => [title, heading, text].filter(Boolean).join("\n")),
  )
  try {
    return { vectors: await embedAll(embedder, texts, options) }
  } catch (error) {
    options.signal?.throwIfAborted()
    if (!(error instanceof OrraError)) throw error
    return { failure: error }
  }
}
