import { isObject, type Json, type JsonObject } from "@orra/core"
import { Ajv, type ValidateFunction } from "ajv"
import formats from "ajv-formats"
import type { Reference } from "./reference.ts"

/**
 * Checks values against the schemas of services. To compile one takes longer than a task: those that were used last are kept,
 * known by what they say.
 */
export class Schemas {
  readonly #ajv = new Ajv({ strict: false, allErrors: true, addUsedSchema: false })
  readonly #known = new WeakMap<JsonObject, ValidateFunction | Error>()
  readonly #compiled = new Map<
    string,
    { readonly schema: JsonObject; readonly made: ValidateFunction | Error }
  >()

  readonly #most: number

  /** @param most how many are kept. */
  constructor(most = 1_000) {
    this.#most = most
    formats.default(this.#ajv)
  }

  /** What is wrong with a value, for people and models; empty when nothing is. A schema that is none finds fault with everything. */
  faults(schema: JsonObject, value: Json): readonly string[] {
    const validate = this.#validator(schema)
    if (validate instanceof Error) return [`its schema is none: ${validate.message}`]
    if (validate(value)) return []
    return (validate.errors ?? []).slice(0, MAX_FAULTS).map(({ instancePath, message, params }) => {
      const where = instancePath.slice(1).replaceAll("/", ".")
      const allowed = "allowedValues" in params ? `: ${JSON.stringify(params["allowedValues"])}` : ""
      return `${where === "" ? "it" : where} ${message ?? "is not as its schema says"}${allowed}`
    })
  }

  #validator(schema: JsonObject): ValidateFunction | Error {
    const known = this.#known.get(schema)
    if (known) return known
    const text = JSON.stringify(schema)
    const compiled = this.#compiled.get(text) ?? { schema, made: this.#compile(schema) }
    this.#compiled.delete(text)
    this.#compiled.set(text, compiled)
    const [[oldest, left] = []] = this.#compiled
    if (this.#compiled.size > this.#most && oldest !== undefined) {
      this.#compiled.delete(oldest)
      this.#ajv.removeSchema(left?.schema)
    }
    this.#known.set(schema, compiled.made)
    return compiled.made
  }

  #compile(schema: JsonObject): ValidateFunction | Error {
    try {
      return this.#ajv.compile(schema)
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }
}

const MAX_FAULTS = 5

/** The names a schema of type object requires and knows. */
export const propertiesOf = ({ properties }: JsonObject): JsonObject =>
  isObject(properties) ? (properties as JsonObject) : {}
export const requiredOf = ({ required }: JsonObject): readonly string[] =>
  Array.isArray(required) ? required.filter((name) => typeof name === "string") : []

/** Whether it takes members that it does not name. By the standard it does unless it says otherwise; a plan has to know. */
export const isOpen = ({ additionalProperties }: JsonObject): boolean =>
  additionalProperties === true || isObject(additionalProperties)

/** The schema of a place in what another schema describes; undefined when there is no such place. */
export function schemaAt(
  schema: JsonObject,
  { path, whole }: Pick<Reference, "path" | "whole">,
): JsonObject | undefined {
  const own = propertiesOf(schema)[whole]
  if (isObject(own)) return own as JsonObject
  let at: JsonObject | undefined = schema
  for (const step of path) {
    at = at && below(at, step)
    if (!at) return undefined
  }
  return at
}

function below(schema: JsonObject, step: string | number): JsonObject | undefined {
  const { items, additionalProperties, anyOf, oneOf, allOf } = schema
  if (typeof step === "number") {
    if (isObject(items)) return items as JsonObject
  } else {
    const named = propertiesOf(schema)[step]
    if (isObject(named)) return named as JsonObject
    if (isObject(additionalProperties)) return additionalProperties as JsonObject
    // It may have any member: what it is will be seen when it is there.
    if (additionalProperties === true || Object.keys(schema).length === 0) return {}
  }
  for (const choice of [anyOf, oneOf, allOf].flatMap((each) => (Array.isArray(each) ? each : []))) {
    const found = isObject(choice) ? below(choice as JsonObject, step) : undefined
    if (found) return found
  }
  return undefined
}

const TYPES = ["object", "array", "string", "number", "integer", "boolean", "null"] as const
type Type = (typeof TYPES)[number]

/** The types that a schema allows; all where it does not say. */
export function typesOf(schema: JsonObject): ReadonlySet<Type> {
  const { type, anyOf, oneOf, enum: values, const: only } = schema
  if (typeof type === "string" || Array.isArray(type))
    return new Set(TYPES.filter((each) => each === type || (Array.isArray(type) && type.includes(each))))
  if (Array.isArray(values)) return new Set(values.map(typeOf))
  if (only !== undefined) return new Set([typeOf(only)])
  const choices = Array.isArray(anyOf) ? anyOf : Array.isArray(oneOf) ? oneOf : []
  const found = choices.flatMap((choice) => (isObject(choice) ? [...typesOf(choice as JsonObject)] : []))
  return new Set(found.length > 0 ? found : TYPES)
}

function typeOf(value: Json): Type {
  if (value === null) return "null"
  if (Array.isArray(value)) return "array"
  if (typeof value === "number") return Number.isInteger(value) ? "integer" : "number"
  return typeof value as "object" | "string" | "boolean"
}

/**
 * Whether everything of one schema fits another, as far as types go: members that are required, and what is in lists, are
 * looked at too. Formats, patterns and limits are checked when the value is there.
 */
export function fits(from: JsonObject, to: JsonObject, depth = 0): boolean {
  if (depth > MAX_DEPTH) return true
  const wanted = typesOf(to)
  const isTaken = (type: Type): boolean => wanted.has(type) || (type === "integer" && wanted.has("number"))
  const given = typesOf(from)
  // Nothing is said of it: whether it fits will be seen.
  if (given.size === TYPES.length) return true
  if (![...given].every(isTaken)) return false
  if (given.has("array") && isObject(from["items"]) && isObject(to["items"]))
    return fits(from["items"] as JsonObject, to["items"] as JsonObject, depth + 1)
  if (!given.has("object")) return true
  const [has, takes] = [propertiesOf(from), propertiesOf(to)]
  const isComplete = isOpen(from) || requiredOf(to).every((name) => Object.hasOwn(has, name))
  return (
    isComplete &&
    Object.entries(has).every(([name, own]) => {
      const wants = takes[name]
      return !isObject(own) || !isObject(wants) || fits(own as JsonObject, wants as JsonObject, depth + 1)
    })
  )
}

const MAX_DEPTH = 32
