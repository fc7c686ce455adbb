import type { Fields, Node } from "./field.ts"
import { settings } from "./settings.ts"

/**
 * The effective settings as text, in the order and form of the file, each with where it comes from when that is not
 * the default. Secrets are masked. What is not built yet is left out: it has no effect.
 */
export function effectiveSettings(
  config: Readonly<Record<string, unknown>>,
  origins: Origins,
  /** Only this section. */
  only?: string,
): readonly string[] {
  const top = Object.fromEntries(Object.entries(settings).filter(([, node]) => isField(node)))
  const lines = only === undefined ? valueLines(top, config, "", origins, "") : []
  for (const [name, node] of Object.entries<Node>(settings)) {
    if (isField(node) || (only !== undefined && name !== only)) continue
    const value = config[name]
    if (node.kind === "section") {
      lines.push("", `[${name}]`, ...valueLines(node.fields, value as Values, name, origins))
    } else lines.push(...listLines(node.fields, value as readonly Values[], name, origins))
  }
  return lines
}

/** Says of a name where its value comes from; undefined is not worth a word. */
type Origins = Pick<ReadonlyMap<string, string>, "get">

/** The sections that have an effect. */
export const sections = (): readonly string[] =>
  Object.entries<Node>(settings).flatMap(([name, node]) => (isField(node) ? [] : [name]))

type Values = Readonly<Record<string, unknown>>

function valueLines(fields: Fields, values: Values, path: string, origins: Origins, indent = "  "): string[] {
  const lines: string[] = []
  const lists: string[] = []
  for (const [key, node] of Object.entries(fields)) {
    const name = path ? `${path}.${key}` : key
    if (node.kind === "list") {
      lists.push(...listLines(node.fields, values[key] as readonly Values[], name, origins))
    } else if (isField(node) && node.later === undefined) {
      const origin = origins.get(name)
      const shown = shownValue(node, values[key])
      lines.push(`${indent}${key} = ${shown}${origin === undefined ? "" : `  # ${origin}`}`)
    }
  }
  return [...lines, ...lists]
}

const listLines = (fields: Fields, items: readonly Values[], path: string, origins: Origins): string[] =>
  items.flatMap((item, index) => [
    "",
    `[[${path}]]`,
    ...valueLines(fields, item, `${path}[${index}]`, origins),
  ])

function shownValue(node: FieldNode, value: unknown): string {
  if (value === undefined) return "(not set)"
  return isSecret(node) && !isEmpty(value) ? "(set, not shown)" : JSON.stringify(value)
}

/** Whether its value is shown to nobody. */
export const isSecret = ({ kind, hidden }: FieldNode): boolean =>
  kind === "secret" || kind === "secrets" || hidden === true

const isEmpty = (value: unknown): boolean => Object.keys(Object(value)).length === 0

type FieldNode = Exclude<Node, { kind: "section" | "list" }>

export const isField = (node: Node): node is FieldNode => node.kind !== "section" && node.kind !== "list"

/** Every value of a configuration by its name; a list is one. */
export function valuesByName(config: Readonly<Record<string, unknown>>): ReadonlyMap<string, unknown> {
  const values = new Map<string, unknown>()
  const gather = (fields: Fields, from: Values, path: string): void => {
    for (const [key, node] of Object.entries(fields)) {
      if (node.kind === "section") gather(node.fields, from[key] as Values, `${path}${key}.`)
      else values.set(path + key, from[key])
    }
  }
  gather(settings, config, "")
  return values
}

/** Every secret of a configuration. */
export function secretsOf(config: Readonly<Record<string, unknown>>): readonly string[] {
  const gather = (fields: Fields, from: Values): readonly unknown[] =>
    Object.entries(fields).flatMap(([key, node]) => {
      const value = from[key]
      if (node.kind === "section") return gather(node.fields, value as Values)
      if (node.kind === "list")
        return (value as readonly Values[]).flatMap((each) => gather(node.fields, each))
      return node.kind === "secrets" ? Object.values(value as Values) : node.kind === "secret" ? [value] : []
    })
  return gather(settings, config).filter((secret) => typeof secret === "string")
}
