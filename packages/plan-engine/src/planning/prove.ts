import { isObject, type Json, type JsonObject } from "@orra/core"
import { brokenRules, type Rule, ruleText } from "./constraints.ts"
import { isSame, type Plan, type PlanTask, parallelGroups, type Service, TASK_ZERO } from "./plan.ts"
import { type Reference, readReference, referencesIn, resolve, valueAt } from "./reference.ts"
import { fits, isOpen, propertiesOf, requiredOf, Schemas, schemaAt, typesOf } from "./schema.ts"

/** What is wrong with a plan. Stable: match on these. */
export type FindingCode =
  | "empty"
  | "too_long"
  | "task_id"
  | "service_unknown"
  | "input_unknown"
  | "input_missing"
  | "input_wrong"
  | "reference_unknown"
  | "reference_wrong"
  | "cycle"
  | "data_missing"
  | "data_changed"
  | "unreadable"
  | "constraint_broken"
  | "constraint_unjudged"
  | "capability_missing"
  | "capability_order"

/** One thing that is wrong with a plan, said so that a model can mend it. */
export interface Finding {
  readonly code: FindingCode
  readonly message: string
  readonly task?: string
}

export interface ProofOptions {
  /** What may be used. */
  readonly services: readonly Service[]
  /** What the caller gave, which a plan may use and not change. */
  readonly data?: JsonObject
  /** Most tasks, default 100. */
  readonly maxTasks?: number
  /** What holds for services in every plan of the domain. */
  readonly rules?: readonly Rule[]
  /** Keeps what schemas were compiled to, for the next plan. Default: nothing is kept. */
  readonly schemas?: Schemas
}

const MAX_TASKS = 100
const TASK_ID = /^[a-z][\w-]{0,62}$/i

/**
 * Proves a plan: every service is there, every input that is needed is given and has the type its schema says, every
 * reference leads to something that fits, nothing waits in a circle, and what the caller gave is in it as it was given.
 *
 * ```ts
 * const findings = prove(plan, { services, data: { orderId: "o-17" } })
 * if (findings.length > 0) console.log(findings.map(({ message }) => message).join("\n"))
 * ```
 *
 * Constants are checked against the whole schema. Of a reference the types are: formats, patterns and limits of a value
 * that is not there yet are checked before it is sent.
 *
 * @returns what is wrong; empty when nothing is.
 */
export function prove(
  plan: Plan,
  { services, data = {}, maxTasks = MAX_TASKS, rules = [], schemas }: ProofOptions,
): readonly Finding[] {
  const { tasks, taskZero } = plan
  if (tasks.length === 0) return [{ code: "empty", message: "The plan has no task: name at least one." }]
  if (tasks.length > maxTasks) {
    return [
      { code: "too_long", message: `The plan has ${tasks.length} tasks: at most ${maxTasks} are taken.` },
    ]
  }
  const proof = new Proof(plan, services, schemas)
  const findings = [
    ...tasks.flatMap((task, index) => proof.identity(task, index)),
    ...tasks.flatMap((task) => proof.inputs(task)),
    ...given(taskZero, data),
  ]
  const isKnown = findings.every(({ code }) => code !== "reference_unknown" && code !== "task_id")
  if (!isKnown) return findings
  if (!parallelGroups(plan)) return [...findings, circle(tasks)]
  const broken = brokenRules(plan, services, rules).map(
    ({ rule, task }): Finding => ({
      code: "constraint_broken",
      message: `${task === undefined ? "The plan" : task} breaks a rule of the domain: ${ruleText(rule)}`,
      ...(task !== undefined && { task }),
    }),
  )
  return [...findings, ...broken]
}

