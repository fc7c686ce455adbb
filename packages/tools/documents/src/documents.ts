import {
  keyOf,
  type Namespace,
  type OrraError,
  type Records,
  randomId,
  type SessionStore,
  VersionConflict,
} from "@orra/core"
import { type Embedder, hybridSearch, type SearchIndexOptions, type SearchMode } from "@orra/search"
import {
  type Document,
  type DocumentInfo,
  type Draft,
  infoOf,
  type NewDocument,
  prepared,
} from "./document.ts"
import { groupsOf, vectorsFor } from "./drafts.ts"
import { fileText } from "./file-text.ts"
import { type IngestOptions, type IngestReport, ingest } from "./ingest.ts"
import { type Passage, passages } from "./passages.ts"
import { AT_ONCE, documentOf, inGroups, Shelf } from "./shelf.ts"
import { groupOf, placeOf, together } from "./shelves.ts"
import {
  asJson,
  COLLECTION,
  changeKey,
  documentKey,
  HEAD,
  type Head,
  type StoredChange,
  type StoredDocument,
  valueIn,
} from "./stored.ts"
import { changesFor, documentsOf, storedDocument } from "./stored-document.ts"
import { turns } from "./turns.ts"

export interface DocumentsOptions extends SearchIndexOptions {
  readonly store: Pick<SessionStore, "records" | "now">
  /** With one, documents are also found by what they mean. See `embedder` of @orra/search. */
  readonly embedder?: Embedder | undefined
  /** Of so many namespaces the index stays in memory; the one that was not used for longest goes. Default 50. */
  readonly maxNamespaces?: number
  /** ms since 1970, for files, and where the store has no clock. Default the system's. */
  readonly now?: () => number
}

export interface DocumentSearchOptions {
  /** Most documents. Default 5. */
  readonly limit?: number
  /** Default `hybrid` with an embedder, else `keyword`. */
  readonly mode?: SearchMode
  /** Only documents with these metadata. */
  readonly metadata?: Readonly<Record<string, string>>
  /** Only this document: several passages of it come back. */
  readonly id?: string
  readonly signal?: AbortSignal | undefined
}

export interface DocumentSearchResult {
  /** Best first. */
  readonly passages: readonly Passage[]
  /** How it was searched in the end. */
  readonly mode: SearchMode
  /** Why it was not searched by meaning although there is an embedder: tell whoever reads the passages. */
  readonly failure?: OrraError
  /** How many documents could only be found by words, because they have no vectors (yet): `embedMissing`. */
  readonly unembedded: number
}

/** A file that somebody has given. */
export interface NewFile {
  /** Such as "report.pdf". */
  readonly name: string
  readonly bytes: Uint8Array
  /** Default the name. */
  readonly id?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** What text is encoded in that does not say so itself, such as "shift_jis". Default UTF-8, else windows-1252. */
  readonly encoding?: string
}

/** What became of documents that were put. */
export interface PutResult {
  /** Why they can only be found by words for now: the embedder failed. */
  readonly failure?: OrraError
}

/**
 * Documents by namespace: kept in the store, found by words and by meaning, cited by line and page. The index of a
 * namespace is in memory, read from the store when it is first needed, and follows what other processes write.
 *
 * ```ts
 * const documents = new Documents({ store })
 * await documents.put(ns, { id: "leave", title: "Leave", content: "Everybody has 30 days of leave." })
 * const { passages } = await documents.search(ns, "How many days off?")
 * ```
 */
export class Documents {
  readonly #records: Records
  readonly #options: DocumentsOptions
  readonly #embedder: Embedder | undefined
  readonly #maxNamespaces: number
  /** Those used last come last. */
  readonly #shelves = new Map<string, Shelf>()
  readonly #inTurn = turns()

  constructor(options: DocumentsOptions) {
    this.#records = options.store.records(COLLECTION)
    this.#options = options
    this.#embedder = options.embedder
    this.#maxNamespaces = options.maxNamespaces ?? 50
  }

  /**
   * Keeps the documents, in the place of those with the same ids; durable when the promise resolves. A hundred at a
   * time are written all or none, and so is always each of them.
   *
   * @throws DocumentError (`document_empty`, `document_too_large`, `document_invalid`) before anything was written.
   */
  async put(
    namespace: Namespace,
    documents: NewDocument | readonly NewDocument[],
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<PutResult> {
    const list = "id" in documents ? [documents] : documents
    return await this.#put(
      namespace,
      list.map((document) => prepared(document)),
      signal,
    )
  }

