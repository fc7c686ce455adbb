import { InvalidInput } from "./errors.ts"
import { isObject } from "./json.ts"

/**
 * The one text of a JSON value (RFC 8785): members in the order of their names' UTF-16 code units, no white space,
 * numbers and texts as JavaScript writes them.
 *
 * ```ts
 * canonicalJson({ b: [1.0, "ä"], a: null }) // {"a":null,"b":[1,"ä"]}
 * ```
 *
 * @throws InvalidInput for what JSON cannot say: undefined, NaN, a lone surrogate.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`
  if (isObject(value)) {
    const members = Object.keys(value).sort()
    return `{${members.map((name) => `${canonicalJson(name)}:${canonicalJson(value[name])}`).join(",")}}`
  }
  const isJson =
    value === null ||
    typeof value === "boolean" ||
    (typeof value === "number" && Number.isFinite(value)) ||
    (typeof value === "string" && value.isWellFormed())
  if (!isJson) throw new InvalidInput("This is not JSON that has a canonical form.")
  return JSON.stringify(value)
}
