import type { Json, StoredRecord } from "@orra/core"
import type { Chunk } from "./chunks.ts"

// How documents are kept. All records of a namespace's documents are in one collection, so that a change of several
// of them is written at once or not at all:
//
//   head               which change was the last one
//   change <n>         which documents a change touched; the last CHANGES of them
//   doc <id>           what there is to know of a document, and its first chunks
//   part <n> <id>      its further chunks, from chunk n on
//   vectors <n> <id>   the vectors of the chunks that stand with chunk n

export const COLLECTION = "documents"
export const HEAD = "head"
/** Whoever missed more changes than these reads everything anew. */
export const CHANGES = 1_000

/** Where a document was read from. */
export interface Source {
  /** The folder that was ingested, or the file's. */
  readonly root: string
  readonly path: string
  readonly size: number
  readonly mtimeMs: number
  /** SHA-256 of the bytes, hexadecimal. */
  readonly digest: string
  /** When they were read, ms since 1970. */
  readonly readAt: number
}

export interface StoredDocument {
  readonly title: string
  readonly metadata: Readonly<Record<string, string>>
  readonly source?: Source
  /** New with every new content. */
  readonly revision: string
  /** In UTF-16 code units. */
  readonly characters: number
  readonly lines: number
  readonly pages?: number
  /** How many chunks there are in all. */
  readonly count: number
  /** The number of the first chunk of each part, that of this record included. */
  readonly parts: readonly number[]
  readonly chunks: readonly Chunk[]
  /** What made the vectors; absent when there are none. */
  readonly embedder?: string
  /** ms since 1970. */
  readonly updatedAt: number
}

export interface StoredPart {
  readonly revision: string
  readonly chunks: readonly Chunk[]
}

export interface StoredVectors {
  readonly revision: string
  /** Base64 of 32-bit floats, little-endian, one vector after the other. */
  readonly numbers: string
  readonly dimensions: number
}

/** `epoch` is new when the documents of a namespace begin anew: numbers of before mean nothing then. */
export interface Head {
  readonly epoch: string
  readonly last: number
}

export interface StoredChange {
  readonly number: number
  readonly ids: readonly string[]
}

export const documentKey = (id: string): string => `doc ${id}`
export const partKey = (id: string, first: number): string => `part ${first} ${id}`
export const vectorsKey = (id: string, first: number): string => `vectors ${first} ${id}`
export const changeKey = (number: number): string => `change ${number % CHANGES}`

/** What a record is, by its key. */
export type Kept =
  | { readonly type: "doc"; readonly id: string }
  | { readonly type: "part" | "vectors"; readonly id: string; readonly first: number }

export function keptAs(key: string): Kept | undefined {
  if (key.startsWith("doc ")) return { type: "doc", id: key.slice(4) }
  const [, type, first, id] = /^(part|vectors) (\d+) (.*)$/s.exec(key) ?? []
  if (id === undefined) return undefined
  return { type: type === "part" ? "part" : "vectors", id, first: Number(first) }
}

/** What the record holds. We have written it: it is what its key says. */
export const valueIn = <T>(record: StoredRecord | undefined): T | undefined => record?.value as T | undefined

/** The value of a record. */
export const asJson = (value: object): Json => value as Json
