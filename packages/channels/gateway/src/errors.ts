import { OrraError, randomId } from "@orra/core"
import type { WireError } from "./protocol.ts"

/** An answer that is not a success, with headers where one is due. */
export class HttpError extends OrraError {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(code, message)
    this.status = status
    this.headers = headers
  }
}

/** Exactly the answer for a session that does not exist, whatever the reason is. */
export const notFound = (): HttpError => new HttpError(404, "not_found", "There is no such session.")

const STATUS: Readonly<Record<string, number>> = {
  not_found: 404,
  invalid_input: 400,
  namespace_invalid: 400,
  session_busy: 409,
  input_cancelled: 409,
  approval_not_found: 404,
  approval_forbidden: 403,
  approval_decided: 409,
  approval_expired: 410,
  context_too_long: 413,
  store_full: 507,
  closed: 503,
  provider_not_configured: 503,
  provider_rate_limit: 503,
  provider_overloaded: 503,
  provider_timeout: 504,
}

/** The HTTP status for an error's code; 500 for what nobody foresaw. */
export function statusOf(error: unknown): number {
  if (error instanceof HttpError) return error.status
  if (!(error instanceof OrraError)) return 500
  return STATUS[error.code] ?? (error.code.startsWith("provider_") ? 502 : 500)
}

/** Code and text for the client. Of an error nobody foresaw it learns nothing but that it is in the log. */
export function publicError(error: unknown): { readonly code: string; readonly error: string } {
  if (error instanceof OrraError && error.code !== "internal")
    return { code: error.code, error: error.message }
  return { code: "internal", error: "Something went wrong here; the log has the details." }
}

export function errorResponse(error: unknown, requestId = randomId()): Response {
  const body: WireError = { ...publicError(error), requestId }
  const headers = error instanceof HttpError ? error.headers : {}
  return Response.json(body, { status: statusOf(error), headers: { ...headers } })
}
