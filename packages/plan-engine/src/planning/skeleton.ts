import { isObject, type Json, type JsonObject } from "@orra/core"
import { type Plan, type PlanTask, type Service, TASK_ZERO } from "./plan.ts"
import { type Reference, readReference } from "./reference.ts"
import { propertiesOf } from "./schema.ts"

/** A value that a plan lifted from the words of its request: which of them, as text or number, or a list of such. */
export type LiftedValue = { readonly value: number; readonly as: "text" | "number" } | readonly LiftedValue[]

/**
 * A plan without a single value of the request it was made for. Its tasks hold references and nothing else, ids and names are
 * the engine's own or those of schemas, and what was lifted from the request says where it stood.
 */
export interface Skeleton {
  readonly tasks: readonly PlanTask[]
  readonly lifted: readonly { readonly name: string; readonly value: LiftedValue }[]
}

/** A plan could not be made free of its request's values. */
class Bound extends Error {}

/**
 * @returns the skeleton with the texts that were lifted and which of the given fields the plan uses; or why there is none: a
 *   constant that is neither given nor a plain value.
 */
export function skeletonOf(
  plan: Plan,
  services: readonly Service[],
  data: JsonObject,
):
  | { readonly skeleton: Skeleton; readonly texts: readonly string[]; readonly used: ReadonlySet<string> }
  | { readonly why: string } {
  try {
    return new Lifting(plan, services, data).done()
  } catch (error) {
    if (error instanceof Bound) return { why: error.message }
    throw error
  }
}

class Lifting {
  readonly #plan: Plan
  readonly #data: JsonObject
  readonly #services: ReadonlyMap<string, Service>
  readonly #ids: ReadonlyMap<string, string>
  readonly #outputs: ReadonlyMap<string, JsonObject>
  readonly #texts: string[] = []
  readonly #lifted: { readonly name: string; readonly value: LiftedValue }[] = []
  /** Fields of task zero by what they are called from now on. */
  readonly #names = new Map<string, string>()
  readonly #used = new Set<string>()
  readonly #indexes: number[] = []

