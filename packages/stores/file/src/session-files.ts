import { type FileHandle, open, readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import {
  describe,
  type Entry,
  type EntryType,
  frozenCopy,
  InvalidInput,
  isObject,
  type Json,
  type Namespace,
  type ReadOptions,
  type SessionInfo,
  StoreError,
} from "@orra/core"
import { makeFolder, removeEmpty, replaceFile, syncFolder, unlinkIfThere } from "./durable.ts"
import { isMissing, storeError } from "./errors.ts"
import {
  fromLine,
  type Line,
  linesBackward,
  linesForward,
  offsetOf,
  type Range,
  read,
  seqOf,
  toLines,
  typeOf,
  wholeLength,
} from "./log-file.ts"

export const LOG = "log.jsonl"
/** Pieces of answers that are being written: they go when the answer is in the log. */
export const DRAFTS = "drafts.jsonl"
/** The summary at some length of the log: what comes after that is read when the session is opened. */
export const SUMMARY = "session.json"
/** What a crash left of an append that never happened, for whoever wants to look at it. */
const TORN = "torn.jsonl"

/** The summary is written again after so many appends. */
const SUMMARY_EVERY = 64
/** Of a type that occurs at most this often, the numbers of its entries are kept: finding them reads nothing else. */
const MAX_KNOWN = 256

/** For each type, the numbers of its entries; null when they are too many to keep. */
type Known = Map<EntryType, number[] | null>

interface Summary {
  readonly size: number
  readonly info: SessionInfo
  readonly known: Known
}

/** The files of one session. Calls must not overlap: the next one begins when the one before has ended. */
export class SessionFiles {
  readonly #folder: string
  readonly #base: string
  readonly #namespace: Namespace
  readonly #sync: boolean
  #info: SessionInfo | undefined
  #known: Known = new Map()
  #log: FileHandle | undefined
  #logSize = 0
  #draftFile: FileHandle | undefined
  #draftSize = 0
  #drafts: Line[] = []
  #sinceSummary = 0

  private constructor(base: string, folder: string, namespace: Namespace, sync: boolean) {
    this.#base = base
    this.#folder = folder
    this.#namespace = namespace
    this.#sync = sync
  }

  /** Reads what is there, and mends what a crash left. */
  static async open(
    base: string,
    folder: string,
    namespace: Namespace,
    sync: boolean,
  ): Promise<SessionFiles> {
    const files = new SessionFiles(base, folder, namespace, sync)
    try {
      await files.#load()
      return files
    } catch (error) {
      await files.#closeHandles()
      throw storeError(join(folder, LOG), error)
    }
  }

  get info(): SessionInfo | undefined {
    return this.#info
  }

  /** Writes the entries, durable when the promise resolves. On an error nothing of them is there. */
  async append(entries: readonly Entry[], dropped: Range | undefined): Promise<void> {
    const drafts = entries.filter((entry) => entry.type === "delta")
    const logged = entries.filter((entry) => entry.type !== "delta")
    const last = logged.at(-1)?.seq
    const draftLines = drafts.map((entry): Line => ({ entry, ...(last && { with: last }) }))
    const logLines = logged.map(
      (entry, index): Line => ({ entry, ...(index === 0 && dropped && { drops: dropped }) }),
    )
    // Drafts first: without the log's entries they do not count.
    const draftBytes = await this.#write(DRAFTS, draftLines, this.#draftSize)
    try {
      this.#logSize += await this.#write(LOG, logLines, this.#logSize)
    } catch (error) {
      if (draftBytes > 0) await this.#cutDrafts(this.#draftSize)
      throw error
    }
    this.#draftSize += draftBytes
    const isNew = !this.#info
    for (const entry of entries) this.#describe(entry)
    this.#drafts.push(...draftLines)
    if (dropped) await this.#drop(dropped, logLines.length > 0)
    if (++this.#sinceSummary >= SUMMARY_EVERY || isNew) await this.writeSummary()
  }

  async read(options: ReadOptions): Promise<readonly Entry[]> {
    const { after = 0, before = Number.POSITIVE_INFINITY, limit = 1_000 } = options
    if (!Number.isInteger(limit) || limit < 1) {
      throw new InvalidInput("A read takes a limit of 1 or more entries.", { limit })
    }
    if (after + 1 >= before || !this.#info) return []
    const backward = options.direction === "backward"
    const types = options.types && new Set(options.types)
    const order = (a: Entry, b: Entry): number => (backward ? b.seq - a.seq : a.seq - b.seq)
    const drafts =
      !types || types.has("delta")
        ? this.#drafts
            .map(({ entry }) => entry)
            .filter(({ seq }) => seq > after && seq < before)
            .sort(order)
        : []
    const logged = await this.#readLog({ after, before, limit, backward, types })
    return drafts.length === 0 ? logged : [...drafts, ...logged].sort(order).slice(0, limit)
  }

  /** Removes the session. When this fails halfway the session is still there, without its drafts. */
  async remove(): Promise<void> {
    await this.#closeHandles()
    try {
      for (const name of [SUMMARY, DRAFTS, TORN, LOG]) await unlinkIfThere(join(this.#folder, name))
      if (this.#sync) await syncFolder(this.#folder)
    } catch (error) {
      if (!isMissing(error)) throw storeError(this.#folder, error)
    }
    await removeEmpty(this.#folder, this.#base)
  }

  async writeSummary(): Promise<void> {
    this.#sinceSummary = 0
    if (!this.#info) return
    const { namespace, ...info } = this.#info
    const summary = {
      size: this.#logSize,
      info: { ...info, namespace: namespace.key },
      known: [...this.#known],
    }
    // It can be made again from the log: it need not be durable.
    await replaceFile(join(this.#folder, SUMMARY), JSON.stringify(summary), false)
  }

  /** Gives the files back; the next call opens them again. */
  async close(): Promise<void> {
    try {
      if (this.#sinceSummary > 0) await this.writeSummary()
    } finally {
      await this.#closeHandles()
    }
  }

  async #load(): Promise<void> {
    const log = await this.#handle(LOG)
    if (log) {
      this.#logSize = await this.#mended(log)
      const summary = await readSummary(join(this.#folder, SUMMARY), this.#namespace)
      const from = summary && summary.size <= this.#logSize ? summary.size : 0
      if (summary && from > 0) {
        this.#info = summary.info
        this.#known = summary.known
      }
      for await (const line of linesForward(log, from, this.#logSize)) {
        const { entry } = fromLine(line, join(this.#folder, LOG))
        this.#describe(frozenCopy(entry as unknown as Json) as unknown as Entry)
      }
    }
    const drafts = await this.#handle(DRAFTS)
    if (drafts) await this.#loadDrafts(drafts)
  }

  async #loadDrafts(file: FileHandle): Promise<void> {
    this.#draftSize = await this.#mended(file)
    const path = join(this.#folder, DRAFTS)
    const logVersion = await this.#lastLogged()
    const written: Line[] = []
    for await (const text of linesForward(file, 0, this.#draftSize)) {
      const line = fromLine(text, path)
      if (line.with === undefined || line.with <= logVersion) written.push(line)
    }
    const first = written[0]?.entry.seq
    const dropped: Range[] = []
    for (const { drops } of first === undefined ? [] : await this.#logLines(first))
      if (drops) dropped.push(drops)
    this.#drafts = written.filter(
      ({ entry: { seq } }) => !dropped.some(({ from, to }) => seq >= from && seq <= to),
    )
    // What does not count now must not count later either, when the log has come that far.
    if (this.#draftSize > 0) await this.#rewriteDrafts()
    // Only their numbers count for the summary: a later entry of the log knows better.
    for (const { entry } of this.#drafts) {
      if (!this.#info || entry.seq > this.#info.version) this.#describe(entry)
    }
  }

  async #lastLogged(): Promise<number> {
    if (!this.#log) return 0
    for await (const line of linesBackward(this.#log, this.#logSize)) return seqOf(line) ?? 0
    return 0
  }

  async #logLines(from: number): Promise<readonly Line[]> {
    if (!this.#log) return []
    const start = await offsetOf(this.#log, from, this.#logSize)
    const lines: Line[] = []
    for await (const text of linesForward(this.#log, start, this.#logSize)) {
      lines.push(fromLine(text, join(this.#folder, LOG)))
    }
    return lines
  }

  /** Cuts off what was torn, and keeps it beside. @returns the length of what is whole. */
  async #mended(file: FileHandle): Promise<number> {
    const { size } = await file.stat()
    const whole = await wholeLength(file, size)
    if (whole === size) return whole
    const torn = await read(file, whole, size - whole)
    await replaceFile(join(this.#folder, TORN), torn.toString("utf8"), this.#sync)
    await file.truncate(whole)
    if (this.#sync) await file.datasync()
    return whole
  }

  async #write(name: string, lines: readonly Line[], at: number): Promise<number> {
    if (lines.length === 0) return 0
    const path = join(this.#folder, name)
    const bytes = Buffer.from(toLines(lines))
    let file: FileHandle | undefined
    try {
      file = (await this.#handle(name)) ?? (await this.#create(name))
      for (let written = 0; written < bytes.length; ) {
        const { bytesWritten } = await file.write(bytes, written, bytes.length - written, at + written)
        written += bytesWritten
      }
      if (this.#sync) await file.datasync()
      return bytes.length
    } catch (error) {
      await file?.truncate(at).catch(() => {})
      throw storeError(path, error)
    }
  }

  async #drop({ from, to }: Range, recorded: boolean): Promise<void> {
    const before = this.#drafts.length
    this.#drafts = this.#drafts.filter(({ entry: { seq } }) => seq < from || seq > to)
    if (this.#drafts.length === before) return
    // The log does not say so, and the last of them may be what the session's version is known from.
    if (!recorded) await this.writeSummary()
    await this.#rewriteDrafts()
  }

  async #rewriteDrafts(): Promise<void> {
    if (this.#drafts.length === 0) return await this.#cutDrafts(0)
    const content = this.#drafts.map((line) => toLines([line])).join("")
    await this.#draftFile?.close()
    this.#draftFile = undefined
    await replaceFile(join(this.#folder, DRAFTS), content, this.#sync)
    this.#draftSize = Buffer.byteLength(content)
  }

  async #cutDrafts(size: number): Promise<void> {
    await (await this.#handle(DRAFTS))?.truncate(size)
    this.#draftSize = size
  }

  #describe(entry: Entry): void {
    // Whoever asks for the summary gets this very object.
    this.#info = describe(this.#namespace, this.#info, entry)
    Object.freeze(this.#info.metadata)
    Object.freeze(this.#info)
    if (entry.type === "delta") return
    const numbers = this.#known.get(entry.type)
    if (numbers === undefined) this.#known.set(entry.type, [entry.seq])
    else if (numbers !== null) {
      numbers.push(entry.seq)
      if (numbers.length > MAX_KNOWN) this.#known.set(entry.type, null)
    }
  }

  async #readLog(range: {
    readonly after: number
    readonly before: number
    readonly limit: number
    readonly backward: boolean
    readonly types: ReadonlySet<EntryType> | undefined
  }): Promise<readonly Entry[]> {
    const { after, before, limit, backward, types } = range
    const size = this.#logSize
    const file = await this.#handle(LOG)
    if (!file || size === 0) return []
    const path = join(this.#folder, LOG)
    const found: Entry[] = []
    const few = types && this.#numbersOf(types, after, before)
    if (few) {
      if (backward) few.reverse()
      for (const seq of few.slice(0, limit)) {
        const lines = linesForward(file, await offsetOf(file, seq, size), size)
        const { value } = await lines.next()
        if (value !== undefined) found.push(fromLine(value, path).entry)
      }
      return found
    }
    const start = after > 0 ? await offsetOf(file, after + 1, size) : 0
    const end = before <= (this.#info?.version ?? 0) ? await offsetOf(file, before, size) : size
    const lines = backward ? linesBackward(file, end) : linesForward(file, start, end)
    for await (const line of lines) {
      const seq = seqOf(line)
      if (backward && seq !== undefined && seq <= after) break
      const type = typeOf(line)
      // A line that was not written here is read whole, which says what is wrong with it.
      if (types && type !== undefined && !types.has(type as EntryType)) continue
      const { entry } = fromLine(line, path)
      if (types && !types.has(entry.type)) continue
      found.push(entry)
      if (found.length >= limit) break
    }
    return found
  }

  /** The numbers of all entries of these types in the range, in order; undefined when they are not known. */
  #numbersOf(types: ReadonlySet<EntryType>, after: number, before: number): number[] | undefined {
    const all: number[] = []
    for (const type of types) {
      const numbers = this.#known.get(type)
      if (numbers === null) return undefined
      for (const seq of numbers ?? []) if (seq > after && seq < before) all.push(seq)
    }
    return all.sort((a, b) => a - b)
  }

  /** The file, opened when it is there. */
  async #handle(name: string): Promise<FileHandle | undefined> {
    const known = name === LOG ? this.#log : this.#draftFile
    if (known) return known
    try {
      return this.#keep(name, await open(join(this.#folder, name), "r+"))
    } catch (error) {
      if (isMissing(error)) return undefined
      throw storeError(join(this.#folder, name), error)
    }
  }

  async #create(name: string): Promise<FileHandle> {
    await makeFolder(this.#folder, this.#sync)
    const file = await open(join(this.#folder, name), "w+", 0o600)
    if (this.#sync) await syncFolder(this.#folder)
    return this.#keep(name, file)
  }

  #keep(name: string, file: FileHandle): FileHandle {
    if (name === LOG) this.#log = file
    else this.#draftFile = file
    return file
  }

  async #closeHandles(): Promise<void> {
    const handles = [this.#log, this.#draftFile]
    this.#log = undefined
    this.#draftFile = undefined
    for (const handle of handles) await handle?.close()
  }
}

/** The summary in the file, when it is there and whole. */
export async function readSummary(path: string, namespace: Namespace): Promise<Summary | undefined> {
  let value: unknown
  try {
    value = JSON.parse(await readFile(path, "utf8"))
  } catch (error) {
    // The log has everything that is in it.
    if (isMissing(error) || error instanceof SyntaxError) return undefined
    throw error
  }
  if (!isObject(value)) return undefined
  const { size, info, known } = value
  if (typeof size !== "number" || !isObject(info) || !Array.isArray(known)) return undefined
  if (info["namespace"] !== namespace.key) {
    throw new StoreError(
      "store_corrupt",
      "A session's folder holds another session: it was moved or copied. Put it back, or delete it.",
      { path },
    )
  }
  return {
    size,
    info: Object.freeze({ ...(frozenCopy(info as unknown as Json) as unknown as SessionInfo), namespace }),
    known: new Map(known as unknown as [EntryType, number[] | null][]),
  }
}

/** The length of a session's log, and whether drafts lie beside it. */
export async function sizes(folder: string): Promise<{ readonly log: number; readonly drafts: number }> {
  const size = async (name: string): Promise<number> => {
    try {
      return (await stat(join(folder, name))).size
    } catch (error) {
      if (isMissing(error)) return 0
      throw error
    }
  }
  return { log: await size(LOG), drafts: await size(DRAFTS) }
}
