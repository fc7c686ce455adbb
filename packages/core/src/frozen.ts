import { InvalidInput } from "./errors.ts"
import type { Json } from "./json.ts"

/**
 * A value of JSON again, in objects of its own that nobody can change. Texts are shared, so the cost is that of the few
 * objects around them. As in a file, members that are undefined are left out and numbers that JSON does not know are
 * null.
 *
 * @throws InvalidInput for what is not JSON.
 */
export const frozenCopy = (value: Json): Json => guarded(() => copy(value))

/** The same for an object that is the caller's own: only its members are copied. */
export const frozen = <T extends object>(own: T): T => guarded(() => members(own))

function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch {
    // Also a cycle, which ends where the stack does.
    throw new InvalidInput("Only JSON can be kept: no cycle, no BigInt, no function, no endless nesting.")
  }
}

function members<T extends object>(own: T): T {
  // Without a list of the keys: this runs for each object that is written.
  for (const key in own) {
    const member: unknown = own[key]
    if (typeof member === "string" || typeof member === "boolean") continue
    // The spread has made every member the copy's own, also one named "__proto__": assigning only replaces it.
    if (member === undefined) delete own[key]
    else if (!Number.isFinite(member)) own[key] = copy(member) as T[typeof key]
  }
  return Object.freeze(own)
}

function copy(value: unknown): Json {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value
  if (typeof value === "number") return Number.isFinite(value) ? value : null
  if (typeof value !== "object") throw new TypeError("It is not JSON.")
  return Array.isArray(value)
    ? Object.freeze(value.map((item: unknown) => copy(item ?? null)))
    : (members({ ...value }) as Json)
}
