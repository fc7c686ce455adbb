import { type ArgumentMatcher, isObject } from "@orra/core"
import { type Environment, expand } from "./expand.ts"
import type { Field, Fields, List, Node, Section } from "./field.ts"
import { nearest } from "./nearest.ts"
import type { Path } from "./positions.ts"

/** Something wrong with the file, said for the person who wrote it. */
export interface Problem {
  readonly line: number
  readonly column?: number
  readonly message: string
}

/** Something to say at start that does not keep Herald from starting. */
export interface Notice {
  readonly line: number
  readonly message: string
}

/** Gathers what is found while a document is read. */
export interface Reading {
  readonly env: Environment
  readonly line: (path: Path) => number
  readonly problems: Problem[]
  readonly notices: Notice[]
  /** Keys the file sets, as `name` writes them, with their lines. */
  readonly set: Map<string, number>
  /** All sections, for keys that were put into the wrong one. */
  readonly root: Fields
}

/** `["gateway", "keys", 0, "name"]` as people write it: `gateway.keys[0].name`. */
export const nameOf = (path: Path): string =>
  path.reduce<string>(
    (name, step) => (typeof step === "number" ? `${name}[${step}]` : name ? `${name}.${step}` : step),
    "",
  )

/** The values of a table, with defaults for what it does not set; what does not fit is put down as a problem. */
export function readTable(
  fields: Fields,
  table: Readonly<Record<string, unknown>>,
  path: Path,
  reading: Reading,
): Record<string, unknown> {
  for (const key of Object.keys(table)) {
    if (!Object.hasOwn(fields, key)) unknownKey(key, fields, [...path, key], isObject(table[key]), reading)
  }
  return Object.fromEntries(
    Object.entries(fields).map(([key, node]) => {
      const value = Object.hasOwn(table, key) ? table[key] : undefined
      return [key, readNode(node, value, [...path, key], reading)]
    }),
  )
}

function readNode(node: Node, value: unknown, path: Path, reading: Reading): unknown {
  switch (node.kind) {
    case "section":
      return readSection(node, value, path, reading)
    case "list":
      return readList(node, value, path, reading)
    default:
      return readField(node, value, path, reading)
  }
}

function readSection(section: Section, value: unknown, path: Path, reading: Reading): unknown {
  if (value !== undefined && !isTable(value)) {
    expected(`a section, written [${nameOf(path)}]`, value, path, reading)
    return readTable(section.fields, {}, path, reading)
  }
  return readTable(section.fields, value ?? {}, path, reading)
}

function readList(node: List, value: unknown, path: Path, reading: Reading): unknown {
  if (value === undefined) return []
  if (!Array.isArray(value) || !value.every(isTable)) {
    expected(`a list of tables, written [[${nameOf(path)}]]`, value, path, reading)
    return []
  }
  return value.map((table, index) => readTable(node.fields, table, [...path, index], reading))
}

function readField(field: Field<unknown>, value: unknown, path: Path, reading: Reading): unknown {
  if (value === undefined) {
    if (field.required) {
      problem(`${nameOf(path)} is missing: ${withoutStop(field.doc)}`, path.slice(0, -1), reading)
    }
    return field.default
  }
  reading.set.set(nameOf(path), reading.line(path))
  const read = readValue(field, value, path, reading)
  if (field.later !== undefined && !isEmpty(read) && read !== (field.off ?? false)) {
    const message = `${nameOf(path)} is configured but ${field.later}`
    reading.notices.push({ line: reading.line(path), message })
  }
  return read ?? field.default
}

/** The value as its kind wants it, or undefined when it is unset or wrong. */
function readValue(field: Field<unknown>, value: unknown, path: Path, reading: Reading): unknown {
  if (field.kind === "texts") {
    if (!Array.isArray(value)) return expected("a list of texts", value, path, reading)
    return value.flatMap((item, index) => readText(field, item, [...path, index], reading)?.text ?? [])
  }
  if (field.kind === "secrets") {
    if (!isTable(value)) return expected("a table of texts", value, path, reading)
    const entries = Object.entries(value).map(
      ([key, item]) =>
        [key, readText({ ...field, kind: "secret" }, item, [...path, key], reading)?.text] as const,
    )
    return Object.fromEntries(entries.filter(([, item]) => item !== undefined))
  }
  if (field.kind === "matchers") {
    if (!isTable(value)) return expected("a table of arguments", value, path, reading)
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) => {
        const matcher = matcherOf(field, item, [...path, key], reading)
        return matcher ? [[key.startsWith("/") || key === "" ? key : `/${key}`, matcher]] : []
      }),
    )
  }
  if (typeof value !== "string") return plainValue(field, value, path, reading)
  const read = readText(field, value, path, reading)
  if (!read) return undefined
  // Only a value that came from the environment may change its type: "8080" in the file is a mistake.
  return plainValue(field, read.expanded ? fromText(field, read.text) : read.text, path, reading)
}

/** Text is a glob, a list says which values, and a table is a matcher as the policy has it, which looks at it. */
function matcherOf(
  field: Field<unknown>,
  value: unknown,
  path: Path,
  reading: Reading,
): ArgumentMatcher | undefined {
  if (typeof value === "number" || typeof value === "boolean") return { equals: value }
  if (Array.isArray(value)) return { oneOf: value }
  if (isTable(value)) return value as ArgumentMatcher
  const read = readText(field, value, path, reading)
  return read && { glob: read.text }
}

