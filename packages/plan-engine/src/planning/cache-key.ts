import { createHash } from "node:crypto"
import { canonicalJson, isObject, type Json, type JsonObject } from "@orra/core"
import type { GroundingHit } from "./matching.ts"
import type { Service } from "./plan.ts"

/** What a plan is kept for, and looked for with. */
export interface CacheRequest {
  readonly projectId: string
  readonly action: string
  readonly data: JsonObject
  readonly services: readonly Service[]
  readonly grounding?: GroundingHit | undefined
  readonly signal?: AbortSignal | undefined
}

const MAX_ACTION = 4_000

/** What a plan is kept for; undefined for what is never kept. */
export function cacheKey({ action, data, services, grounding }: CacheRequest): string | undefined {
  if (action.length > MAX_ACTION || !action.isWellFormed()) return undefined
  const known = services
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, name, description, input, output }) => ({ id, name, description, input, output }))
  try {
    return hashOf({
      services: known,
      data: formOf(data),
      grounding: grounding ? { ...grounding.grounding, of: grounding.useCase.action } : null,
    } as unknown as Json)
  } catch {
    // A lone surrogate in a description or the name of a field.
    return undefined
  }
}

/** What a value is made of: a plan for a list of two is none for a list of three. */
function formOf(value: Json): Json {
  if (Array.isArray(value)) return value.map(formOf)
  if (isObject(value))
    return Object.fromEntries(Object.entries(value as JsonObject).map(([name, each]) => [name, formOf(each)]))
  // Whether something is to be done is no value of it.
  return typeof value === "boolean" || value === null ? value : typeof value
}

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")
export const hashOf = (value: Json): string => sha256(canonicalJson(value))