/** What the caller gave is in task zero, as it was given. */
function given(taskZero: JsonObject, data: JsonObject): readonly Finding[] {
  return Object.entries(data).flatMap(([name, value]): readonly Finding[] => {
    if (!Object.hasOwn(taskZero, name))
      return [{ code: "data_missing", message: `${TASK_ZERO} has no "${name}", which was given: add it.` }]
    if (isSame(taskZero[name], value)) return []
    return [
      {
        code: "data_changed",
        message: `${TASK_ZERO}.${name} is not what was given: it is ${brief(value)}, and must not be changed.`,
      },
    ]
  })
}

function circle(tasks: readonly PlanTask[]): Finding {
  const ids = some(tasks.map(({ id }) => id))
  return {
    code: "cycle",
    message: `Some of these tasks wait for each other in a circle: ${ids}. Take one reference out.`,
  }
}

const brief = (value: Json): string => {
  const text = JSON.stringify(value)
  return text.length <= 200 ? text : `${text.slice(0, 199)}…`
}

/** The first of many names: who reads them all reads none. */
const some = (names: readonly string[]): string =>
  names.length <= MAX_NAMED ? names.join(", ") : `${names.slice(0, MAX_NAMED).join(", ")} and others`

const MAX_NAMED = 40

class Proof {
  readonly #plan: Plan
  readonly #services: ReadonlyMap<string, Service>
  readonly #tasks = new Map<string, PlanTask>()
  readonly #places = new Map<string, number>()
  readonly #schemas: Schemas
  readonly #zero: ReadonlyMap<string, Json>

