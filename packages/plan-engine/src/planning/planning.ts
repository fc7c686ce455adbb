import type { Json, Provider, Usage } from "@orra/core"
import type { Groundings } from "./groundings.ts"
import { Likeness, type LikenessOptions } from "./likeness.ts"
import { type GroundingHit, groundingOf } from "./matching.ts"
import type { Plan, Service } from "./plan.ts"
import { makePlan, type PlanningEvent } from "./planner.ts"

export interface PlanningOptions extends LikenessOptions {
  readonly provider: Provider
  readonly model?: string
  readonly groundings: Groundings
  /** How long one answer of the model may take, in ms. Default 180,000. */
  readonly planTimeoutMs?: number
  /** Most tasks of a plan. Default 100. */
  readonly maxTasks?: number
}

/** What is to be planned. */
export interface PlanningRequest {
  readonly projectId: string
  readonly action: string
  readonly data: readonly { readonly field: string; readonly value: Json }[]
  readonly services: readonly Service[]
  readonly signal?: AbortSignal
  readonly onProgress?: (event: PlanningEvent) => void
}

/** The domain that a plan was made in, as it is told to who asks. */
export interface GroundedBy extends Pick<GroundingHit, "score" | "by"> {
  readonly name: string
  readonly version: string
  readonly domain: string
  /** The use case's action. */
  readonly useCase: string
}

/** Where a plan is from. */
export type PlanOrigin = { readonly grounding?: GroundedBy } & {
  readonly by: "model"
  /** How often the model was asked. */
  readonly attempts: number
  readonly usage: Usage
}

/** Plans the requests of an engine's projects, each in its domain. */
export class Planning {
  readonly #options: PlanningOptions
  readonly #likeness: Likeness

  constructor(options: PlanningOptions) {
    this.#options = options
    this.#likeness = new Likeness(options)
  }

  /** @throws what `makePlan` throws. */
  async plan(request: PlanningRequest): Promise<{ readonly plan: Plan; readonly origin: PlanOrigin }> {
    const { provider, model, groundings, planTimeoutMs, maxTasks } = this.#options
    const { projectId, action, services, signal, onProgress = () => {} } = request
    const data = Object.fromEntries(request.data.map(({ field, value }) => [field, value]))
    const hit = await groundingOf(action, await groundings.list(projectId), this.#likeness, signal)
    const grounding = hit && groundedBy(hit)
    if (grounding) onProgress({ type: "grounded", grounding })
    const { plan, attempts, usage } = await makePlan({
      provider,
      services,
      action,
      data,
      likeness: this.#likeness,
      onProgress,
      ...(hit && { grounding: hit }),
      ...(signal && { signal }),
      ...(model !== undefined && { model }),
      ...(planTimeoutMs !== undefined && { timeoutMs: planTimeoutMs }),
      ...(maxTasks !== undefined && { maxTasks }),
    })
    return { plan, origin: { by: "model", attempts, usage, ...(grounding && { grounding }) } }
  }
}

const groundedBy = ({ grounding, useCase, score, by }: GroundingHit): GroundedBy => ({
  name: grounding.name,
  version: grounding.version,
  domain: grounding.domain,
  useCase: useCase.action,
  score,
  by,
})
