import { dirname, join, resolve } from "node:path"
import { isObject } from "@orra/core"
import { readJson, writeJson } from "./service-store.ts"

/** Where the id that the engine gave a service is kept, so that it is the same one after a restart. */
export type PersistenceOptions =
  | { readonly method?: "file"; readonly filePath?: string }
  | {
      readonly method: "custom"
      readonly customSave: (id: string) => void | Promise<void>
      readonly customLoad: () => string | null | undefined | Promise<string | null | undefined>
    }

export class ServiceIdentity {
  /** Where the service's files are. */
  readonly folder: string
  readonly #file: string
  readonly #options: PersistenceOptions

  constructor(name: string, options: PersistenceOptions = {}) {
    const given = options.method === "custom" ? undefined : options.filePath
    this.#options = options
    this.#file = resolve(given ?? join(".orra-data", `${name}-orra-service-key.json`))
    this.folder = dirname(this.#file)
  }

  async load(): Promise<string | undefined> {
    if (this.#options.method === "custom") return (await this.#options.customLoad()) ?? undefined
    const kept = await readJson(this.#file)
    return isObject(kept) && typeof kept["id"] === "string" ? kept["id"] : undefined
  }

  async save(id: string): Promise<void> {
    if (this.#options.method === "custom") await this.#options.customSave(id)
    else await writeJson(this.#file, { id })
  }
}
