import { isObject, type ProviderError, type ProviderErrorKind } from "@orra/core"
import { type HttpFailure, type ModelService, serviceFailure, statusKind } from "@orra/provider-http"

const KINDS: Readonly<Record<string, ProviderErrorKind>> = {
  authentication_error: "auth",
  permission_error: "auth",
  billing_error: "quota",
  rate_limit_error: "rate_limit",
  overloaded_error: "overloaded",
  api_error: "overloaded",
  timeout_error: "timeout",
  not_found_error: "invalid_request",
  request_too_large: "context_length",
  invalid_request_error: "invalid_request",
}

const TOO_LONG = /prompt is too long|exceeds? (the )?context (limit|window)|input is too long/i
const NO_CREDIT = /credit balance is too low/i
const NO_MODEL = /^model: |\bmodel\b.*\bnot (found|exist|available)\b/i

/** An error object of the service, as body or as event. */
function errorKind(type: string, message: string, status?: number): ProviderErrorKind | undefined {
  if (type === "invalid_request_error") {
    if (TOO_LONG.test(message)) return "context_length"
    if (NO_CREDIT.test(message)) return "quota"
  }
  if ((type === "not_found_error" || status === 404) && NO_MODEL.test(message)) return "model_not_found"
  return KINDS[type]
}

export function failureOf(
  service: ModelService,
  { status, headers, body }: HttpFailure,
  model: string,
): ProviderError {
  const error = parsedError(body)
  const kind = errorKind(error.type, error.message, status) ?? statusKind(status)
  return serviceFailure(service, kind, { status, headers, said: error.message, model })
}

/** An `error` event within the stream. */
export function eventFailure(service: ModelService, event: unknown, model: string): ProviderError {
  const { type, message } = partsOf(event, JSON.stringify(event))
  return serviceFailure(service, errorKind(type, message) ?? "protocol", { said: message, model })
}

interface ErrorParts {
  readonly type: string
  readonly message: string
}

function parsedError(body: string): ErrorParts {
  try {
    return partsOf(JSON.parse(body), body)
  } catch {
    // Not JSON: a proxy's page. Its text is better than nothing.
    return { type: "", message: body }
  }
}

function partsOf(value: unknown, whole: string): ErrorParts {
  const error = isObject(value) && isObject(value["error"]) ? value["error"] : value
  if (!isObject(error)) return { type: "", message: whole }
  return { type: String(error["type"] ?? ""), message: String(error["message"] ?? whole) }
}