  /**
   * Keeps what is in a file that somebody has given: Markdown, text, HTML (as Markdown) or PDF (page by page), told apart
   * by its bytes and its name. Its title is its own, or its name.
   *
   * @throws DocumentError, before anything was written.
   */
  async putFile(
    namespace: Namespace,
    { id, name, bytes, metadata, encoding }: NewFile,
    { signal = new AbortController().signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<PutResult & { readonly warning?: string }> {
    const { warning, pageStarts, ...text } = await fileText(name, bytes, { encoding, signal })
    const document = { id: id ?? name, ...text, ...(metadata && { metadata }) }
    const draft = prepared(document, pageStarts && { pageStarts })
    return { ...(await this.#put(namespace, [draft], signal)), ...(warning !== undefined && { warning }) }
  }

  /**
   * Moves a document to another namespace, as it is, in the place of one with the same id there; it is embedded there
   * anew. It is there before it is gone here.
   *
   * @returns false when there is no such document.
   */
  async move(from: Namespace, to: Namespace, id: string): Promise<boolean> {
    const stored = await storedDocument(this.#records, from, id)
    if (!stored) return false
    const { revision: _, parts: __, embedder: ___, updatedAt: ____, ...draft } = stored
    await this.#put(to, [{ ...draft, id }], undefined)
    return await this.remove(from, id)
  }

  /** False when there is no such document. */
  async remove(namespace: Namespace, id: string): Promise<boolean> {
    return await this.#inTurn(keyOf(namespace), () => this.#write(namespace, [], [id]))
  }

  /** The whole document. Undefined when there is none with this id. */
  async get(namespace: Namespace, id: string): Promise<Document | undefined> {
    const stored = await storedDocument(this.#records, namespace, id)
    return stored && { ...infoOf(id, stored), content: stored.chunks.map(({ text }) => text).join("") }
  }

  /** All documents of the namespace, by id. */
  async list(namespace: Namespace): Promise<readonly DocumentInfo[]> {
    const { known } = await this.#shelf(namespace)
    return Array.from(known, ([id, document]) => infoOf(id, document)).sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  /**
   * The documents that say most about it, each with the passage that does, in one namespace or in several, such as a
   * person's own and those of everybody. When the embedder fails, the search by words answers alone, and `failure` says
   * so.
   */
  async search(
    namespaces: Namespace | readonly Namespace[],
    query: string,
    options: DocumentSearchOptions = {},
  ): Promise<DocumentSearchResult> {
    const { limit = 5, mode, metadata, id, signal } = options
    const list = "key" in namespaces ? [namespaces] : namespaces
    const distinct = new Map(list.map((namespace) => [keyOf(namespace), namespace]))
    const shelves = await Promise.all(Array.from(distinct.values(), (namespace) => this.#shelf(namespace)))
    const isWanted = (name: string): boolean => {
      const { shelf, unit } = placeOf(name)
      const found = documentOf(unit)
      const known = shelves[shelf]?.known.get(found)
      return (id === undefined || found === id) && hasAll(known?.metadata, metadata)
    }
    const { hits, ...found } = await hybridSearch(query, {
      ...together(shelves),
      embedder: this.#embedder,
      signal,
      limit,
      ...((id !== undefined || metadata) && { filter: isWanted }),
      ...(id === undefined && { group: groupOf }),
      ...(mode && { mode }),
    })
    return {
      ...found,
      passages: await passages(this.#records, shelves, hits),
      unembedded: shelves.reduce((sum, { unembedded }) => sum + unembedded.length, 0),
    }
  }

  /**
   * Reads a file, or the files of a folder and of those in it, and keeps what has changed since the last time. What
   * cannot be read is in the report with the reason; the others are kept all the same.
   *
   * @throws DocumentError (`document_unreadable`) when there is nothing at this path.
   */
  async ingest(namespace: Namespace, path: string, options: IngestOptions = {}): Promise<IngestReport> {
    const { known } = await this.#shelf(namespace)
    return await ingest(path, options, {
      known: new Map(known),
      now: this.#options.now ?? Date.now,
      put: (drafts) => this.#put(namespace, drafts, options.signal),
      remove: (ids) => this.#inTurn(keyOf(namespace), () => this.#write(namespace, [], ids)),
    })
  }

  /**
   * Embeds what has no vectors: because the embedder was down when it was put, or because it is another one now.
   *
   * @param options.all Everything anew: the same embedder gives other vectors now.
   * @returns how many documents that were.
   * @throws what the embedder throws; what was embedded before stays.
   */
  async embed(
    namespace: Namespace,
    { all = false, signal }: { readonly all?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<number> {
    const shelf = await this.#shelf(namespace)
    const ids = all ? [...shelf.known.keys()] : shelf.unembedded
    if (all) this.#shelves.delete(keyOf(namespace))
    for (const id of ids) {
      const stored = await storedDocument(this.#records, namespace, id)
      if (!stored) continue
      const { revision, parts: _, embedder: __, updatedAt: ___, ...draft } = stored
      const { failure } = await this.#put(namespace, [{ ...draft, id, replaces: revision }], signal)
      if (failure) throw failure
    }
    return ids.length
  }

  /** The index of the namespace, with all that was written until now. */
  async #shelf(namespace: Namespace): Promise<Shelf> {
    const key = keyOf(namespace)
    return await this.#inTurn(key, async () => {
      const { ranking } = this.#options
      const shelf =
        this.#shelves.get(key) ??
        new Shelf(this.#records, namespace, ranking ? { ranking } : {}, this.#embedder?.id)
      await shelf.refresh()
      this.#shelves.delete(key)
      this.#shelves.set(key, shelf)
      const [oldest] = this.#shelves.keys()
      if (this.#shelves.size > this.#maxNamespaces && oldest !== undefined) this.#shelves.delete(oldest)
      return shelf
    })
  }

  async #put(
    namespace: Namespace,
    drafts: readonly Draft[],
    signal: AbortSignal | undefined,
  ): Promise<PutResult> {
    const key = keyOf(namespace)
    let failure: OrraError | undefined
    for (const group of groupsOf(drafts)) {
      signal?.throwIfAborted()
      const dimensions = this.#shelves.get(key)?.vectors.dimensions
      // An embedder that is down is not asked again for each hundred.
      const embedded = failure ? { failure } : await vectorsFor(this.#embedder, group, { dimensions, signal })
      failure = embedded.failure
      await this.#inTurn(key, () => this.#write(namespace, group, [], embedded.vectors))
    }
    return failure ? { failure } : {}
  }

  /**
   * One change of the namespace: all of it or nothing. Only in turn.
   *
   * @param vectors of all chunks of the drafts, one after the other.
   * @returns false when there was nothing to write.
   */
  async #write(
    namespace: Namespace,
    drafts: readonly Draft[],
    removed: readonly string[],
    vectors?: readonly Float32Array[],
  ): Promise<boolean> {
    const now = await this.#now()
    for (;;) {
      const headRecord = await this.#records.get(namespace, HEAD)
      const before = valueIn<Head>(headRecord)
      const ids = [...drafts.map(({ id }) => id), ...removed]
      const old = new Map<string, StoredDocument>()
      await inGroups(ids, AT_ONCE, async (id) => {
        const found = valueIn<StoredDocument>(await this.#records.get(namespace, documentKey(id)))
        if (found) old.set(id, found)
      })
      const kept = documentsOf(drafts, { old, embedder: this.#embedder?.id, now, vectors })
      const gone = removed.filter((id) => old.has(id))
      if (kept.length + gone.length === 0) return false
      const after: Head = { epoch: before?.epoch ?? randomId(), last: (before?.last ?? 0) + 1 }
      const change: StoredChange = { number: after.last, ids: [...kept.map(({ id }) => id), ...gone] }
      try {
        await this.#records.write([
          { namespace, key: HEAD, value: asJson(after), expected: headRecord?.version ?? 0 },
          { namespace, key: changeKey(after.last), value: asJson(change) },
          ...kept.flatMap((document) => changesFor(namespace, document, old.get(document.id))),
          ...gone.flatMap((id) => changesFor(namespace, { id }, old.get(id))),
        ])
      } catch (error) {
        // Somebody else wrote: what is old has to be looked at again.
        if (error instanceof VersionConflict) continue
        throw error
      }
      const shelf = this.#shelves.get(keyOf(namespace))
      if (shelf?.follows(before, after)) {
        for (const document of kept) shelf.put(document)
        for (const id of gone) shelf.remove(id)
      }
      return true
    }
  }

  async #now(): Promise<number> {
    const { store, now = Date.now } = this.#options
    return (await store.now?.()) ?? now()
  }
}

const hasAll = (
  metadata: Readonly<Record<string, string>> | undefined,
  wanted: Readonly<Record<string, string>> = {},
): boolean => Object.entries(wanted).every(([key, value]) => metadata?.[key] === value)
