import { InvalidInput } from "./errors.ts"
import { isObject, type Json, type JsonObject } from "./json.ts"
import { codePoints } from "./text.ts"

/**
 * The part of Standard Schema (https://standardschema.dev) that tools use: validation, and the JSON Schema of the
 * input (`~standard.jsonSchema`, which zod 4.2, valibot and arktype provide).
 */
export interface StandardSchema<Output> {
  readonly "~standard": {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: "draft-2020-12" }) => Record<string, unknown>
    }
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** What `tool({ input })` takes. */
export type InputSchema<Input> = StandardSchema<Input> | JsonObject

const isStandard = (schema: InputSchema<unknown>): schema is StandardSchema<unknown> => "~standard" in schema

/** The JSON Schema to show a model. @throws InvalidInput when there is none, or it is not of type object. */
export function inputSchemaOf(tool: string, schema: InputSchema<unknown>): JsonObject {
  if (!isObject(schema) && typeof schema !== "function")
    throw new InvalidInput(`The tool "${tool}" has no schema of its input.`)
  const json = isStandard(schema)
    ? (schema["~standard"].jsonSchema?.input({ target: "draft-2020-12" }) as JsonObject | undefined)
    : schema
  if (!json)
    throw new InvalidInput(`The schema of "${tool}" does not give its JSON Schema: pass JSON Schema instead.`)
  if (json["type"] !== "object") throw new InvalidInput(`The input of "${tool}" must be an object schema.`)
  if (!isStandard(schema)) assertUsable(tool, json, json)
  return json
}

/** What would make every call fail is said when the tool is declared. */
function assertUsable(tool: string, schema: Json, root: JsonObject): void {
  if (Array.isArray(schema)) for (const part of schema as readonly Json[]) assertUsable(tool, part, root)
  if (!isObject(schema)) return
  const { pattern, $ref } = schema as JsonObject
  if (typeof pattern === "string" && !regex(pattern)) {
    throw new InvalidInput(`The schema of "${tool}" has a pattern that is no regular expression: ${pattern}`)
  }
  if (typeof $ref === "string" && resolveRef($ref, root) === undefined) {
    throw new InvalidInput(`The schema of "${tool}" refers to ${$ref}, which is not in it.`)
  }
  for (const part of Object.values(schema as JsonObject)) assertUsable(tool, part, root)
}

/** The value as the schema gives it back. @throws InvalidInput naming each place that does not fit. */
export async function validateInput(schema: InputSchema<unknown>, value: unknown): Promise<unknown> {
  if (!isStandard(schema)) {
    const problems = schemaProblems(schema, value)
    if (problems.length > 0) throw new InvalidInput(problems.join(" "))
    return value
  }
  const result = await schema["~standard"].validate(value)
  if (!result.issues) return result.value
  throw new InvalidInput(
    result.issues
      .map((issue) => {
        const path = (issue.path ?? [])
          .map((step) => String(typeof step === "object" ? step.key : step))
          .join(".")
        return path ? `${path}: ${issue.message}.` : `${issue.message}.`
      })
      .join(" "),
  )
}

/**
 * What keeps `value` from fitting a JSON Schema, one sentence each, at most ten. Knows the keywords that tool
 * schemas use (type, enum, const, properties, patternProperties, required, additionalProperties, items,
 * prefixItems, the bounds of strings, numbers, arrays and objects, pattern, anyOf, oneOf, allOf, not, local $ref);
 * ignores others, as the specification allows. A schema and value that would take too long to check do not fit.
 * Source: JSON Schema 2020-12, validation vocabulary.
 */
export function schemaProblems(schema: JsonObject, value: unknown): readonly string[] {
  const problems: string[] = []
  check(schema, value, "", { root: schema, problems, depth: 0, steps: { left: MAX_STEPS } })
  return problems
}

/** A schema can ask for two looks at each level of a value: without a bound that is 2^depth of them. */
const MAX_STEPS = 100_000
const MAX_DEPTH = 64

