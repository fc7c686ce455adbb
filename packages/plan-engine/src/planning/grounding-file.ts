import { errorMessage, InvalidInput, isObject, type Json, type JsonObject, parseJson } from "@orra/core"
import { isScalar, parseDocument } from "yaml"
import { nameOf } from "../stored.ts"
import { type Constraint, readConstraint } from "./constraints.ts"

/** What is known of an action: how it is asked for, what it needs, and what it is for. */
export interface UseCase {
  /** With the names of parameters in braces: "Where is order {orderId}?" */
  readonly action: string
  readonly params: Readonly<Record<string, string>>
  /** Names of services, or what their descriptions say. */
  readonly capabilities: readonly string[]
  /** The capabilities stand in the order in which they are needed: the task of each waits for one of the one before. */
  readonly inOrder?: true
  readonly intent: string
}

/** What is known of a domain, for plans in it. */
export interface Grounding {
  readonly name: string
  readonly domain: string
  readonly version: string
  readonly useCases: readonly UseCase[]
  readonly constraints: readonly Constraint[]
}

/**
 * A grounding in the original's YAML, or its JSON.
 *
 * ```ts
 * const grounding = parseGrounding(await readFile("refunds.yaml", "utf8"))
 * ```
 *
 * @throws InvalidInput with what is wrong, for what is no grounding.
 */
export function parseGrounding(text: string): Grounding {
  return readGrounding(parseYaml(text))
}

/** An object in YAML, of which JSON is a part. @throws InvalidInput for anything else. */
export function parseYaml(text: string): JsonObject {
  let value: Json
  try {
    const document = parseDocument(text, { schema: "core", stringKeys: true, logLevel: "error" })
    const [error] = document.errors
    if (error) throw error
    // Who writes 1.0 without quotes means what stands there, and not the number 1.
    const version = document.get("version", true)
    if (isScalar(version) && version.source !== undefined) version.value = version.source
    value = parseJson(JSON.stringify(document.toJS({ maxAliasCount: 100 }) ?? null))
  } catch (error) {
    throw new InvalidInput(`This is no YAML: ${errorMessage(error)}`)
  }
  if (isObject(value)) return value as JsonObject
  throw new InvalidInput("A grounding is an object with name, domain, version and use-cases.")
}

/** What a grounding's JSON says. @throws InvalidInput with what is wrong. */
export function readGrounding(body: JsonObject): Grounding {
  const { name, domain, version } = body
  const useCases = listIn(body, body["use-cases"] === undefined ? "useCases" : "use-cases").map(readUseCase)
  if (useCases.length === 0) throw new InvalidInput("A grounding needs at least one use case.")
  return {
    name: nameOf("name of a grounding", name),
    domain: nameOf("domain of a grounding", domain),
    version: text(version, "version"),
    useCases,
    constraints: listIn(body, "constraints").map(readConstraint),
  }
}

function readUseCase(value: Json): UseCase {
  const members = isObject(value) ? (value as JsonObject) : {}
  const action = text(members["action"], "action")
  const params = isObject(members["params"]) ? (members["params"] as JsonObject) : {}
  for (const name of placeholders(action))
    if (params[name] === undefined || isObject(params[name]) || Array.isArray(params[name]))
      throw new InvalidInput(`The action "${action}" needs an example of {${name}} in params, which is text.`)
  const capabilities = listIn(members, "capabilities").map((each) => text(each, "capability"))
  if (capabilities.length === 0) throw new InvalidInput("A use case needs at least one capability.")
  return {
    action,
    params: Object.fromEntries(Object.entries(params).map(([name, each]) => [name, String(each)])),
    capabilities,
    ...(members["inOrder"] === true && { inOrder: true }),
    intent: text(members["intent"], "intent"),
  }
}

const PLACEHOLDER = /\{([^{}]*)\}/g

const placeholders = (action: string): readonly string[] =>
  [...action.matchAll(PLACEHOLDER)].map(([, name = ""]) => name)

/** An action without its placeholders: what all requests like it have in common. */
export const commonWords = (action: string): string =>
  action.replaceAll(PLACEHOLDER, " ").replace(/\s+/g, " ").trim()

/** An action as somebody would ask it: with its examples. */
export const exampleOf = ({ action, params }: UseCase): string =>
  action.replaceAll(PLACEHOLDER, (whole, name: string) => params[name] ?? whole)

function text(value: Json | undefined, what: string): string {
  if (typeof value === "string" && value.trim() !== "") return value
  throw new InvalidInput(`The ${what} of a grounding must be text that is not empty.`)
}

function listIn(members: JsonObject, name: string): readonly Json[] {
  const value = members[name] ?? []
  if (Array.isArray(value)) return value
  throw new InvalidInput(`"${name}" must be a list.`)
}
