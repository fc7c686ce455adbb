import type { Namespace, Records } from "@orra/core"
import { everyItem } from "@orra/core"
import { SearchIndex, type SearchIndexOptions, VectorIndex } from "@orra/search"
import type { Chunk } from "./chunks.ts"
import {
  CHANGES,
  changeKey,
  documentKey,
  HEAD,
  type Head,
  keptAs,
  partKey,
  type StoredChange,
  type StoredDocument,
  type StoredPart,
  type StoredVectors,
  valueIn,
  vectorsKey,
} from "./stored.ts"
import type { WholeDocument } from "./stored-document.ts"

/** What is known of a document without reading it again. */
export type Known = Omit<StoredDocument, "chunks">

/** How many records are asked for at once. */
export const AT_ONCE = 32
/** A word of the title counts as so many in the text. */
const TITLE_WEIGHT = 2

/** The documents of one namespace in memory: what there is, and where each word is. The texts stay in the store. */
export class Shelf {
  readonly #records: Records
  readonly namespace: Namespace
  readonly #ranking: SearchIndexOptions
  readonly #embedder: string | undefined
  /** What is in memory is what was stored after this change; undefined before anything was read. */
  #head: Head | undefined
  #known = new Map<string, Known>()
  #keywords: SearchIndex
  #vectors = new VectorIndex()

  constructor(
    records: Records,
    namespace: Namespace,
    ranking: SearchIndexOptions,
    embedder: string | undefined,
  ) {
    this.#records = records
    this.namespace = namespace
    this.#ranking = ranking
    this.#embedder = embedder
    this.#keywords = new SearchIndex(ranking)
  }

  get known(): ReadonlyMap<string, Known> {
    return this.#known
  }

  get keywords(): SearchIndex {
    return this.#keywords
  }

  get vectors(): VectorIndex {
    return this.#vectors
  }

