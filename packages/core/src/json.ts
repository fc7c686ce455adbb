/** A JSON value, as it travels and is stored. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** A JSON object. */
export type JsonObject = { readonly [key: string]: Json }

/** True for a JSON object: not null, not an array. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** Keys that would reach an object's prototype when a merge copies them. */
const PROTOTYPE_KEYS = new Set(["__proto__", "constructor", "prototype"])

/**
 * Parses JSON that comes from outside. Keys that name a prototype are refused, because a later merge would
 * carry them into every object.
 *
 * @throws SyntaxError when the text is not JSON or uses such a key.
 */
export const parseJson = (text: string): Json =>
  JSON.parse(text, (key, value: Json) => {
    if (PROTOTYPE_KEYS.has(key)) throw new SyntaxError(`The key "${key}" is not allowed.`)
    return value
  }) as Json
