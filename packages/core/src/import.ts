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
 *   StoreError `store_newer` for an export of a later release; SessionBusy. What came before is imported.
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

/** Records written at the same time: a database makes one transaction of them. */
const RECORDS_AT_ONCE = 100

class Importing {
  readonly #store: SessionStore
  readonly #options: ImportOptions
  #under: Namespace | undefined
  /** The session whose entries are coming; undefined between two, and while one is skipped. */
  #session: { readonly writer: ImportedSession; readonly version: number } | undefined
  #skipping = false
  /** Records that are being written; each ends with its error, if there is one. */
  readonly #writing: Promise<unknown>[] = []
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
    const isInside = this.#session !== undefined || this.#skipping
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
        await this.#beginSession(line)
        break
      case "entry":
        await this.#session?.writer.add(line.entry, size)
        break
      case "session_end":
        await this.#endSession(line.entries)
        break
      case "record":
        this.#writing.push(this.#record(line).catch((error: unknown) => atLine(error, number)))
        if (this.#writing.length >= RECORDS_AT_ONCE) await this.settle()
        break
      case "end":
        this.#isOver = true
    }
  }

  /** Waits for the records that are being written. */
  async settle(): Promise<void> {
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

  async #beginSession({ path, version, createdAt }: ExportLine & { type: "session" }): Promise<void> {
    const namespace = this.#place(path)
    const writer = await ImportedSession.begin(this.#store, namespace, createdAt)
    if (writer) this.#session = { writer, version }
    else {
      this.#exists(`the session "${namespace}"`)
      this.#skipping = true
    }
  }

  async #endSession(entries: number): Promise<void> {
    if (this.#session) {
      const { writer, version } = this.#session
      if (writer.entries !== entries) throw new InvalidInput("Entries of the session are missing.")
      await writer.end(version)
      this.#session = undefined
      this.#sessions++
      this.#entries += entries
    }
    this.#skipping = false
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
