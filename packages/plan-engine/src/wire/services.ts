import {
  InvalidInput,
  isObject,
  type Json,
  type JsonObject,
  type Namespace,
  NotFound,
  type Records,
  type SessionStore,
  VersionConflict,
} from "@orra/core"
import { newServiceId } from "../ids.ts"
import type { Service } from "../planning/plan.ts"
import { propertiesOf } from "../planning/schema.ts"
import { allIn, nameOf } from "../stored.ts"

/** A service or agent of a project. */
export interface RegisteredService extends Service {
  readonly kind: "service" | "agent"
  /** Whether what it does can be undone. */
  readonly revertible: boolean
  /** 1 at first, one more each time it is registered again. */
  readonly version: number
}

/** What registers a service. */
export interface ServiceRegistration extends Pick<Service, "name" | "description" | "input" | "output"> {
  readonly kind: "service" | "agent"
  readonly revertible: boolean
  /** The id it was given before. One that the project does not know gets a new one. */
  readonly id?: string
}

const TYPES: readonly Json[] = ["object", "string", "number", "integer", "boolean", "array"]
const MAX_DEPTH = 32

/** The services and agents of an engine's projects. */
export class PlanServices {
  readonly #records: Records
  readonly #root: Namespace

  constructor(store: Pick<SessionStore, "records">, root: Namespace) {
    this.#records = store.records("plan-services")
    this.#root = root
  }

  /**
   * Registers a service, or registers it again: its schemas may be others then, and its version is one more.
   *
   * A service that kept the id of another project or database gets a new one: it keeps whatever it is given, and would
   * never start otherwise.
   *
   * @throws InvalidInput with what is wrong with its name, description or schemas.
   */
  async register(projectId: string, registration: ServiceRegistration): Promise<RegisteredService> {
    const { name, description, input, output, kind, revertible } = registration
    assertRegistrable(registration)
    const namespace = this.#root.child(projectId)
    for (;;) {
      const wanted = registration.id?.trim() ?? ""
      const known = wanted === "" ? undefined : await this.#records.get(namespace, wanted)
      const before = known && (known.value as unknown as RegisteredService)
      const service: RegisteredService = {
        id: before?.id ?? newServiceId(),
        name,
        description,
        input,
        output,
        kind,
        revertible,
        version: (before?.version ?? 0) + 1,
      }
      try {
        const value = service as unknown as Json
        await this.#records.put(namespace, service.id, value, { expected: known?.version ?? 0 })
        return service
      } catch (error) {
        // Another instance of it registers at the same time.
        if (!(error instanceof VersionConflict)) throw error
      }
    }
  }

  async get(projectId: string, id: string): Promise<RegisteredService | undefined> {
    if (!/^s_[A-Za-z0-9]+$/.test(id)) return undefined
    const record = await this.#records.get(this.#root.child(projectId), id)
    return record && (record.value as unknown as RegisteredService)
  }

  /** All of a project, by their ids. */
  async list(projectId: string): Promise<readonly RegisteredService[]> {
    return await allIn(this.#records, this.#root.child(projectId))
  }

  /** @throws NotFound. */
  async remove(projectId: string, id: string): Promise<void> {
    const service = await this.get(projectId, id)
    if (!service || !(await this.#records.delete(this.#root.child(projectId), id)))
      throw new NotFound("service")
  }
}

function assertRegistrable({ name, description, input, output }: ServiceRegistration): void {
  nameOf("name of a service", name)
  if (description.trim() === "")
    throw new InvalidInput("A service needs a description: plans are made by it.")
  assertSchema(input, "schema.input")
  assertSchema(output, "schema.output")
}

/** What the original takes: whole JSON Schema may stand beside it. */
function assertSchema(schema: JsonObject, where: string, depth = 0): void {
  const { type, items } = schema
  if (depth > MAX_DEPTH) throw new InvalidInput(`${where} is nested deeper than ${MAX_DEPTH} levels.`)
  if (depth === 0 && type !== "object") throw new InvalidInput(`${where} must be of type object.`)
  if (type !== undefined && !Array.isArray(type) && !TYPES.includes(type))
    throw new InvalidInput(`${where} has a type that is none: one of ${TYPES.join(", ")}.`)
  if (type === "array" && !isObject(items)) throw new InvalidInput(`${where} is an array and needs items.`)
  if (isObject(items)) assertSchema(items as JsonObject, `${where}.items`, depth + 1)
  const properties = Object.entries(propertiesOf(schema))
  if (type === "object" && properties.length === 0)
    throw new InvalidInput(`${where} is an object and needs a property.`)
  for (const [name, property] of properties)
    if (isObject(property)) assertSchema(property as JsonObject, `${where}.${name}`, depth + 1)
}
