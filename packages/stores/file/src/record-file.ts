import { type FileHandle, open } from "node:fs/promises"
import { join } from "node:path"
import {
  assertDistinct,
  frozenCopy,
  type Json,
  keyOf,
  Namespace,
  type RecordChange,
  type Records,
  recordName,
  recordPage,
  recordPlace,
  type StoredRecord,
  VersionConflict,
} from "@orra/core"
import { replaceFile, syncFolder, unlinkIfThere } from "./durable.ts"
import { isMissing, storeError } from "./errors.ts"
import { damaged, linesForward, together, wholeLength } from "./log-file.ts"

/** A line of the file: what a record became. */
interface Line {
  readonly version: number
  readonly collection: string
  readonly namespace: string
  readonly key: string
  /** Absent when the record was removed. */
  readonly value?: Json
  readonly updatedAt: number
}

const FILE = "records.jsonl"
/** The file is written anew when so many bytes of it, and as many as it needs, say what no longer holds. */
const MIN_GARBAGE = 256 * 1024

/**
 * What is kept beside the sessions, in memory and in one file that tells how it became so: a line for each write,
 * written anew without what was replaced or removed when that is most of it.
 */
export class RecordFile {
  readonly #path: string
  readonly #folder: string
  readonly #sync: boolean
  readonly #now: () => number
  readonly #collections = new Map<string, Map<string, StoredRecord>>()
  #file: FileHandle | undefined
  #size = 0
  #garbage = 0
  #lastVersion = 0
  /** Ends when all writes so far have. Never rejects. */
  #idle: Promise<unknown> = Promise.resolve()

  private constructor(folder: string, sync: boolean, now: () => number) {
    this.#folder = folder
    this.#path = join(folder, FILE)
    this.#sync = sync
    this.#now = now
  }

  static async open(folder: string, sync: boolean, now: () => number): Promise<RecordFile> {
    const records = new RecordFile(folder, sync, now)
    try {
      await records.#load()
      return records
    } catch (error) {
      await records.#file?.close()
      throw storeError(join(folder, FILE), error)
    }
  }