  constructor(plan: Plan, services: readonly Service[], data: JsonObject) {
    this.#plan = plan
    this.#data = data
    this.#services = new Map(services.map((service) => [service.id.toLowerCase(), service]))
    this.#ids = new Map(plan.tasks.map(({ id }, index) => [id, `task${index + 1}`]))
    this.#outputs = new Map(
      plan.tasks.flatMap(({ id, service }) => {
        const output = this.#services.get(service.toLowerCase())?.output
        return output ? [[id, output]] : []
      }),
    )
  }

  done() {
    const tasks = this.#plan.tasks.map((task): PlanTask => {
      const { id, service, input, after } = task
      const schema = this.#services.get(service.toLowerCase())?.input ?? {}
      return {
        id: this.#ids.get(id) ?? id,
        service,
        input: this.#members(input, schema, ""),
        ...(after && { after: after.map((other) => this.#ids.get(other) ?? other) }),
      }
    })
    const values = new Set(
      [...this.#texts, ...scalarsIn(this.#data)].flatMap((each) => each.match(/\d+/g) ?? []),
    )
    const index = this.#indexes.find((each) => values.has(String(each)))
    if (index !== undefined) throw new Bound(`the place ${index} of a list is also in a value of the request`)
    return { skeleton: { tasks, lifted: this.#lifted }, texts: this.#texts, used: this.#used }
  }

  /** `name` is that of the input, for what is lifted. */
  #value(value: Json, schema: JsonObject, name: string): Json {
    const reference = readReference(value)
    if (reference) return this.#reference(reference, name)
    if (Array.isArray(value) && value.length > 0) {
      const { items } = schema
      return value.map((each) => this.#value(each, isObject(items) ? (items as JsonObject) : {}, name))
    }
    if (isObject(value)) return this.#members(value as JsonObject, schema, name)
    throw new Bound(`${name} holds a constant beside what tasks give`)
  }

  #members(value: JsonObject, schema: JsonObject, name: string): JsonObject {
    const properties = propertiesOf(schema)
    return Object.fromEntries(
      Object.entries(value).map(([key, each]) => {
        const own = properties[key]
        if (!Object.hasOwn(properties, key) || !isObject(own))
          throw new Bound("an input is not named by its schema")
        return [key, this.#value(each, own as JsonObject, name === "" ? key : name)]
      }),
    )
  }

  #reference(reference: Reference, name: string): string {
    const { task, whole, path } = reference
    for (const step of path) if (typeof step === "number") this.#indexes.push(step)
    if (task !== TASK_ZERO) {
      if (!isNamed(this.#outputs.get(task) ?? {}, reference))
        throw new Bound("a reference leads to what its schema does not name")
      return `$${this.#ids.get(task) ?? task}.${whole}`
    }
    const root = Object.hasOwn(this.#plan.taskZero, whole) ? whole : String(path[0])
    if (Object.hasOwn(this.#data, root)) {
      this.#used.add(root)
      return reference.text
    }
    return `$${TASK_ZERO}.${this.#nameOf(root, name)}${whole.slice(root.length)}`
  }

  #nameOf(root: string, input: string): string {
    const known = this.#names.get(root)
    if (known !== undefined) return known
    const taken = new Set([...Object.keys(this.#data), ...this.#names.values()])
    let name = input
    for (let count = 2; taken.has(name); count++) name = `${input}_${count}`
    this.#names.set(root, name)
    this.#lifted.push({ name, value: this.#lift(this.#plan.taskZero[root] ?? null, name) })
    return name
  }

  #lift(value: Json, name: string): LiftedValue {
    if (Array.isArray(value) && value.length > 0) return value.map((each) => this.#lift(each, name))
    if (typeof value !== "string" && typeof value !== "number")
      throw new Bound(`${name} is a constant that is neither given nor in the request`)
    if (this.#texts.includes(String(value)))
      throw new Bound(`${name} looks like another value of the request`)
    return { value: this.#texts.push(String(value)) - 1, as: typeof value === "string" ? "text" : "number" }
  }
}

/** Every text and number in a value, as texts. */
const scalarsIn = (value: Json): readonly string[] => {
  if (Array.isArray(value)) return value.flatMap(scalarsIn)
  if (isObject(value)) return Object.values(value as JsonObject).flatMap(scalarsIn)
  return [String(value)]
}

/** Whether each step is a member that the schema names, or a place in a list. */
function isNamed(schema: JsonObject, { path, whole }: Reference): boolean {
  if (Object.hasOwn(propertiesOf(schema), whole)) return true
  let at: Json | undefined = schema
  for (const step of path) {
    if (!isObject(at)) return false
    const properties: JsonObject = propertiesOf(at as JsonObject)
    if (typeof step === "number") at = (at as JsonObject)["items"]
    else at = Object.hasOwn(properties, step) ? properties[step] : undefined
  }
  return isObject(at)
}

const NUMBER = /^-?\d+(\.\d+)?$/

/** The plan for other values; undefined when a text is no number where one is needed. */
export function filled(
  { tasks, lifted }: Skeleton,
  texts: readonly string[],
  data: JsonObject,
): Plan | undefined {
  const made = (value: LiftedValue): Json | undefined => {
    if (!("value" in value)) {
      const all = value.map(made)
      return all.every((each) => each !== undefined) ? all : undefined
    }
    const text = texts[value.value]
    if (text === undefined || value.as === "text") return text
    return NUMBER.test(text) && String(Number(text)) === text ? Number(text) : undefined
  }
  const values = lifted.map(({ name, value }) => [name, made(value)] as const)
  if (values.some(([, value]) => value === undefined)) return undefined
  return { taskZero: { ...(Object.fromEntries(values) as JsonObject), ...data }, tasks }
}
