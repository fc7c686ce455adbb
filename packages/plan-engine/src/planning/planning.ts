import {
  addUsage,
  type Json,
  type Namespace,
  NO_USAGE,
  type Provider,
  type SessionStore,
  StoreError,
  type Usage,
} from "@orra/core"
import type { CacheRequest } from "./cache-key.ts"
import { proveAll } from "./grounded-proof.ts"
import type { Groundings } from "./groundings.ts"
import { Likeness, type LikenessOptions } from "./likeness.ts"
import { type GroundingHit, groundingOf } from "./matching.ts"
import type { Plan, Service } from "./plan.ts"
import { type CacheHit, type Kept, PlanCache, type PlanCacheOptions } from "./plan-cache.ts"
import { makePlan, type PlanningEvent } from "./planner.ts"
import type { Schemas } from "./schema.ts"

export interface PlanningOptions extends LikenessOptions {
  readonly store: Pick<SessionStore, "records" | "now">
  readonly root: Namespace
  readonly provider: Provider
  readonly model?: string
  readonly groundings: Groundings
  /** How long one answer of the model may take, in ms. Default 180,000. */
  readonly planTimeoutMs?: number
  /** Most tasks of a plan. Default 100. */
  readonly maxTasks?: number
  readonly schemas?: Schemas
  /** Keeps plans for requests that are the same but for their values. False: every request is planned. */
  readonly cache?: PlanCacheOptions | false
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

/** Why a plan was taken that was made before. */
export interface ReusedBy extends Omit<CacheHit, "plan" | "keptAt"> {
  /** When it was kept, RFC 3339. */
  readonly keptAt: string
}

/** Where a plan is from. `usage` is what it took, judging included. */
export type PlanOrigin = { readonly grounding?: GroundedBy; readonly usage: Usage } & (
  | ({ readonly by: "cache" } & ReusedBy)
  | {
      readonly by: "model"
      /** How often the model was asked. */
      readonly attempts: number
      /** Why no kept plan was taken, and whether this one is kept now. */
      readonly cache?: { readonly missed: string } & Kept
    }
)

/** Plans the requests of an engine's projects, each in its domain. */
export class Planning {
  readonly #options: PlanningOptions
  readonly #likeness: Likeness
  readonly #cache: PlanCache | undefined

  constructor(options: PlanningOptions) {
    const { store, root, cache = {} } = options
    this.#options = options
    this.#likeness = new Likeness(options)
    this.#cache = cache === false ? undefined : new PlanCache(store, root, this.#likeness, cache)
  }

  /** @throws what `makePlan` throws. */
  async plan(request: PlanningRequest): Promise<{ readonly plan: Plan; readonly origin: PlanOrigin }> {
    const { provider, model, groundings, planTimeoutMs, maxTasks, schemas } = this.#options
    const { projectId, action, services, signal, onProgress = () => {} } = request
    const data = Object.fromEntries(request.data.map(({ field, value }) => [field, value]))
    const hit = await groundingOf(action, await groundings.list(projectId), this.#likeness, signal)
    const grounding = hit && groundedBy(hit)
    if (grounding) onProgress({ type: "grounded", grounding })
    const asked = { projectId, action, data, services, grounding: hit, signal }
    const options: MakeOptions = {
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
      ...(schemas && { schemas }),
    }
    const found = await this.#find(asked, options)
    if ("plan" in found) {
      const { plan, usage, reused } = found
      onProgress({ type: "reused", ...reused })
      return { plan, origin: { by: "cache", ...reused, usage, ...(grounding && { grounding }) } }
    }
    const { plan, attempts, usage } = await makePlan(options)
    const kept = await this.#keep(asked, plan)
    const origin: PlanOrigin = {
      by: "model",
      attempts,
      usage: addUsage(found.usage, usage),
      ...(kept && { cache: { missed: found.missed, ...kept } }),
      ...(grounding && { grounding }),
    }
    return { plan, origin }
  }

  /** A kept plan, proved for this request as a new one is; one that only means the same is judged to do what is asked. */
  async #find(asked: CacheRequest, options: MakeOptions): Promise<Found> {
    let missed =
      "no plan of a request like it is kept for these services, this grounding and data of this form"
    let usage = NO_USAGE
    for (const { plan, keptAt, ...hit } of await this.#stored(() => this.#cache?.find(asked), [])) {
      const whole = `It does all that is asked, and nothing else: ${asked.action}`
      const proof = await proveAll(plan, { ...options, statements: hit.how === "meaning" ? [whole] : [] })
      usage = addUsage(usage, proof.usage)
      const reused = { ...hit, keptAt: new Date(keptAt).toISOString() }
      if (proof.findings.length === 0) return { plan, usage, reused }
      missed = `the plan kept for "${hit.like}" is not right here: ${proof.findings[0]?.message ?? ""}`
    }
    return { missed, usage }
  }

  #keep(asked: CacheRequest, plan: Plan): Promise<Kept | undefined> {
    return this.#stored<Kept | undefined>(() => this.#cache?.keep(asked, plan), undefined)
  }

  /** A cache that cannot be read or written is none: the request is planned. */
  async #stored<T>(work: () => Promise<T> | undefined, otherwise: T): Promise<T> {
    try {
      return (await work()) ?? otherwise
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      this.#options.onError?.(error)
      return otherwise
    }
  }
}

type MakeOptions = Parameters<typeof makePlan>[0]

type Found =
  | { readonly plan: Plan; readonly usage: Usage; readonly reused: ReusedBy }
  | { readonly missed: string; readonly usage: Usage }

const groundedBy = ({ grounding, useCase, score, by }: GroundingHit): GroundedBy => ({
  name: grounding.name,
  version: grounding.version,
  domain: grounding.domain,
  useCase: useCase.action,
  score,
  by,
})