  /** Documents that cannot be found by meaning: the embedder was down, or it is another one by now. */
  get unembedded(): readonly string[] {
    if (this.#embedder === undefined) return []
    return [...this.#known].filter(([id]) => !this.#vectors.has(unitOf(id, 0))).map(([id]) => id)
  }

  /** Reads what has changed since the last time, by whomever; everything when that is too much, or the first time. */
  async refresh(): Promise<void> {
    const head = valueIn<Head>(await this.#records.get(this.namespace, HEAD))
    const seen = this.#head
    if (seen?.epoch === head?.epoch && seen?.last === head?.last) return
    const missed = head && seen?.epoch === head.epoch ? head.last - seen.last : Number.POSITIVE_INFINITY
    const ids = head && missed > 0 && missed < CHANGES ? await this.#changed(head.last, missed) : undefined
    if (!ids) return await this.#readAll()
    await inGroups([...ids], AT_ONCE, (id) => this.#read(id))
    this.#head = head
  }

  /** Takes over what this process has written itself, when nothing was written in between. False when something was. */
  follows(before: Head | undefined, after: Head): boolean {
    if (this.#head?.epoch !== before?.epoch || this.#head?.last !== before?.last) return false
    this.#head = after
    return true
  }

  /** The document in the place of the one with this id. */
  put({ id, document, parts, vectors }: WholeDocument): void {
    this.#set(id, document)
    for (const [first, chunks] of parts) if (first > 0) this.#addChunks(id, first, chunks)
    for (const [first, numbers] of vectors) this.#addVectors(id, first, numbers)
  }

  #set(id: string, { chunks, ...known }: StoredDocument): void {
    this.remove(id)
    this.#known.set(id, known)
    this.#addChunks(id, 0, chunks)
  }

  #addChunks(id: string, first: number, chunks: readonly Chunk[]): void {
    const title = this.#known.get(id)?.title ?? ""
    for (const [index, { text, heading = "" }] of chunks.entries()) {
      const unit = unitOf(id, first + index)
      this.#keywords.set(unit, [
        { text: title, weight: TITLE_WEIGHT },
        { text: `${heading}\n${text}`, weight: 1 },
      ])
    }
  }

  /** Vectors of another length than those of the others are left out: they say nothing. */
  #addVectors(id: string, first: number, { numbers, dimensions }: StoredVectors): void {
    if (this.#known.get(id)?.embedder !== this.#embedder || this.#embedder === undefined) return
    if (dimensions !== (this.#vectors.dimensions ?? dimensions)) return
    const vectors = floats(numbers)
    for (let index = 0; (index + 1) * dimensions <= vectors.length; index++)
      this.#vectors.set(
        unitOf(id, first + index),
        vectors.subarray(index * dimensions, (index + 1) * dimensions),
      )
  }

  remove(id: string): void {
    const count = this.#known.get(id)?.count ?? 0
    for (let number = 0; number < count; number++) {
      this.#keywords.delete(unitOf(id, number))
      this.#vectors.delete(unitOf(id, number))
    }
    this.#known.delete(id)
  }

  async #changed(last: number, missed: number): Promise<ReadonlySet<string> | undefined> {
    const ids = new Set<string>()
    let isWhole = true
    const numbers = Array.from({ length: missed }, (_, index) => last - index)
    await inGroups(numbers, AT_ONCE, async (number) => {
      const change = valueIn<StoredChange>(await this.#records.get(this.namespace, changeKey(number)))
      if (change?.number !== number) isWhole = false
      else for (const id of change.ids) ids.add(id)
    })
    return isWhole ? ids : undefined
  }

  async #read(id: string): Promise<void> {
    const document = valueIn<StoredDocument>(await this.#records.get(this.namespace, documentKey(id)))
    if (!document) return this.remove(id)
    this.#set(id, document)
    for (const first of document.parts) {
      if (first > 0) {
        const part = valueIn<StoredPart>(await this.#records.get(this.namespace, partKey(id, first)))
        // Replaced while it was read: that is a change of its own, which is read next.
        if (part?.revision === document.revision) this.#addChunks(id, first, part.chunks)
      }
      if (document.embedder === undefined) continue
      const vectors = valueIn<StoredVectors>(await this.#records.get(this.namespace, vectorsKey(id, first)))
      if (vectors?.revision === document.revision) this.#addVectors(id, first, vectors)
    }
  }

  async #readAll(): Promise<void> {
    this.#head = undefined
    this.#known = new Map()
    this.#keywords = new SearchIndex(this.#ranking)
    this.#vectors = new VectorIndex()
    // What is written while this is read has a later number: it is read again next time.
    const head = valueIn<Head>(await this.#records.get(this.namespace, HEAD))
    const list = everyItem((page) => this.#records.list(this.namespace, page))
    // By their keys the documents come first.
    for await (const { key, value } of list) {
      const kept = keptAs(key)
      if (kept?.type === "doc") this.#set(kept.id, value as unknown as StoredDocument)
      else if (kept) this.#addPiece(kept, value as unknown as StoredPart | StoredVectors)
    }
    this.#head = head
  }

  #addPiece(
    { id, first }: { readonly id: string; readonly first: number },
    piece: StoredPart | StoredVectors,
  ): void {
    if (this.#known.get(id)?.revision !== piece.revision) return
    if ("chunks" in piece) this.#addChunks(id, first, piece.chunks)
    else this.#addVectors(id, first, piece)
  }
}

/** The name of a chunk in the index. */
export const unitOf = (id: string, number: number): string => `${number} ${id}`

/** The chunk that has this name. */
export const chunkOf = (unit: string): { readonly id: string; readonly number: number } => ({
  id: documentOf(unit),
  number: Number.parseInt(unit, 10),
})

/** The document whose chunk has this name. */
export const documentOf = (unit: string): string => unit.slice(unit.indexOf(" ") + 1)

function floats(base64: string): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(base64, "base64"))
  return new Float32Array(bytes.buffer, 0, bytes.length >> 2)
}

/** Does it for each, `atOnce` at a time. */
export async function inGroups<T>(
  items: readonly T[],
  atOnce: number,
  each: (item: T) => Promise<void>,
): Promise<void> {
  for (let at = 0; at < items.length; at += atOnce) await Promise.all(items.slice(at, at + atOnce).map(each))
}
