/** A JSON value, as it travels and is stored. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json }

/** True for a JSON object: not null, not an array. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Keys that would reach an object's prototype when a merge copies them. */
const PROTOTYPE_KEYS = new Set(["__proto__", "constructor", "prototype"])

/** Nothing that means something is nested deeper, and whatever writes it again by recursion can still do so. */
const MAX_DEPTH = 500

/**
 * Parses JSON that comes from outside. Keys that name a prototype are refused, because a later merge would
 * carry them into every object; so is what is nested deeper than 500 levels.
 *
 * @throws SyntaxError when the text is not JSON, uses such a key or is nested too deeply.
 */
export function parseJson(text: string): Json {
  const value = JSON.parse(text) as Json
  // Not with a reviver: it costs a hundred times as much, so that one long array would hold up everybody.
  let level: readonly object[] = isNested(value) ? [value] : []
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw new SyntaxError(`It is nested deeper than ${MAX_DEPTH} levels.`)
    const below: object[] = []
    for (const node of level) {
      if (!Array.isArray(node)) assertSafeKeys(node)
      for (const item of Array.isArray(node) ? node : Object.values(node))
        if (isNested(item)) below.push(item)
    }
    level = below
  }
  return value
}

const isNested = (value: unknown): value is object => typeof value === "object" && value !== null

function assertSafeKeys(node: object): void {
  for (const key of Object.keys(node))
    if (PROTOTYPE_KEYS.has(key)) throw new SyntaxError(`The key "${key}" is not allowed.`)
}
