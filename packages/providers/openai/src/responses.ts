import type { ModelRequest } from "@orra/core"
import { findCause, HttpFailure, type Incoming } from "@orra/provider-http"
import type { Connection } from "./connection.ts"
import {
  FULL_DIALECT,
  otherResponsesDialect,
  type ResponsesDefaults,
  type ResponsesDialect,
  toResponsesParams,
} from "./responses-request.ts"

/** How a request is sent to Responses: again in another dialect when the service refuses a part of it by name. */
export function responsesOpener(provider: string, defaults: ResponsesDefaults) {
  const dialects = new Map<string, ResponsesDialect>()
  return async (
    { post }: Connection,
    request: ModelRequest,
    model: string,
    signal: AbortSignal,
  ): Promise<Incoming> => {
    let dialect = dialects.get(model) ?? FULL_DIALECT
    for (;;) {
      const params = toResponsesParams(request, provider, defaults, dialect)
      try {
        const response = await post("/responses", params, signal)
        // That thinking did not open says something of this session, not of the model.
        dialects.set(model, { ...dialect, thinking: true })
        return response
      } catch (error) {
        const http = findCause(error, HttpFailure)
        // Each dialect says less than the one before, so this ends.
        const other = http && otherResponsesDialect(dialect, request, params, http)
        if (!other) throw error
        dialect = other
      }
    }
  }
}
