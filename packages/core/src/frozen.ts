import { InvalidInput } from "./errors.ts"
import type { Json } from "./json.ts"

/**
 * A value of JSON again, in objects of its own that nobody can change. Texts are shared, so the cost is that of the few
 * objects around them. As in a file, members that are undefined are left out and numbers that JSON does not know are
 * null.
 *
 * @throws InvalidInput for what is not JSON.
 */
export const frozenCopy = (value: Json): Json => guarded(() => copy(value, Object.freeze))

/**
 * The same, not frozen: whoever gets it cannot change the other. To freeze costs as much as to copy, and structuredClone
 * ten times that for something as small as a call.
 */
export const copyJson = <T>(value: T): T => guarded(() => copy(value, (own) => own) as T)

/** The same for an object that is the caller's own: only its members are copied. */
export const frozen = <T extends object>(own: T): T => guarded(() => members(own, Object.freeze))

/** What is done with each object that was made. */
type Done = <T>(own: T) => T

function guarded<T>(work: () => T): T {
  try {
    return work()
  } catch {
    // Also a cycle, which ends where the stack does.
    throw new InvalidInput("Only JSON can be kept: no cycle, no BigInt, no function, no endless nesting.")
  }
}

function members<T extends object>(own: T, done: Done): T {
  // Without a list of the keys: this runs for each object that is written.
  for (const key in own) {
    const member: unknown = own[key]
    if (typeof member === "string" || typeof member === "boolean") continue
    // The spread has made every member the copy's own, also one named "__proto__": assigning only replaces it.
    if (member === undefined) delete own[key]
    else if (!Number.isFinite(member)) own[key] = copy(member, done) as T[typeof key]
  }
  return done(own)
}

function copy(value: unknown, done: Done): Json {
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value
  if (typeof value === "number") return Number.isFinite(value) ? value : null
  if (typeof value !== "object") throw new TypeError("It is not JSON.")
  if (!Array.isArray(value)) return members({ ...value }, done) as Json
  return done(value.map((item: unknown) => copy(item ?? null, done)))
}
