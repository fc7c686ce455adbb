import { commonWords, exampleOf, type Grounding, type UseCase } from "./grounding-file.ts"
import type { Likeness } from "./likeness.ts"
import type { Plan, Service } from "./plan.ts"
import { needsOver } from "./plan.ts"
import type { Finding } from "./prove.ts"

/** How alike a request and a use case must be, and a capability and a service. */
const ENOUGH = {
  action: { meaning: 0.9, words: 0.75 },
  capability: { meaning: 0.75, words: 0.6 },
} as const

/** The grounding that a request is planned with. */
export interface GroundingHit {
  readonly grounding: Grounding
  readonly useCase: UseCase
  /** 0 to 1. */
  readonly score: number
  readonly by: "meaning" | "words"
}

/**
 * The use case that is most like a request, of all groundings; undefined when none is like it: then the request is in the
 * domain of none, and planned without.
 */
export async function groundingOf(
  action: string,
  groundings: readonly Grounding[],
  likeness: Likeness,
  signal?: AbortSignal,
): Promise<GroundingHit | undefined> {
  const known = groundings.flatMap((grounding) =>
    grounding.useCases.flatMap((useCase) =>
      // One that is nothing but a placeholder has no words of its own.
      [commonWords(useCase.action), exampleOf(useCase)].flatMap((part) =>
        part.trim() === "" ? [] : [{ grounding, useCase, part }],
      ),
    ),
  )
  if (known.length === 0) return undefined
  const { by, scores } = await likeness.of(
    known.map(({ part }) => ({ part, whole: action })),
    signal,
  )
  const hits = known.flatMap(({ grounding, useCase, part }, index) => {
    const score = scores[index] ?? 0
    return score > ENOUGH.action[by] ? [{ grounding, useCase, score, by, length: part.length }] : []
  })
  // Of two that are as like it, the one that says more.
  const [best] = hits.toSorted((a, b) => b.score - a.score || b.length - a.length)
  if (!best) return undefined
  const { length: _, ...hit } = best
  return hit
}

/**
 * What a plan lacks of what its use case needs: a service for each capability, by name or by what its description says,
 * and in their order where the use case says so. Which service has a capability is likeness; the order is proved.
 */
export async function capabilityFindings(
  plan: Plan,
  services: readonly Service[],
  { capabilities, inOrder }: UseCase,
  likeness: Likeness,
  signal?: AbortSignal,
): Promise<readonly Finding[]> {
  const tasksOf = new Map<string, string[]>()
  for (const { id, service } of plan.tasks)
    tasksOf.set(service.toLowerCase(), [...(tasksOf.get(service.toLowerCase()) ?? []), id])
  const used = services.filter(({ id }) => tasksOf.has(id.toLowerCase()))
  const findings: Finding[] = []
  const over = inOrder ? needsOver(plan) : undefined
  let before: { readonly capability: string; readonly tasks: readonly string[] } | undefined
  for (const capability of capabilities) {
    const having = await withCapability(capability, used, likeness, signal)
    const tasks = having.flatMap(({ id }) => tasksOf.get(id.toLowerCase()) ?? [])
    if (tasks.length === 0)
      findings.push({
        code: "capability_missing",
        message: `What is asked needs a service that "${capability}", and the plan has none: add one.`,
      })
    else if (over && before && !tasks.some((id) => before?.tasks.some((each) => over.get(id)?.has(each))))
      findings.push({
        code: "capability_order",
        message: `A task that "${capability}" must wait for one that "${before.capability}": name that one in "after".`,
      })
    before = { capability, tasks }
  }
  return findings
}

async function withCapability(
  capability: string,
  services: readonly Service[],
  likeness: Likeness,
  signal: AbortSignal | undefined,
): Promise<readonly Service[]> {
  const wanted = capability.toLowerCase()
  const exact = services.filter(
    ({ name, description }) => name === wanted || description.toLowerCase().includes(wanted),
  )
  if (exact.length > 0) return exact
  const { by, scores } = await likeness.of(
    services.map(({ description }) => ({ part: capability, whole: description })),
    signal,
  )
  return services.filter((_, index) => (scores[index] ?? 0) > ENOUGH.capability[by])
}