function fromText(field: Field<unknown>, text: string): unknown {
  if (field.kind === "boolean" && (text === "true" || text === "false")) return text === "true"
  if ((field.kind === "integer" || field.kind === "number") && /^-?\d+(\.\d+)?$/.test(text))
    return Number(text)
  return text
}

function readText(
  field: Field<unknown>,
  value: unknown,
  path: Path,
  reading: Reading,
): { readonly text: string; readonly expanded: boolean } | undefined {
  const name = nameOf(path)
  if (typeof value !== "string") {
    expected("text in quotes", value, path, reading, field.kind === "secret")
    return undefined
  }
  const expansion = expand(value, reading.env)
  if (expansion.type === "invalid") {
    problem(`${name} ${expansion.message}`, path, reading)
    return undefined
  }
  if (expansion.type === "unset") {
    const names = expansion.names.map((variable) => `\${${variable}}`).join(", ")
    const isAre = expansion.names.length === 1 ? "is" : "are"
    if (field.kind !== "secret" || field.required) {
      problem(
        `${name} uses ${names}, which ${isAre} not set in the environment: set it, or write \${NAME:-default}`,
        path,
        reading,
      )
    } else {
      reading.notices.push({
        line: reading.line(path),
        message: `${name} counts as not set: ${names} ${isAre} not in the environment`,
      })
    }
    return undefined
  }
  if (field.kind === "secret" && expansion.text.trim() === "") {
    if (field.required) problem(`${name} is empty: ${withoutStop(field.doc)}`, path, reading)
    return undefined
  }
  return expansion
}

function plainValue(field: Field<unknown>, value: unknown, path: Path, reading: Reading): unknown {
  const name = nameOf(path)
  switch (field.kind) {
    case "boolean":
      return typeof value === "boolean" ? value : expected("true or false", value, path, reading)
    case "integer":
    case "number": {
      const what = field.kind === "integer" ? "a whole number" : "a number"
      const fits =
        typeof value === "number" &&
        (field.kind === "integer" ? Number.isSafeInteger(value) : Number.isFinite(value))
      if (!fits) return expected(what + range(field), value, path, reading)
      const inRange = value >= (field.min ?? -Infinity) && value <= (field.max ?? Infinity)
      return inRange ? value : expected(what + range(field), value, path, reading)
    }
    case "choice": {
      const choices = field.choices ?? []
      if (typeof value === "string" && choices.includes(value)) return value
      const meant = typeof value === "string" ? nearest(value, choices) : undefined
      const listed = choices.map((option) => `"${option}"`).join(", ")
      return expected(`one of ${listed}`, value, path, reading, false, meant && `did you mean "${meant}"?`)
    }
    default:
      if (typeof value !== "string")
        return expected("text in quotes", value, path, reading, field.kind === "secret")
      if (field.required && value.trim() === "") {
        problem(`${name} is empty: ${withoutStop(field.doc)}`, path, reading)
        return undefined
      }
      // An empty path or name means none, as in the original.
      return value === "" && field.kind === "path" ? undefined : value
  }
}

const range = ({ min, max }: Field<unknown>): string => {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`
  return min === undefined ? "" : `, ${min} or more`
}

function unknownKey(key: string, known: Fields, path: Path, isSection: boolean, reading: Reading): void {
  const place = path.length > 1 ? ` in [${nameOf(path.slice(0, -1)).replace(/\[\d+\]/g, "")}]` : ""
  const what = isSection ? `unknown section [${nameOf(path)}]` : `unknown key "${key}"${place}`
  const meant = nearest(key, Object.keys(known))
  const home = Object.entries(reading.root).find(
    ([, node]) => (node.kind === "section" || node.kind === "list") && Object.hasOwn(node.fields, key),
  )?.[0]
  if (meant !== undefined) problem(`${what}: did you mean "${meant}"?`, path, reading)
  else if (home !== undefined) problem(`${what}: it belongs in [${home}]`, path, reading)
  else problem(`${what}: known here are ${Object.keys(known).join(", ")}`, path, reading)
}

function expected(
  what: string,
  value: unknown,
  path: Path,
  reading: Reading,
  isSecret = false,
  hint?: string,
): undefined {
  const found = isSecret ? kindOf(value) : shown(value)
  problem(`${nameOf(path)} must be ${what}, not ${found}${hint ? `: ${hint}` : ""}`, path, reading)
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list"
  if (value instanceof Date) return "a date"
  if (isTable(value)) return "a table"
  if (typeof value === "number") return "a number"
  return typeof value === "string" ? "text" : "true or false"
}

function shown(value: unknown): string {
  if (typeof value === "string") {
    const points = [...value]
    return JSON.stringify(points.length > 40 ? `${points.slice(0, 40).join("")}…` : value)
  }
  return typeof value === "number" || typeof value === "boolean" ? String(value) : kindOf(value)
}

const isTable = (value: unknown): value is Record<string, unknown> =>
  isObject(value) && !(value instanceof Date)

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === "" || (Array.isArray(value) && value.length === 0)

const withoutStop = (doc: string): string => (doc.charAt(0).toLowerCase() + doc.slice(1)).replace(/\.$/, "")

function problem(message: string, path: Path, reading: Reading): void {
  reading.problems.push({ line: reading.line(path), message })
}
