import { errorMessage, OrraError } from "@orra/core"
import { exampleOf, type Grounding, type UseCase } from "./grounding-file.ts"
import { Likeness } from "./likeness.ts"
import type { Plan, Service } from "./plan.ts"
import { makePlan } from "./planner.ts"
import type { PlanningOptions } from "./planning.ts"

/** What came of planning a use case: a plan, or why there is none. */
export type GroundingTrial = { readonly useCase: UseCase; readonly action: string } & (
  | { readonly plan: Plan }
  | { readonly error: string }
)

/** What makes plans; plans that were kept are not asked for, and none of these is kept. */
type TrialOptions = Pick<
  PlanningOptions,
  "provider" | "model" | "planTimeoutMs" | "maxTasks" | "embedder" | "embedMs" | "onError"
> & { readonly services: readonly Service[]; readonly signal?: AbortSignal }

/** No plan, and whoever wrote the grounding can do something about it. */
const THEIRS = ["plan_not_actionable", "plan_unproved", "plan_no_services"]

/**
 * Plans each use case of a grounding as somebody would ask for it, with its own examples, one after the other. Nothing is
 * carried out.
 *
 * @throws what `makePlan` throws when the model cannot be asked.
 */
export async function tryGrounding(
  grounding: Grounding,
  options: TrialOptions,
): Promise<readonly GroundingTrial[]> {
  const { planTimeoutMs, ...asked } = options
  const likeness = new Likeness(options)
  const trials: GroundingTrial[] = []
  for (const useCase of grounding.useCases) {
    const action = exampleOf(useCase)
    try {
      const { plan } = await makePlan({
        ...asked,
        action,
        data: useCase.params,
        likeness,
        grounding: { grounding, useCase },
        ...(planTimeoutMs !== undefined && { timeoutMs: planTimeoutMs }),
      })
      trials.push({ useCase, action, plan })
    } catch (error) {
      if (!(error instanceof OrraError) || !THEIRS.includes(error.code)) throw error
      trials.push({ useCase, action, error: errorMessage(error) })
    }
  }
  return trials
}
