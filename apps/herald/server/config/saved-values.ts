import { isObject } from "@orra/core"
import type { Table } from "./load.ts"

/**
 * The file's table with what the page saved, key by key where the file says nothing. Of MCP servers there are those of
 * both; a saved one whose name the file has is left out.
 */
export function withSaved(
  file: Table,
  saved: Table,
): { readonly table: Table; readonly isSaved: (name: string) => boolean } {
  const names = new Set<string>()
  const table: Record<string, unknown> = { ...file }
  for (const [section, values] of Object.entries(saved)) {
    const own = file[section] ?? {}
    if (!isObject(values) || !isObject(own)) continue
    const merged: Record<string, unknown> = { ...own }
    for (const [key, value] of Object.entries(values)) {
      const name = `${section}.${key}`
      if (Array.isArray(value) && value.every(isObject)) {
        const first = own[key] ?? []
        // What is no list is a mistake of the file, and reported as that.
        if (!Array.isArray(first)) continue
        const added = value.filter(
          (entry) => !first.some((each) => isObject(each) && each["name"] === entry["name"]),
        )
        merged[key] = [...first, ...added.map(literal)]
        added.forEach((_, index) => void names.add(`${name}[${first.length + index}]`))
      } else if (!Object.hasOwn(own, key)) {
        merged[key] = literal(value)
        names.add(name)
      }
    }
    table[section] = merged
  }
  return { table, isSaved: (name) => names.has(name) || names.has(name.replace(/\].*/, "]")) }
}

/** Text that is taken as it is: nothing of the environment comes into what somebody typed into the page. */
function literal(value: unknown): unknown {
  if (typeof value === "string") return value.replaceAll("${", () => "$${")
  if (Array.isArray(value)) return value.map(literal)
  if (!isObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, literal(each)]))
}
