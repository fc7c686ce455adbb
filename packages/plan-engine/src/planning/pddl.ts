import { needs, type Plan, parallelGroups, type Service } from "./plan.ts"
import { requiredOf } from "./schema.ts"

/** A plan as PDDL, for a validator such as VAL: `Validate domain.pddl problem.pddl plan.txt`. */
export interface Pddl {
  readonly domain: string
  readonly problem: string
  readonly plan: string
}

/**
 * The planning domain, the problem and the plan in PDDL 2.1, with `:strips` and `:typing` only.
 *
 * The domain has an action for each service and number of tasks that one of its tasks waits for: it can be done when its
 * required inputs are given and what it waits for is done. The problem has a step for each task and a value for each input,
 * and is solved when every task is done. Names are mangled to what PDDL takes; what they stand for is in comments.
 *
 * ```ts
 * const { domain, problem, plan } = toPddl(plan, services, { domain: "shop", problem: "o_17" })
 * ```
 *
 * The plan must be proved: a validator says then that it can be carried out in this order and reaches its goal.
 */
export function toPddl(
  plan: Plan,
  services: readonly Service[],
  { domain, problem }: { readonly domain: string; readonly problem: string },
): Pddl {
  const names = new Names()
  const domainName = names.of("domain", domain)
  const problemName = names.of("problem", problem)
  const byId = new Map(services.map((service) => [service.id.toLowerCase(), service]))
  const steps = plan.tasks.flatMap((task) => {
    const service = byId.get(task.service.toLowerCase())
    if (!service) return []
    const inputs = Object.keys(task.input).map((input) => ({
      predicate: names.of("input", `${service.id}\n${input}`, `${service.name}-${input}`),
      value: names.of("value", `${task.id}\n${input}`, `${task.id}-${input}`),
      isRequired: requiredOf(service.input).includes(input),
      stands: `${input} of ${service.name}`,
    }))
    return {
      id: task.id,
      name: names.of("step", task.id),
      waitsFor: [...needs(task)].map((id) => names.of("step", id)),
      type: names.of("service", service.id, service.name),
      service,
      inputs,
    }
  })
  type Step = (typeof steps)[number]
  const most = Math.max(0, ...steps.map(({ waitsFor }) => waitsFor.length))
  const places = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index + 1)
  const actionOf = ({ service, waitsFor }: Step): string =>
    names.of("do", `${service.id}\n${waitsFor.length}`, `${service.name}-after-${waitsFor.length}`)
  const requiredIn = ({ inputs }: Step) => inputs.filter(({ isRequired }) => isRequired)

  const action = (step: Step): string => {
    const { waitsFor, type } = step
    const count = waitsFor.length
    const earlier = places(count).map((place) => `?earlier-${place}`)
    const required = requiredIn(step).map(({ predicate }, index) => ({
      predicate,
      variable: `?value-${index + 1}`,
    }))
    const parameters = [
      `?step - ${type}`,
      ...(count > 0 ? [`${earlier.join(" ")} - step`] : []),
      ...(required.length > 0 ? [`${required.map(({ variable }) => variable).join(" ")} - value`] : []),
    ]
    const conditions = [
      "(open ?step)",
      `(waits-for-${count} ?step)`,
      ...required.map(({ predicate, variable }) => `(${predicate} ?step ${variable})`),
      ...earlier.flatMap((variable, index) => [
        `(earlier-${index + 1} ?step ${variable})`,
        `(done ${variable})`,
      ]),
    ]
    return [
      `  (:action ${actionOf(step)}`,
      `    :parameters (${parameters.join(" ")})`,
      `    :precondition (and ${conditions.join(" ")})`,
      "    :effect (and (done ?step) (not (open ?step))))",
    ].join("\n")
  }

  const types = distinct(steps, ({ type }) => type)
  const actions = distinct(steps, actionOf)
  const predicates = distinct(
    steps.flatMap(({ inputs, type }) => inputs.map((input) => ({ ...input, type }))),
    ({ predicate }) => predicate,
  )
  const isDone = new Map(steps.map((step) => [step.id, step]))
  const order = (parallelGroups(plan) ?? []).flat().flatMap((id) => isDone.get(id) ?? [])
  return {
    domain: [
      ...types.map(({ type, service }) => comment(type, service.name)),
      ...predicates.map(({ predicate, stands }) => comment(predicate, stands)),
      `(define (domain ${domainName})`,
      "  (:requirements :strips :typing)",
      "  (:types",
      "    step value - object",
      `    ${types.map(({ type }) => type).join(" ")} - step)`,
      "  (:predicates",
      "    (open ?step - step)",
      "    (done ?step - step)",
      ...places(most).map((place) => `    (earlier-${place} ?step - step ?other - step)`),
      ...places(most + 1).map((place) => `    (waits-for-${place - 1} ?step - step)`),
      ...predicates.map(({ predicate, type }) => `    (${predicate} ?step - ${type} ?value - value)`),
      "  )",
      ...actions.map(action),
      ")",
      "",
    ].join("\n"),
    problem: [
      ...steps.map(({ name, id }) => comment(name, id)),
      `(define (problem ${problemName})`,
      `  (:domain ${domainName})`,
      "  (:objects",
      ...steps.map(({ name, type }) => `    ${name} - ${type}`),
      ...steps.flatMap(({ inputs }) => inputs.map(({ value }) => `    ${value} - value`)),
      "  )",
      "  (:init",
      ...steps.flatMap(({ name, inputs, waitsFor }) => [
        `    (open ${name})`,
        `    (waits-for-${waitsFor.length} ${name})`,
        ...waitsFor.map((other, index) => `    (earlier-${index + 1} ${name} ${other})`),
        ...inputs.map(({ predicate, value }) => `    (${predicate} ${name} ${value})`),
      ]),
      "  )",
      `  (:goal (and ${steps.map(({ name }) => `(done ${name})`).join(" ")})))`,
      "",
    ].join("\n"),
    plan: order
      .map((step) => {
        const values = requiredIn(step).map(({ value }) => value)
        return `(${[actionOf(step), step.name, ...step.waitsFor, ...values].join(" ")})\n`
      })
      .join(""),
  }
}

/** The first of those that come to the same. */
function distinct<T>(all: readonly T[], keyOf: (each: T) => string): readonly T[] {
  const seen = new Set<string>()
  return all.filter((each) => !seen.has(keyOf(each)) && seen.add(keyOf(each)))
}

/** What a name stands for, in one line of ASCII. */
const comment = (name: string, text: string): string =>
  `; ${name}: ${JSON.stringify(text).replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)}`

const LONGEST = 48

/**
 * Names that PDDL takes: a letter, then letters, digits, dashes; case does not count. Each begins with its kind, so that
 * none is a word of PDDL or of this domain, and what would be the same gets a number.
 */
class Names {
  readonly #given = new Map<string, string>()
  readonly #taken = new Set(["step", "value", "object"])

  /** The name of what `key` says in this kind; `text` is what it should look like. */
  of(kind: string, key: string, text = key): string {
    const known = this.#given.get(`${kind}\n${key}`)
    if (known !== undefined) return known
    const plain = text
      .normalize("NFKD")
      .toLowerCase()
      .replace(/\p{M}/gu, "")
      .replace(/[^a-z0-9]+/g, "-")
      .slice(0, LONGEST)
      .replace(/^-|-$/g, "")
    const wanted = plain === "" ? kind : `${kind}-${plain}`
    let name = wanted
    for (let count = 2; this.#taken.has(name); count++) name = `${wanted}-${count}`
    this.#taken.add(name)
    this.#given.set(`${kind}\n${key}`, name)
    return name
  }
}