interface CheckState {
  readonly root: JsonObject
  readonly problems: string[]
  readonly depth: number
  readonly steps: { left: number }
}

function say({ problems }: CheckState, path: string, what: string): void {
  problems.push(`${path || "The input"} ${what}.`)
}

function check(schema: Json | undefined, value: unknown, path: string, state: CheckState): void {
  if (state.problems.length >= 10) return
  if (state.depth > MAX_DEPTH || state.steps.left-- <= 0) {
    say(state, path, "is nested too deeply, or takes too long to check")
    return
  }
  if (schema === false) say(state, path, "is not allowed")
  if (!isObject(schema)) return
  const rule = schema as JsonObject
  const inner = { ...state, depth: state.depth + 1 }

  const target = resolveRef(rule["$ref"], state.root)
  if (target !== undefined) check(target, value, path, inner)

  const types = textsOf(rule["type"])
  if (types.length > 0 && !types.some((type) => hasType(value, type))) {
    say(state, path, `must be ${types.join(" or ")}, not ${typeName(value)}`)
    return
  }
  const options = rule["enum"]
  if (Array.isArray(options) && !options.some((option) => same(option, value)))
    say(state, path, `must be one of ${options.map((option) => JSON.stringify(option)).join(", ")}`)
  if ("const" in rule && !same(rule["const"], value))
    say(state, path, `must be ${JSON.stringify(rule["const"])}`)
  for (const [key, holds, words] of BOUNDS[typeName(value)] ?? []) {
    const bound = rule[key]
    if (typeof bound === "number" && !holds(sizeOf(value), bound))
      say(state, path, words.replace("#", String(bound)))
  }
  if (typeof value === "string") checkPattern(rule["pattern"], value, path, state)
  else if (Array.isArray(value)) checkArray(rule, value, path, inner)
  else if (isObject(value)) checkObject(rule, value, path, inner)
  checkCombined(rule, value, path, inner)
}

type Bound = readonly [key: string, holds: (size: number, bound: number) => boolean, words: string]

const atLeast = (size: number, bound: number): boolean => size >= bound
const atMost = (size: number, bound: number): boolean => size <= bound
const sizes = (kind: string, unit: string): readonly Bound[] => [
  [`min${kind}`, atLeast, `needs at least # ${unit}`],
  [`max${kind}`, atMost, `takes at most # ${unit}`],
]

/** By the type of what they bound. */
const BOUNDS: Readonly<Record<string, readonly Bound[]>> = {
  number: [
    ["minimum", atLeast, "must be at least #"],
    ["maximum", atMost, "must be at most #"],
    ["exclusiveMinimum", (value, bound) => value > bound, "must be more than #"],
    ["exclusiveMaximum", (value, bound) => value < bound, "must be less than #"],
    ["multipleOf", isMultiple, "must be a multiple of #"],
  ],
  string: sizes("Length", "characters"),
  array: sizes("Items", "items"),
  object: sizes("Properties", "members"),
}

function sizeOf(value: unknown): number {
  if (typeof value === "number") return value
  return typeof value === "string" ? codePoints(value) : Object.keys(value as object).length
}

function checkPattern(pattern: Json | undefined, value: string, path: string, state: CheckState): void {
  if (typeof pattern !== "string") return
  const expression = regex(pattern)
  if (!expression) say(state, path, `cannot be checked: ${pattern} is no regular expression`)
  else if (!expression.test(value)) say(state, path, `must match ${pattern}`)
}

/** As the specification has it, or as older schemas write it; undefined when it is neither. */
function regex(pattern: string): RegExp | undefined {
  for (const flags of ["u", ""]) {
    try {
      return new RegExp(pattern, flags)
    } catch {
      // The next one may take it.
    }
  }
  return undefined
}

/** 19.99 is a multiple of 0.01, though their quotient in binary is 1998.9999999999998. */
function isMultiple(value: number, step: number): boolean {
  const quotient = value / step
  return Math.abs(quotient - Math.round(quotient)) <= Number.EPSILON * 4 * Math.max(1, Math.abs(quotient))
}

