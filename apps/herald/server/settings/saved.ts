import { errorMessage, isObject, type Json, type JsonObject, Namespace, type Records } from "@orra/core"
import type { Fields } from "../config/field.ts"
import type { Table } from "../config/load.ts"
import { settings } from "../config/settings.ts"
import { isField, isSecret } from "../config/summary.ts"
import { asSealed, type Sealed, type Vault } from "../provider/vault.ts"

/** Not a person's namespace: no key reaches it. */
const PLACE = Namespace.of("herald", "settings")
const RECORD = "values"

interface SavedOptions {
  readonly records: Records
  readonly vault: Vault
  /** Told of every secret, so that no log shows it. */
  readonly hide: (secret: string | undefined) => void
}

/** What the page saved, in the shape of the file, kept in the data directory; secrets by the vault. */
export class SavedSettings {
  readonly #options: SavedOptions
  readonly #complaints: string[] = []
  #table: Table = {}
  /** Where each secret is kept: by its text, so that one that stays is not kept anew. */
  #sealed = new Map<string, Sealed>()

  private constructor(options: SavedOptions) {
    this.#options = options
  }

  static async open(options: SavedOptions): Promise<SavedSettings> {
    const saved = new SavedSettings(options)
    const record = (await options.records.get(PLACE, RECORD))?.value
    if (isObject(record)) saved.#table = (await saved.#opened(record as JsonObject)) as Table
    return saved
  }

  get table(): Table {
    return this.#table
  }

  /** Which secrets cannot be read any more. */
  get complaints(): readonly string[] {
    return this.#complaints
  }

  /** Keeps these values instead of those that were there. */
  async put(table: Table): Promise<void> {
    const { records, vault } = this.#options
    const kept = new Map<string, Sealed>()
    await records.put(PLACE, RECORD, await this.#sealedOf(settings, table, kept))
    for (const [secret, sealed] of this.#sealed) if (!kept.has(secret)) await vault.forget(sealed)
    this.#table = table
    this.#sealed = kept
  }

  async #sealedOf(fields: Fields, values: Table, kept: Map<string, Sealed>): Promise<JsonObject> {
    const result: Record<string, Json> = {}
    for (const [key, value] of Object.entries(values)) {
      const node = fields[key]
      if (!node || value === undefined) continue
      if (node.kind === "list") {
        const entries: Json[] = []
        for (const entry of value as readonly Table[])
          entries.push(await this.#sealedOf(node.fields, entry, kept))
        result[key] = entries
      } else if (!isField(node)) result[key] = await this.#sealedOf(node.fields, value as Table, kept)
      else if (isSecret(node)) result[key] = { sealed: { ...(await this.#seal(value, kept)) } }
      else result[key] = value as Json
    }
    return result
  }

  async #seal(value: unknown, kept: Map<string, Sealed>): Promise<Sealed> {
    const text = JSON.stringify(value)
    const sealed = kept.get(text) ?? this.#sealed.get(text) ?? (await this.#options.vault.seal(text))
    kept.set(text, sealed)
    this.#hide(value)
    return sealed
  }

  async #opened(value: Json): Promise<unknown> {
    if (Array.isArray(value)) return await Promise.all(value.map((each) => this.#opened(each)))
    if (!isObject(value)) return value
    const entries: [string, unknown][] = []
    for (const [key, each] of Object.entries(value as JsonObject)) {
      const sealed = isObject(each) ? asSealed((each as JsonObject)["sealed"]) : undefined
      if (!sealed) entries.push([key, await this.#opened(each)])
      else {
        try {
          const text = await this.#options.vault.open(sealed)
          const opened: unknown = JSON.parse(text)
          this.#sealed.set(text, sealed)
          this.#hide(opened)
          entries.push([key, opened])
        } catch (error) {
          this.#complaints.push(`${key}: ${errorMessage(error)}`)
        }
      }
    }
    return Object.fromEntries(entries)
  }

  #hide(value: unknown): void {
    if (typeof value === "string") this.#options.hide(value)
    else if (isObject(value)) for (const each of Object.values(value)) this.#hide(each)
  }
}
