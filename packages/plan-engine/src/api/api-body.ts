import { InvalidInput, isObject, type Json, type JsonObject } from "@orra/core"
import type { OrchestrationRequest } from "../execution/orchestration.ts"
import type { ServiceRegistration } from "../wire/services.ts"
import { readDuration } from "./go-duration.ts"
import { isScope, SCOPES, type Scope } from "./key-scopes.ts"
import type { KeyRights } from "./projects.ts"

/** Names of members match in any case: clients of the original write `Content` and `content`. */
function member(body: JsonObject, name: string): Json | undefined {
  if (Object.hasOwn(body, name)) return body[name]
  const found = Object.keys(body).find((key) => key.toLowerCase() === name.toLowerCase())
  return found === undefined ? undefined : body[found]
}

/** What is not there and null are the empty text. @throws InvalidInput for anything else that is no text. */
export function textMember(body: JsonObject, name: string): string {
  const value = member(body, name) ?? ""
  if (typeof value === "string") return value
  throw new InvalidInput(`"${name}" must be text.`)
}

const objectMember = (body: JsonObject, name: string): JsonObject => {
  const value = member(body, name)
  return isObject(value) ? (value as JsonObject) : {}
}

/** @throws InvalidInput. */
export function readProject(body: JsonObject) {
  const urls = (name: string): readonly string[] => {
    const value = member(body, name) ?? []
    if (Array.isArray(value) && value.every((each) => typeof each === "string")) return value
    throw new InvalidInput(`"${name}" must be a list of web addresses.`)
  }
  return {
    name: textMember(body, "name"),
    webhooks: urls("webhooks"),
    compensationFailureWebhooks: urls("compensationFailureWebhooks"),
  }
}

/** `now` is ms since 1970. @throws InvalidInput. */
export function readKeyRights(body: JsonObject, now: number): KeyRights {
  const scopes = member(body, "scopes") ?? undefined
  if (scopes !== undefined && !(Array.isArray(scopes) && scopes.length > 0 && scopes.every(isScope)))
    throw new InvalidInput(`"scopes" is a list of at least one of ${SCOPES.join(", ")}.`)
  const text = textMember(body, "expiresAt")
  const expiresAt = Date.parse(text)
  if (text !== "" && !(expiresAt > now))
    throw new InvalidInput('"expiresAt" is a time to come, such as "2030-01-01T00:00:00Z".')
  return {
    ...(scopes !== undefined && { scopes: [...new Set(scopes as unknown as readonly Scope[])] }),
    ...(text !== "" && { expiresAt }),
  }
}

/** @throws InvalidInput. */
export function readService(body: JsonObject, kind: ServiceRegistration["kind"]): ServiceRegistration {
  const schema = objectMember(body, "schema")
  return {
    kind,
    id: textMember(body, "id"),
    name: textMember(body, "name"),
    description: textMember(body, "description"),
    input: objectMember(schema, "input"),
    output: objectMember(schema, "output"),
    revertible: member(body, "revertible") === true,
  }
}

const MAX_ACTION = 100_000
/** Longest wait that is kept, 7 days: no timer waits longer than 24. */
const MAX_MS = 7 * 24 * 3_600_000

/** @throws InvalidInput. */
export function readOrchestration(body: JsonObject): OrchestrationRequest {
  const action = textMember(objectMember(body, "action"), "content")
  if (action.trim() === "" || action.length > MAX_ACTION)
    throw new InvalidInput(`"action.content" must be what is wanted, in at most ${MAX_ACTION} characters.`)
  const given = member(body, "data") ?? []
  if (!Array.isArray(given)) throw new InvalidInput('"data" must be a list of { field, value }.')
  const data = given.map((each: Json) => {
    const field = isObject(each) ? textMember(each as JsonObject, "field") : ""
    if (field === "") throw new InvalidInput('Everything in "data" needs a "field", which is text.')
    return { field, value: member(each as JsonObject, "value") ?? null }
  })
  if (new Set(data.map(({ field }) => field)).size < data.length)
    throw new InvalidInput('Each field can be in "data" once.')
  const timeoutMs = duration(body, "timeout")
  const graceMs = duration(body, "healthCheckGracePeriod")
  return {
    action,
    data,
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(graceMs !== undefined && { graceMs }),
  }
}

function duration(body: JsonObject, name: string): number | undefined {
  const value = member(body, name) ?? undefined
  if (value === undefined || value === 0) return undefined
  const ms = readDuration(value)
  if (ms !== undefined && ms <= MAX_MS) return ms
  throw new InvalidInput(`"${name}" must be a duration of at most 7 days, such as "30s", or nanoseconds.`)
}