function checkArray(rule: JsonObject, value: readonly unknown[], path: string, state: CheckState): void {
  const prefix = listOf(rule["prefixItems"])
  if (rule["uniqueItems"] === true && new Set(value.map(canonical)).size < value.length)
    say(state, path, "must not repeat items")
  for (const [index, item] of value.entries())
    check(index < prefix.length ? prefix[index] : rule["items"], item, `${path}[${index}]`, state)
}

function checkObject(
  rule: JsonObject,
  value: Record<string, unknown>,
  path: string,
  state: CheckState,
): void {
  const properties = membersOf(rule["properties"])
  const patterns = Object.entries(membersOf(rule["patternProperties"]))
  const at = (key: string) => (path ? `${path}.${key}` : key)
  for (const key of textsOf(rule["required"])) {
    if (!Object.hasOwn(value, key)) say(state, at(key), "is missing")
  }
  for (const key of Object.keys(value)) {
    const item = value[key]
    const fitting = patterns.filter(([pattern]) => regex(pattern)?.test(key))
    for (const [, part] of fitting) check(part, item, at(key), state)
    if (Object.hasOwn(properties, key)) check(properties[key], item, at(key), state)
    else if (fitting.length > 0) continue
    else if (rule["additionalProperties"] === false) say(state, at(key), "is not a known parameter")
    else check(rule["additionalProperties"], item, at(key), state)
  }
}

function checkCombined(rule: JsonObject, value: unknown, path: string, state: CheckState): void {
  for (const part of listOf(rule["allOf"])) check(part, value, path, state)
  const fits = (option: Json): boolean => {
    const problems: string[] = []
    check(option, value, path, { ...state, problems })
    return problems.length === 0
  }
  const any = listOf(rule["anyOf"])
  if (any.length > 0 && !any.some(fits)) say(state, path, "fits none of the allowed forms")
  const one = listOf(rule["oneOf"])
  if (one.length > 0 && one.filter(fits).length !== 1)
    say(state, path, "must fit exactly one of the allowed forms")
  const { not } = rule
  if (not !== undefined && fits(not)) say(state, path, "has a form that is excluded")
}

const listOf = (value: Json | undefined): readonly Json[] =>
  Array.isArray(value) ? (value as readonly Json[]) : []

/** A keyword that is one text or several. */
const textsOf = (value: Json | undefined): readonly string[] =>
  typeof value === "string" ? [value] : listOf(value).filter((text) => typeof text === "string")

const membersOf = (value: Json | undefined): JsonObject => (isObject(value) ? (value as JsonObject) : {})

/** Only references within the schema: fetching another one would be a request nobody asked for. */
function resolveRef(ref: Json | undefined, root: JsonObject): Json | undefined {
  if (ref === "#") return root
  if (typeof ref !== "string" || !ref.startsWith("#/")) return undefined
  let target: Json | undefined = root
  for (const step of ref.slice(2).split("/")) {
    const key = unescaped(step)
    target =
      typeof target === "object" && target !== null && Object.hasOwn(target, key)
        ? (target as JsonObject)[key]
        : undefined
  }
  return target
}

/** A step of a JSON pointer (RFC 6901) in a URI fragment. */
function unescaped(step: string): string {
  const plain = step.replaceAll("~1", "/").replaceAll("~0", "~")
  try {
    return decodeURIComponent(plain)
  } catch {
    return plain
  }
}

function hasType(value: unknown, type: string): boolean {
  if (type === "integer") return Number.isInteger(value)
  if (type === "number") return typeof value === "number" && Number.isFinite(value)
  return typeName(value) === type
}

const typeName = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : value === undefined ? "missing" : typeof value

const same = (a: unknown, b: unknown): boolean => a === b || canonical(a) === canonical(b)

/** The JSON of a value, equal for equal values whatever the order of their members. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_, member: unknown) =>
    isObject(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  ) ?? ""
