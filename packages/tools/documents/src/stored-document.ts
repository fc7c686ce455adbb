import { type Namespace, type RecordChange, type Records, randomId } from "@orra/core"
import type { Chunk } from "./chunks.ts"
import type { Draft } from "./document.ts"
import { DocumentError } from "./errors.ts"
import {
  asJson,
  documentKey,
  partKey,
  type StoredDocument,
  type StoredPart,
  type StoredVectors,
  valueIn,
  vectorsKey,
} from "./stored.ts"

/** A record holds chunks with so many characters, and at least one. */
const PART = 32_768

/** So often a document may be replaced while it is read. */
const MAX_ATTEMPTS = 10

/** A document as its records have it. */
export interface WholeDocument {
  readonly id: string
  readonly document: StoredDocument
  /** All chunks, each part with the number of its first. */
  readonly parts: readonly (readonly [number, readonly Chunk[]])[]
  readonly vectors: readonly (readonly [number, StoredVectors])[]
}

/** The records of the drafts; those that would replace another revision than they are meant to are left out. */
export function documentsOf(
  drafts: readonly Draft[],
  more: {
    readonly old: ReadonlyMap<string, StoredDocument>
    readonly embedder: string | undefined
    readonly now: number
    /** Of all chunks of all drafts. */
    readonly vectors: readonly Float32Array[] | undefined
  },
): readonly WholeDocument[] {
  const { old, embedder, now, vectors } = more
  let next = 0
  const whole = drafts.map(({ id, replaces, ...draft }) => {
    const parts = partsOf(draft.chunks)
    const revision = randomId()
    const own = vectors?.slice(next, next + draft.count)
    next += draft.count
    const document: StoredDocument = {
      ...draft,
      revision,
      parts: parts.map(([first]) => first),
      chunks: parts[0]?.[1] ?? [],
      ...(own && embedder !== undefined && { embedder }),
      updatedAt: now,
    }
    return { id, replaces, document, parts, vectors: own ? vectorsOf(parts, own, revision) : [] }
  })
  return whole.filter(({ id, replaces }) => replaces === undefined || old.get(id)?.revision === replaces)
}

/** What is written for a document in the place of the old one. With the id alone: it is removed. */
export function changesFor(
  namespace: Namespace,
  { id, ...whole }: { readonly id: string } & Partial<WholeDocument>,
  old: StoredDocument | undefined,
): readonly RecordChange[] {
  const values = new Map<string, object>()
  const { document, parts = [], vectors = [] } = whole
  if (document) values.set(documentKey(id), document)
  for (const [first, chunks] of parts)
    if (first > 0 && document) values.set(partKey(id, first), { revision: document.revision, chunks })
  for (const [first, numbers] of vectors) values.set(vectorsKey(id, first), numbers)
  const before = old
    ? [documentKey(id), ...old.parts.flatMap((first) => [partKey(id, first), vectorsKey(id, first)])]
    : []
  return [
    ...Array.from(values, ([key, value]) => ({ namespace, key, value: asJson(value) })),
    ...before.filter((key) => !values.has(key)).map((key) => ({ namespace, key, deleted: true as const })),
  ]
}

/** The document with all its chunks. Undefined when there is none with this id. */
export async function storedDocument(
  records: Records,
  namespace: Namespace,
  id: string,
): Promise<StoredDocument | undefined> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const document = valueIn<StoredDocument>(await records.get(namespace, documentKey(id)))
    if (!document) return undefined
    const further = document.parts.filter((first) => first > 0)
    const parts = await Promise.all(
      further.map(async (first) => valueIn<StoredPart>(await records.get(namespace, partKey(id, first)))),
    )
    // Replaced while it was read: once more.
    if (parts.some((part) => part?.revision !== document.revision)) continue
    return { ...document, chunks: [document.chunks, ...parts.map((part) => part?.chunks ?? [])].flat() }
  }
  throw new DocumentError(
    "document_unreadable",
    `"${id}" changes all the time, or a part of it is lost: put it again.`,
    {
      id,
    },
  )
}

function partsOf(chunks: readonly Chunk[]): readonly (readonly [number, readonly Chunk[]])[] {
  const parts: [number, Chunk[]][] = [[0, []]]
  let room = PART
  for (const [number, chunk] of chunks.entries()) {
    room -= chunk.text.length
    if (room < 0 && number > 0) {
      parts.push([number, []])
      room = PART - chunk.text.length
    }
    parts.at(-1)?.[1].push(chunk)
  }
  return parts
}

const vectorsOf = (
  parts: readonly (readonly [number, readonly Chunk[]])[],
  vectors: readonly Float32Array[],
  revision: string,
): readonly (readonly [number, StoredVectors])[] =>
  parts.map(([first, { length }]) => {
    const own = vectors.slice(first, first + length)
    return [first, { revision, numbers: base64Of(own), dimensions: own[0]?.length ?? 0 }]
  })

const base64Of = (vectors: readonly Float32Array[]): string =>
  Buffer.concat(
    vectors.map((vector) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength)),
  ).toString("base64")