  constructor(plan: Plan, services: readonly Service[], schemas = new Schemas()) {
    this.#plan = plan
    this.#schemas = schemas
    this.#services = new Map(services.map((service) => [service.id.toLowerCase(), service]))
    for (const [place, task] of plan.tasks.entries()) {
      if (this.#tasks.has(task.id)) continue
      this.#tasks.set(task.id, task)
      this.#places.set(task.id, place)
    }
    this.#zero = new Map([[TASK_ZERO, plan.taskZero]])
  }

  identity({ id, service, after = [] }: PlanTask, index: number): readonly Finding[] {
    const findings: Finding[] = []
    const is = (code: FindingCode, message: string) => findings.push({ code, message, task: id })
    if (!TASK_ID.test(id))
      is("task_id", `"${id.slice(0, 80)}" is no id of a task: use task1, task2 and so on.`)
    else if (id === TASK_ZERO) is("task_id", `${TASK_ZERO} is for values: give this task another id.`)
    else if (this.#places.get(id) !== index) is("task_id", `There are two tasks called ${id}: rename one.`)
    if (!this.#services.has(service.toLowerCase())) {
      const known = some([...this.#services.values()].map(({ id: each }) => each))
      is(
        "service_unknown",
        `${id} uses the service "${service}", which is not there. There is: ${known || "none"}.`,
      )
    }
    for (const other of after)
      if (other === id || !this.#tasks.has(other))
        is("reference_unknown", `${id} comes after "${other}", which is no other task of the plan.`)
    return findings
  }

  inputs(task: PlanTask): readonly Finding[] {
    const service = this.#services.get(task.service.toLowerCase())
    if (!service) return []
    const { input: schema } = service
    const properties = propertiesOf(schema)
    const findings: Finding[] = []
    const is = (code: FindingCode, message: string) => findings.push({ code, message, task: task.id })
    for (const name of requiredOf(schema))
      if (!Object.hasOwn(task.input, name))
        is("input_missing", `${task.id} gives no "${name}", which ${service.name} needs.`)
    for (const [name, value] of Object.entries(task.input)) {
      const property = properties[name]
      if (property === undefined && !isOpen(schema)) {
        const known = some(Object.keys(properties))
        is(
          "input_unknown",
          `${task.id} gives "${name}", which ${service.name} does not take. It takes: ${known}.`,
        )
      } else
        findings.push(...this.#value(task, name, value, isObject(property) ? (property as JsonObject) : {}))
    }
    return findings
  }

  /** One input: its constants by their schema, its references by what they lead to. */
  #value(task: PlanTask, name: string, value: Json, schema: JsonObject): readonly Finding[] {
    const where = `${task.id}.${name}`
    const references = referencesIn(value)
    const unknown = references.flatMap((reference) => this.#unknown(task, where, reference))
    if (unknown.length > 0) return unknown
    if (references.every(({ task: from }) => from === TASK_ZERO)) {
      return this.#schemas.faults(schema, resolve(value, this.#zero)).map((fault) => ({
        code: "input_wrong" as const,
        message: `${where} does not fit its schema: ${fault}.`,
        task: task.id,
      }))
    }
    return this.#deep(task, where, value, schema)
  }

  /** References to what is not there. */
  #unknown(task: PlanTask, where: string, reference: Reference): readonly Finding[] {
    const { text, task: from } = reference
    const is = (message: string): readonly Finding[] => [
      { code: "reference_unknown", message, task: task.id },
    ]
    if (from === TASK_ZERO) {
      return valueAt(this.#plan.taskZero, reference) === undefined
        ? is(`${where} is ${text}, and ${TASK_ZERO} has no such value.`)
        : []
    }
    if (from === task.id) return is(`${where} is ${text}: a task cannot use its own result.`)
    const source = this.#tasks.get(from)
    if (!source) return is(`${where} is ${text}, and there is no task ${from}.`)
    const service = this.#services.get(source.service.toLowerCase())
    if (!service || schemaAt(service.output, reference)) return []
    const known = some(Object.keys(propertiesOf(service.output)))
    return is(`${where} is ${text}, which ${service.name} does not give. It gives: ${known}.`)
  }

  /** A value in which results of other tasks will be. */
  #deep(task: PlanTask, where: string, value: Json, schema: JsonObject): readonly Finding[] {
    const reference = readReference(value)
    if (reference) {
      const from = this.#schemaOf(reference)
      if (!from || fits(from, schema)) return []
      const [gives, takes] = [from, schema].map((each) => [...typesOf(each)].join(" or "))
      const how = gives === takes ? "whose parts are others" : `which is ${gives}`
      return [
        {
          code: "reference_wrong",
          message: `${where} is ${reference.text}, ${how}: ${takes} is needed.`,
          task: task.id,
        },
      ]
    }
    const wrong = (needed: "array" | "object"): readonly Finding[] =>
      typesOf(schema).has(needed)
        ? []
        : [
            {
              code: "input_wrong",
              message: `${where} is an ${needed}: ${[...typesOf(schema)].join(" or ")} is needed.`,
              task: task.id,
            },
          ]
    if (Array.isArray(value)) {
      const items = isObject(schema["items"]) ? (schema["items"] as JsonObject) : {}
      return [
        ...wrong("array"),
        ...value.flatMap((item, index) => this.#deep(task, `${where}[${index}]`, item, items)),
      ]
    }
    if (isObject(value)) {
      const properties = propertiesOf(schema)
      const parts = Object.entries(value as JsonObject).flatMap(([key, each]) => {
        const own = properties[key]
        return this.#deep(task, `${where}.${key}`, each, isObject(own) ? (own as JsonObject) : {})
      })
      const left = requiredOf(schema).filter((name) => !Object.hasOwn(value, name))
      const missing = left.map(
        (name): Finding => ({ code: "input_missing", message: `${where} has no "${name}".`, task: task.id }),
      )
      return [...wrong("object"), ...missing, ...parts]
    }
    return this.#schemas.faults(schema, value).map((fault) => ({
      code: "input_wrong" as const,
      message: `${where} does not fit its schema: ${fault}.`,
      task: task.id,
    }))
  }

  #schemaOf(reference: Reference): JsonObject | undefined {
    if (reference.task === TASK_ZERO) {
      const value = valueAt(this.#plan.taskZero, reference)
      return value === undefined ? undefined : { const: value }
    }
    const source = this.#tasks.get(reference.task)
    const service = source && this.#services.get(source.service.toLowerCase())
    return service && schemaAt(service.output, reference)
  }
}
