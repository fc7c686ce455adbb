import { InvalidInput, NotFound, OrraError, ProviderError } from "@orra/core"

type Kind =
  | "invalid request error"
  | "input validation error"
  | "item does not exist"
  | "invalid operation"
  | "unanticipated error"
  | "internal error"

/** What a request is answered when it cannot be done, as clients of the original engine know it. */
export class ApiError extends Error {
  readonly status: number
  readonly kind: Kind
  readonly code: string | undefined
  /** Which part of the request is wrong. */
  readonly param: string | undefined
  /** After how many seconds to ask again. */
  readonly retryAfter: number | undefined

  constructor(
    status: number,
    kind: Kind,
    message: string,
    code?: string,
    param?: string,
    retryAfter?: number,
  ) {
    super(message)
    this.status = status
    this.kind = kind
    this.code = code
    this.param = param
    this.retryAfter = retryAfter
  }
}

/** The answer for anything thrown; undefined for what nobody expected, of which nothing is told. */
export function asApiError(error: unknown): ApiError | undefined {
  if (error instanceof ApiError) return error
  if (error instanceof NotFound)
    return new ApiError(404, "item does not exist", error.message, NOT_FOUND[error.message])
  if (error instanceof InvalidInput) return new ApiError(400, "invalid request error", error.message)
  if (error instanceof ProviderError)
    return new ApiError(500, "unanticipated error", `The model could not be asked: ${error.message}`, CANNOT)
  if (!(error instanceof OrraError)) return undefined
  // What the provider of a model threw, of which an orchestration keeps code and text.
  if (error.code.startsWith("provider_"))
    return new ApiError(500, "unanticipated error", `The model could not be asked: ${error.message}`, CANNOT)
  switch (error.code) {
    case "plan_not_actionable":
      return new ApiError(
        400,
        "invalid request error",
        `preparation failed with status not_actionable: ${error.message}`,
        "Orra:ActionNotActionable",
      )
    case "plan_timeout":
    case "plan_unproved":
    case "plan_no_services":
      return new ApiError(500, "unanticipated error", error.message, CANNOT)
    case "plan_compensation_settled":
    case "plan_last_key":
      return new ApiError(400, "invalid operation", error.message)
    case "plan_cancelled":
      return new ApiError(409, "invalid operation", error.message, "Orra:ActionCancelled")
    case "plan_grounding_known":
      return new ApiError(400, "invalid operation", error.message, undefined, "version")
    case "plan_engine_stopped":
      return new ApiError(503, "unanticipated error", error.message, "Orra:PlanEngineShuttingDown")
    default:
      return undefined
  }
}

const CANNOT = "Orra:ActionCannotExecute"
const NOT_FOUND: Readonly<Record<string, string>> = {
  [new NotFound("orchestration").message]: "Orra:UnknownOrchestration",
}
