import { NO_USAGE, type Usage } from "@orra/core"
import type { AskOptions } from "./ask-model.ts"
import { isRule, ruleText } from "./constraints.ts"
import { exampleOf, type Grounding, type UseCase } from "./grounding-file.ts"
import { judged } from "./judge.ts"
import { Likeness } from "./likeness.ts"
import { capabilityFindings } from "./matching.ts"
import type { Plan } from "./plan.ts"
import { fenced } from "./prompt.ts"
import { type Finding, type ProofOptions, prove } from "./prove.ts"

/** What a plan is checked against besides its services: a domain, by the use case that the request is like. */
export interface GroundedIn {
  readonly grounding: Grounding
  readonly useCase: UseCase
}

export interface ProveAllOptions extends Omit<ProofOptions, "rules"> {
  readonly grounding?: GroundedIn
  /** Compares capabilities with what services say of themselves. Default: by words. */
  readonly likeness?: Likeness
}

/**
 * Everything that is wrong with a plan. First what can be proved: services, inputs, references, order, and the rules of the
 * domain. Then, of a plan in which nothing of that is wrong, what is judged: whether its services have the capabilities, and
 * by a model whether it keeps to the constraints that are words, and to `statements`.
 *
 * @throws what `ask` throws.
 */
export async function proveAll(
  plan: Plan,
  options: ProveAllOptions & AskOptions & { readonly statements?: readonly string[] },
): Promise<{ readonly findings: readonly Finding[]; readonly usage: Usage }> {
  const { services, grounding, likeness = new Likeness({}), statements = [], signal } = options
  const constraints = grounding?.grounding.constraints ?? []
  const proved = prove(plan, { ...options, rules: constraints.filter(isRule) })
  if (proved.length > 0) return { findings: proved, usage: NO_USAGE }
  const capabilities = grounding
    ? await capabilityFindings(plan, services, grounding.useCase, likeness, signal)
    : []
  if (capabilities.length > 0) return { findings: capabilities, usage: NO_USAGE }
  const words = constraints.filter((each) => typeof each === "string")
  return await judged(plan, [...words, ...statements], options)
}

/** What a planner is told of the domain of a request. */
export function groundingContext({ grounding, useCase }: GroundedIn): string {
  const { domain, constraints } = grounding
  const { action, capabilities, intent, inOrder } = useCase
  const told = {
    domain,
    action,
    example: exampleOf(useCase),
    intent,
    capabilities,
    ...(inOrder && { order: "The task of each capability waits for one of the capability before it." }),
    constraints: constraints.map((each) => (isRule(each) ? ruleText(each) : each)),
  }
  return `The request is in a domain that has rules. The plan must have a service for each of the capabilities, and keep to all constraints; both are checked.\n${fenced(told)}`
}
