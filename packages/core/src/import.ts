import { InvalidInput, OrraError, StoreError, VersionConflict } from "./errors.ts"
import { EXPORT_VERSION, type ExportLine } from "./export-format.ts"
import { ImportedSession } from "./import-session.ts"
import { isObject } from "./json.ts"
import { Namespace } from "./namespace.ts"
import type { SessionStore } from "./store.ts"

export interface ImportOptions {
  /** Where to put it. Default: where it was. What is said inside of entries and records stays as it was said. */
  readonly under?: Namespace
  /**
   * What to do with a session or a record that is there already: `fail` (default), or `skip` it, as when an import that
   * ended halfway is done again.
   */
  readonly existing?: "fail" | "skip"
}

/** What was written, and what was there already. */
export interface Imported {
  readonly sessions: number
  readonly entries: number
  readonly records: number
  readonly skipped: number
}

/**
 * Reads what `exportNamespace` wrote into a store of any kind: text in pieces of any size, or UTF-8. A session is
 * imported as a whole or not at all, also when the process dies: done again with `existing: "skip"`, the import goes on
 * where it was. Entries keep their numbers; records get new versions. It holds some MB in memory, or the largest line.
 *
 * ```ts
 * const { sessions } = await importNamespace(store, createReadStream("ada.jsonl"), { existing: "skip" })
 * ```
 *
 * @throws InvalidInput for a damaged line, with its number, for an export that ends early, and for what is there already;
 *   StoreError `store_newer` for an export of a later release; SessionBusy. What came before is imported, and of what
 *   follows some may be.
 */
export async function importNamespace(
  store: SessionStore,
  source: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
  options: ImportOptions = {},
): Promise<Imported> {
  const importing = new Importing(store, options)
  let number = 0
  try {
    for await (const text of linesOf(source)) {
      number++
      try {
        await importing.take(parsed(text), text.length, number)
      } catch (error) {
        throw atLine(error, number)
      }
    }
    await importing.settle()
    return importing.end(number)
  } finally {
    await importing.abandon()
  }
}

/** Sessions and records written at the same time: a database makes one transaction of them. So many, or characters. */
const AT_ONCE = 100
const MAX_SIZE = 1_000_000

class Importing {
  readonly #store: SessionStore
  readonly #options: ImportOptions
  #under: Namespace | undefined
  /** The session whose entries are coming, if one is. */
  #session: { readonly writer: ImportedSession; readonly version: number; readonly line: number } | undefined
  /** Sessions and records that are being written; each ends with its error, if there is one. */
  readonly #writing: Promise<unknown>[] = []
  /** How much of them is in memory, in characters. */
  #size = 0
  #isOver = false
  #sessions = 0
  #entries = 0
  #records = 0
  #skipped = 0

  constructor(store: SessionStore, options: ImportOptions) {
    this.#store = store
    this.#options = options
  }

  async take(line: ExportLine, size: number, number: number): Promise<void> {
    const isInside = this.#session !== undefined
    const belongs = line.type === "entry" || line.type === "session_end"
    const isFirst = line.type === "header"
    if (this.#isOver || isFirst === (this.#under !== undefined) || (!isFirst && belongs !== isInside)) {
      throw new InvalidInput("It does not follow from the line before.")
    }
    switch (line.type) {
      case "header":
        this.#begin(line)
        break
      case "session":
        this.#session = {
          writer: new ImportedSession(this.#store, this.#place(line.path), line.createdAt),
          version: line.version,
          line: number,
        }
        break
      case "entry":
        await this.#session?.writer.add(line.entry, size)
        break
      case "session_end":
        await this.#endSession(line.entries)
        break
      case "record":
        await this.#later(this.#record(line), number, size)
        break
      case "end":
        this.#isOver = true
    }
  }

