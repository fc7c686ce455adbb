import { InvalidInput, isObject, type Json, type JsonObject } from "@orra/core"
import type { Plan, PlanTask, Service } from "./plan.ts"
import { needsOver } from "./plan.ts"

/**
 * What holds for a service in every plan of a domain, so that it can be proved of a plan. Services are named by their name
 * or id.
 *
 * - `after`: each of its tasks waits for a task of the other service, directly or over others.
 * - `before`: the same, said of the other one: each task of that one waits for a task of this one.
 * - `requires`: a plan that uses it uses the other one too.
 * - `atMost`, `exactly`: how many tasks it has in a plan.
 * - `never`: it is in no plan.
 */
export type Rule = { readonly service: string } & (
  | { readonly after: string }
  | { readonly before: string }
  | { readonly requires: string }
  | { readonly atMost: number }
  | { readonly exactly: number }
  | { readonly never: true }
)

/** A rule that can be proved, or words, which are told to the planner and judged by a model. */
export type Constraint = string | Rule

export const isRule = (constraint: Constraint): constraint is Rule => typeof constraint !== "string"

const NAMED = ["after", "before", "requires"]
const COUNTED = ["atMost", "exactly"]
const KINDS = [...NAMED, ...COUNTED, "never"]
const HOW = `one of ${KINDS.join(", ")}: { service: payments, after: checks }`

/** @throws InvalidInput with what is wrong. */
export function readConstraint(value: Json): Constraint {
  if (typeof value === "string" && value.trim() !== "") return value
  if (!isObject(value)) throw new InvalidInput(`A constraint is text, or a service with ${HOW}.`)
  const { service, ...rest } = value as JsonObject
  if (typeof service !== "string" || service.trim() === "")
    throw new InvalidInput(`A constraint that is checked names its "service", and ${HOW}.`)
  const [kind = "", ...more] = Object.keys(rest)
  const said = rest[kind]
  const isSaid =
    (NAMED.includes(kind) && typeof said === "string" && said.trim() !== "") ||
    (COUNTED.includes(kind) && Number.isSafeInteger(said) && Number(said) >= 0) ||
    (kind === "never" && said === true)
  if (!isSaid || more.length > 0) throw new InvalidInput(`The constraint on ${service} must say ${HOW}.`)
  return { service, [kind]: said } as unknown as Rule
}

/** A rule in words, for planners and people. */
export function ruleText(rule: Rule): string {
  const { service } = rule
  if ("after" in rule) return `Each task of ${service} waits for a task of ${rule.after}.`
  if ("before" in rule) return `Each task of ${rule.before} waits for a task of ${service}.`
  if ("requires" in rule) return `A plan with a task of ${service} also has one of ${rule.requires}.`
  if ("atMost" in rule) return `${service} has at most ${tasksText(rule.atMost)}.`
  if ("exactly" in rule) return `${service} has exactly ${tasksText(rule.exactly)}.`
  return `${service} is never used.`
}

const tasksText = (count: number): string => (count === 1 ? "1 task" : `${count} tasks`)

/** A rule that a plan does not keep to, and the task that breaks it, where it is one. */
export interface Broken {
  readonly rule: Rule
  readonly task?: string
}

/**
 * The rules that a plan breaks: this is a proof, from the plan's references alone. The plan must have an order
 * (`parallelGroups`).
 */
export function brokenRules(
  plan: Plan,
  services: readonly Service[],
  rules: readonly Rule[],
): readonly Broken[] {
  const named = new Map(services.map(({ id, name }) => [id.toLowerCase(), name]))
  const tasksOf = (service: string): readonly PlanTask[] =>
    plan.tasks.filter((task) => {
      const id = task.service.toLowerCase()
      return id === service.toLowerCase() || named.get(id) === service
    })
  const over = rules.some((rule) => "after" in rule || "before" in rule) ? needsOver(plan) : new Map()
  const waiting = (later: string, earlier: string, rule: Rule): readonly Broken[] => {
    const first = tasksOf(earlier).map(({ id }) => id)
    return tasksOf(later)
      .filter(({ id }) => !first.some((each) => over.get(id)?.has(each)))
      .map(({ id }) => ({ rule, task: id }))
  }
  return rules.flatMap((rule): readonly Broken[] => {
    const tasks = tasksOf(rule.service)
    if ("after" in rule) return waiting(rule.service, rule.after, rule)
    if ("before" in rule) return waiting(rule.before, rule.service, rule)
    if ("requires" in rule) return tasks.length > 0 && tasksOf(rule.requires).length === 0 ? [{ rule }] : []
    if ("atMost" in rule) return tasks.length > rule.atMost ? [{ rule }] : []
    if ("exactly" in rule) return tasks.length === rule.exactly ? [] : [{ rule }]
    return tasks.map(({ id }) => ({ rule, task: id }))
  })
}