  /** The records of one collection. `assertOpen` is asked at each call. */
  collection(name: string, assertOpen: () => void): Records {
    const collection = recordName(name)
    const kept = this.#collections.get(collection) ?? new Map<string, StoredRecord>()
    this.#collections.set(collection, kept)
    const write = async (changes: readonly RecordChange[]): Promise<readonly number[]> => {
      assertOpen()
      assertDistinct(changes)
      const lines = changes.map((change) => lineOf(collection, change))
      return await this.#inTurn(() => this.#write(kept, changes, lines))
    }
    return {
      write,
      async get(namespace, key) {
        assertOpen()
        return kept.get(recordPlace(namespace, key))
      },
      async put(namespace, key, value, options) {
        const [version = 0] = await write([{ namespace, key, value, ...options }])
        return version
      },
      delete: async (namespace, key, options) => {
        assertOpen()
        const changes = [{ namespace, key, deleted: true as const, ...options }]
        const lines = changes.map((change) => lineOf(collection, change))
        return await this.#inTurn(async () => {
          const isThere = kept.has(recordPlace(namespace, key))
          await this.#write(kept, changes, isThere ? lines : [])
          return isThere
        })
      },
      async list(namespace, options = {}) {
        assertOpen()
        return recordPage(kept, namespace, options)
      },
    }
  }

  /** The collections that have records at or below the prefix. */
  collections(prefix: Namespace): readonly string[] {
    return [...this.#collections]
      .filter(([, kept]) => placesBelow(kept, prefix).length > 0)
      .map(([name]) => name)
  }

  /** Removes all records at and below the prefix, from the file as well. */
  async erase(prefix: Namespace): Promise<void> {
    await this.#inTurn(async () => {
      for (const kept of this.#collections.values()) {
        for (const place of placesBelow(kept, prefix)) kept.delete(place)
      }
      // Also what was removed before and is still in the file, or in what a crash left of writing it anew.
      if (this.#file) await this.#rewrite()
      else await unlinkIfThere(`${this.#path}.new`)
    })
  }

  async close(): Promise<void> {
    await this.#idle
    // What was removed leaves the disk, at the latest now.
    if (this.#garbage > 0) await this.#rewrite()
    await this.#file?.close()
    this.#file = undefined
  }

  async #load(): Promise<void> {
    try {
      this.#file = await open(this.#path, "r+")
    } catch (error) {
      if (isMissing(error)) return
      throw error
    }
    const { size } = await this.#file.stat()
    this.#size = await wholeLength(this.#file, size)
    if (this.#size < size) await this.#file.truncate(this.#size)
    for await (const text of linesForward(this.#file, 0, this.#size)) {
      const line = parsed(text, this.#path)
      this.#lastVersion = Math.max(this.#lastVersion, line.version)
      // Says only which versions were given.
      if (line.collection === "") continue
      const kept = this.#collections.get(line.collection) ?? new Map<string, StoredRecord>()
      this.#collections.set(line.collection, kept)
      this.#apply(kept, line, Buffer.byteLength(text) + 1)
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const task = this.#idle.then(work)
    this.#idle = task.catch(() => {})
    return task
  }

  async #write(
    kept: Map<string, StoredRecord>,
    changes: readonly RecordChange[],
    drafts: readonly Omit<Line, "version" | "updatedAt">[],
  ): Promise<readonly number[]> {
    for (const { namespace, key, expected } of changes) {
      const actual = kept.get(recordPlace(namespace, key))?.version ?? 0
      if (expected !== undefined && expected !== actual) throw new VersionConflict(expected, actual)
    }
    if (drafts.length === 0) return changes.map(() => 0)
    const updatedAt = this.#now()
    const lines = drafts.map(
      (draft, index): Line => ({
        version: this.#lastVersion + index + 1,
        ...draft,
        updatedAt,
      }),
    )
    const texts = lines.map((line) => JSON.stringify(line))
    await this.#append(Buffer.from(together(texts)))
    this.#lastVersion += lines.length
    for (const [index, line] of lines.entries()) {
      this.#apply(kept, line, Buffer.byteLength(texts[index] ?? "") + 1)
    }
    if (this.#garbage > MIN_GARBAGE && this.#garbage > this.#size / 2) await this.#rewrite()
    return lines.map((line) => (line.value === undefined ? 0 : line.version))
  }

  async #append(bytes: Buffer): Promise<void> {
    try {
      if (!this.#file) {
        this.#file = await open(this.#path, "w+", 0o600)
        if (this.#sync) await syncFolder(this.#folder)
      }
      for (let written = 0; written < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(
          bytes,
          written,
          bytes.length - written,
          this.#size + written,
        )
        written += bytesWritten
      }
      if (this.#sync) await this.#file.datasync()
      this.#size += bytes.length
    } catch (error) {
      await this.#file?.truncate(this.#size).catch(() => {})
      throw storeError(this.#path, error)
    }
  }

  #apply(kept: Map<string, StoredRecord>, line: Line, bytes: number): void {
    const namespace = Namespace.parse(line.namespace)
    const at = recordPlace(namespace, line.key)
    const before = kept.get(at)
    if (before) this.#garbage += Buffer.byteLength(JSON.stringify(before.value)) + bytes / 2
    if (line.value === undefined) {
      kept.delete(at)
      this.#garbage += bytes
      return
    }
    const { key, version, updatedAt } = line
    kept.set(at, Object.freeze({ namespace, key, value: line.value, version, updatedAt }))
  }

  /** Replaces the file by one that says only what holds, and which versions were given. */
  async #rewrite(): Promise<void> {
    const lines: string[] = []
    for (const [collection, kept] of this.#collections) {
      for (const { namespace, key, value, version, updatedAt } of kept.values()) {
        lines.push(JSON.stringify({ version, collection, namespace: namespace.key, key, value, updatedAt }))
      }
    }
    // Of no collection: no later version may be as small as one that was given.
    const last = { version: this.#lastVersion, collection: "", namespace: "-", key: "", updatedAt: 0 }
    lines.push(JSON.stringify(last))
    const content = lines.map((line) => `${line}\n`).join("")
    await this.#file?.close()
    this.#file = undefined
    try {
      await replaceFile(this.#path, content, this.#sync)
      this.#size = Buffer.byteLength(content)
      this.#garbage = 0
    } catch (error) {
      throw storeError(this.#path, error)
    } finally {
      this.#file = await open(this.#path, "r+").catch(() => undefined)
    }
  }
}

const placesBelow = (kept: ReadonlyMap<string, StoredRecord>, prefix: Namespace): readonly string[] =>
  [...kept].filter(([, { namespace }]) => prefix.contains(namespace)).map(([place]) => place)

/** @throws InvalidInput for what is not JSON. The value is copied: whoever gave it may change it afterwards. */
function lineOf(collection: string, change: RecordChange): Omit<Line, "version" | "updatedAt"> {
  const { namespace } = change
  const at = { collection, namespace: keyOf(namespace), key: recordName(change.key) }
  return "deleted" in change ? at : { ...at, value: frozenCopy(change.value) }
}

function parsed(text: string, path: string): Line {
  try {
    const line = JSON.parse(text)
    if (Number.isSafeInteger(line.version) && typeof line.key === "string")
      return frozenCopy(line) as unknown as Line
  } catch {
    // Said below.
  }
  throw damaged(path)
}