  /** Waits for what is being written. */
  async settle(): Promise<void> {
    this.#size = 0
    const ends = await Promise.all(this.#writing.splice(0))
    for (const error of ends) if (error) throw error
  }

  end(lines: number): Imported {
    if (!this.#isOver) {
      throw new InvalidInput(`The export ends early, after line ${lines}: get a whole one and import it.`, {
        line: lines,
      })
    }
    const [sessions, entries, records, skipped] = [
      this.#sessions,
      this.#entries,
      this.#records,
      this.#skipped,
    ]
    return { sessions, entries, records, skipped }
  }

  /** Removes the session that did not come to its end, if there is one. */
  async abandon(): Promise<void> {
    await Promise.all(this.#writing)
    await this.#session?.writer.abandon()
  }

  #begin({ format, version, namespace }: ExportLine & { type: "header" }): void {
    if (format !== "orra-namespace") throw new InvalidInput("This is no export of a namespace.")
    if (version > EXPORT_VERSION) {
      throw new StoreError(
        "store_newer",
        `This export has format ${version} and this version knows ${EXPORT_VERSION}: update @orra/core. Nothing was imported.`,
        { version },
      )
    }
    this.#under = this.#options.under ?? Namespace.parse(namespace)
  }

  async #endSession(entries: number): Promise<void> {
    if (!this.#session) return
    const { writer, version, line } = this.#session
    if (writer.entries !== entries) throw new InvalidInput("Entries of the session are missing.")
    // It tidies up by itself from here on.
    this.#session = undefined
    await this.#later(this.#end(writer, version), line, writer.size)
  }

  async #end(writer: ImportedSession, version: number): Promise<void> {
    const { entries, namespace } = writer
    if (await writer.end(version)) {
      this.#sessions++
      this.#entries += entries
    } else this.#exists(`the session "${namespace}"`)
  }

  /** Lets it be written while more is read, as long as that is not too much. */
  async #later(work: Promise<void>, line: number, size: number): Promise<void> {
    this.#writing.push(work.catch((error: unknown) => atLine(error, line)))
    this.#size += size
    if (this.#writing.length >= AT_ONCE || this.#size >= MAX_SIZE) await this.settle()
  }

  async #record({ collection, path, key, value }: ExportLine & { type: "record" }): Promise<void> {
    const namespace = this.#place(path)
    try {
      await this.#store.records(collection).put(namespace, key, value, { expected: 0 })
      this.#records++
    } catch (error) {
      if (!(error instanceof VersionConflict)) throw error
      this.#exists(`a record of "${namespace}" in "${collection}"`)
    }
  }

  #exists(what: string): void {
    if (this.#options.existing !== "skip") {
      throw new InvalidInput(
        `There is already ${what}: erase it first, import "under" another name, or set existing: "skip".`,
      )
    }
    this.#skipped++
  }

  #place(path: readonly string[]): Namespace {
    const { segments } = this.#under ?? {}
    return Namespace.of(...(segments ?? []), ...path)
  }
}

/** The error, with the line that it is about. */
function atLine(error: unknown, line: number): unknown {
  if (!(error instanceof OrraError) || error instanceof StoreError) return error
  if (error.code !== "invalid_input" && error.code !== "namespace_invalid") return error
  return new InvalidInput(`Line ${line} of the export: ${error.message}`, { ...error.details, line })
}

function parsed(text: string): ExportLine {
  let line: unknown
  try {
    line = JSON.parse(text)
  } catch {
    throw damaged()
  }
  if (!isObject(line) || !isLine(line)) throw damaged()
  return line as unknown as ExportLine
}

const damaged = (): InvalidInput => new InvalidInput("It is damaged: get a whole export.")

function isLine(line: Record<string, unknown>): boolean {
  switch (line["type"]) {
    case "header":
      return isCount(line["version"]) && typeof line["namespace"] === "string"
    case "session":
      return isPath(line["path"]) && isCount(line["version"]) && Number.isFinite(line["createdAt"])
    case "entry": {
      const { entry } = line
      if (!isObject(entry)) return false
      return isCount(entry["seq"]) && Number.isFinite(entry["at"]) && typeof entry["type"] === "string"
    }
    case "session_end":
      return isCount(line["entries"])
    case "record":
      return typeof line["collection"] === "string" && isPath(line["path"]) && "value" in line
    default:
      return line["type"] === "end"
  }
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0

const isPath = (value: unknown): boolean =>
  Array.isArray(value) && value.every((segment) => typeof segment === "string")

/** The lines of a text that comes in pieces. What follows the last newline is one, unless it is empty. */
async function* linesOf(
  source: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder()
  const pieces: string[] = []
  for await (const piece of source) {
    const lines = (typeof piece === "string" ? piece : decoder.decode(piece, { stream: true })).split("\n")
    for (const line of lines.slice(0, -1)) {
      pieces.push(line)
      yield pieces.splice(0).join("")
    }
    pieces.push(lines.at(-1) ?? "")
  }
  const last = pieces.join("") + decoder.decode()
  if (last !== "") yield last
}
