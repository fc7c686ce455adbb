import { isAbsolute } from "node:path"
import { InvalidInput, isObject, OrraError } from "@orra/core"
import type { Fields } from "../config/field.ts"
import { type LoadedConfig, SAVED, type Table } from "../config/load.ts"
import { settings } from "../config/settings.ts"
import { isField, isSecret } from "../config/summary.ts"

/** A value as the page shows it. */
export interface ShownValue {
  /** `discord.filter`. */
  readonly name: string
  /** Of a secret only whether there is one: null, or true. */
  readonly value: unknown
  readonly isSecret: boolean
  /** `file`: the page cannot change it. */
  readonly origin: "default" | "page" | "file"
  /** Where in the file: "assistant.toml, line 4". */
  readonly where: string | null
}

/** What the page changes besides what has routes of its own; of sections in `sections` every key. */
const SECTIONS = ["tools", "github", "discord", "budget"] as const
const SINGLE: readonly string[] = ["provider.cheap_model", "logging.level"]
/** What another person's data hangs on. */
const NOT: readonly string[] = ["discord.namespace_prefix"]

const isOfPage = (name: string): boolean =>
  (SECTIONS.some((section) => name.startsWith(`${section}.`)) || SINGLE.includes(name)) && !NOT.includes(name)

/** The field of a name, if the page may change it. */
function fieldOf(name: string) {
  const [section = "", key = ""] = name.split(".")
  const node = (settings as Fields)[section]
  const field = node?.kind === "section" && Object.hasOwn(node.fields, key) ? node.fields[key] : undefined
  return field && isField(field) && field.later === undefined && isOfPage(name) ? field : undefined
}

/** Everything the page can show and change. */
export function shownValues({ config, origins, file }: LoadedConfig): readonly ShownValue[] {
  return Object.entries<Fields[string]>(settings).flatMap(([section, node]) =>
    node.kind !== "section"
      ? []
      : Object.keys(node.fields).flatMap((key) => {
          const name = `${section}.${key}`
          const field = fieldOf(name)
          if (!field) return []
          const value = (config as unknown as Record<string, Table>)[section]?.[key]
          const origin = origins.get(name)
          const hidden = isSecret(field)
          const isOfFile = origin !== undefined && origin !== SAVED
          return [
            {
              name,
              value: hidden && value !== undefined ? true : (value ?? null),
              isSecret: hidden,
              origin: isOfFile ? "file" : origin === SAVED ? "page" : "default",
              where: isOfFile ? (file ? `${file}, ${origin}` : origin) : null,
            } as const,
          ]
        }),
  )
}

/**
 * What is saved after a change; null takes a value back to its default. Whether the values are right is said by the
 * configuration they become a part of.
 *
 * @throws InvalidInput for names that are none; OrraError (`settings_in_file`) for what the file says.
 */
export function changedTable(
  saved: Table,
  changes: Readonly<Record<string, unknown>>,
  { origins, file }: LoadedConfig,
): Table {
  const table = Object.fromEntries(
    Object.entries(saved).map(([section, values]) => [section, { ...(values as Record<string, unknown>) }]),
  )
  for (const [name, value] of Object.entries(changes)) {
    const field = fieldOf(name)
    if (!field) throw new InvalidInput(`"${name.slice(0, 60)}" is not something that is changed in the page.`)
    const origin = origins.get(name)
    if (origin !== undefined && origin !== SAVED) {
      throw new OrraError("settings_in_file", `${name} is set in ${file} (${origin}): change it there.`)
    }
    if (field.kind === "path" && typeof value === "string" && value !== "" && !isAbsolute(value))
      throw new InvalidInput(`${name} must be an absolute path, which begins at the top.`)
    if (isObject(value)) throw new InvalidInput(`${name} must be a value.`)
    const [section = "", key = ""] = name.split(".")
    table[section] ??= {}
    if (value === null || value === "") delete table[section][key]
    else table[section][key] = value
  }
  return table
}
