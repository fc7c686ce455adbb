import {
  InvalidInput,
  isObject,
  type Json,
  type JsonObject,
  type Namespace,
  NotFound,
  OrraError,
  type Records,
  type SessionStore,
  VersionConflict,
} from "@orra/core"
import { allIn, isName, nameOf } from "../stored.ts"

/** What is known of an action: how it is asked for, what it needs, and what it is for. */
export interface UseCase {
  /** With the names of parameters in braces: "Where is order {orderId}?" */
  readonly action: string
  readonly params: Readonly<Record<string, string>>
  readonly capabilities: readonly string[]
  readonly intent: string
}

/** What is known of a domain, for plans in it. */
export interface Grounding {
  readonly name: string
  readonly domain: string
  readonly version: string
  readonly useCases: readonly UseCase[]
  readonly constraints: readonly string[]
}

/** The groundings of an engine's projects. */
export class Groundings {
  readonly #records: Records
  readonly #root: Namespace

  constructor(store: Pick<SessionStore, "records">, root: Namespace) {
    this.#records = store.records("plan-groundings")
    this.#root = root
  }

  /** Applies one, in the place of another version of it. @throws OrraError `plan_grounding_known` for a version that is there. */
  async apply(projectId: string, grounding: Grounding): Promise<void> {
    const namespace = this.#root.child(projectId)
    for (;;) {
      const known = await this.#records.get(namespace, grounding.name)
      if ((known?.value as unknown as Grounding | undefined)?.version === grounding.version)
        throw new OrraError(
          "plan_grounding_known",
          `Version ${grounding.version} of ${grounding.name} is there already: give it another version, or remove that one.`,
        )
      try {
        const value = grounding as unknown as Json
        await this.#records.put(namespace, grounding.name, value, { expected: known?.version ?? 0 })
        return
      } catch (error) {
        if (!(error instanceof VersionConflict)) throw error
      }
    }
  }

  /** All of a project, by their names. */
  async list(projectId: string): Promise<readonly Grounding[]> {
    return await allIn(this.#records, this.#root.child(projectId))
  }

  /** @throws NotFound. */
  async remove(projectId: string, name: string): Promise<void> {
    if (!isName(name) || !(await this.#records.delete(this.#root.child(projectId), name)))
      throw new NotFound("grounding")
  }
}

/** What a planner is told of groundings; undefined when there are none. */
export const groundingContext = (groundings: readonly Grounding[]): string | undefined =>
  groundings.length === 0
    ? undefined
    : `These are the rules of domains. Those of a domain hold for what is asked only when it is like one of its use cases: then use services with the capabilities of that use case, and keep to all constraints of the domain. Anything else is planned without them.\n${JSON.stringify(groundings)}`

/** @throws InvalidInput with what is wrong, for what is no grounding. */
export function readGrounding(body: JsonObject): Grounding {
  const { name, domain, version } = body
  const useCases = listIn(body, "useCases").map(readUseCase)
  if (useCases.length === 0) throw new InvalidInput("A grounding needs at least one use case.")
  return {
    name: nameOf("name of a grounding", name),
    domain: nameOf("domain of a grounding", domain),
    version: text(version, "version"),
    useCases,
    constraints: listIn(body, "constraints").map((each) => text(each, "constraint")),
  }
}

function readUseCase(value: Json): UseCase {
  const members = isObject(value) ? (value as JsonObject) : {}
  const action = text(members["action"], "action")
  const params = isObject(members["params"]) ? (members["params"] as JsonObject) : {}
  for (const [, name = ""] of action.matchAll(/\{([^{}]*)\}/g))
    if (typeof params[name] !== "string")
      throw new InvalidInput(`The action "${action}" needs an example of {${name}} in params, which is text.`)
  const capabilities = listIn(members, "capabilities").map((each) => text(each, "capability"))
  if (capabilities.length === 0) throw new InvalidInput("A use case needs at least one capability.")
  return {
    action,
    params: Object.fromEntries(Object.entries(params).map(([name, each]) => [name, String(each)])),
    capabilities,
    intent: text(members["intent"], "intent"),
  }
}

function text(value: Json | undefined, what: string): string {
  if (typeof value === "string" && value.trim() !== "") return value
  throw new InvalidInput(`The ${what} of a grounding must be text that is not empty.`)
}

function listIn(members: JsonObject, name: string): readonly Json[] {
  const value = members[name] ?? []
  if (Array.isArray(value)) return value
  throw new InvalidInput(`"${name}" must be a list.`)
}
