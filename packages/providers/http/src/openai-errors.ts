import { isObject, type ProviderError, type ProviderErrorKind } from "@orra/core"
import type { HttpFailure } from "./checked-fetch.ts"
import { type ModelService, serviceFailure, statusKind } from "./service-failure.ts"

const CODES: Readonly<Record<string, ProviderErrorKind>> = {
  invalid_api_key: "auth",
  invalid_authentication: "auth",
  authentication_error: "auth",
  permission_denied: "auth",
  insufficient_quota: "quota",
  billing_hard_limit_reached: "quota",
  billing_not_active: "quota",
  insufficient_balance: "quota",
  rate_limit_exceeded: "rate_limit",
  rate_limit_error: "rate_limit",
  context_length_exceeded: "context_length",
  exceed_context_size_error: "context_length",
  string_above_max_length: "context_length",
  model_not_found: "model_not_found",
  server_error: "overloaded",
  internal_server_error: "overloaded",
  overloaded_error: "overloaded",
  engine_overloaded: "overloaded",
  server_overloaded: "overloaded",
  timeout: "timeout",
}

/** How servers say that the messages are too long: OpenAI, vLLM, llama.cpp, Mistral, Gemini, Ollama, TGI. */
const TOO_LONG =
  /maximum context length|(exceeds?|exceeded|larger than|too (long|large) for)[^.]{0,40}\bcontext\b|input token count[^.]{0,40}exceeds|prompt is too long|reduce the length of the messages|tokens \+ `max_new_tokens`/i
/** The same words are used of an output limit that is too high: that is a request to mend, not to shorten. */
const OUTPUT_LIMIT = /^\W*max_(completion_|new_)?tokens\W/i
const NO_MODEL =
  /\bmodel\b.*\b(not found|does not exist|not exist|not available|unknown)\b|\bno such model\b/i
const NO_CREDIT = /insufficient (balance|credits?|quota|funds)|out of credits?|exceeded your current quota/i
const WRONG_KEY = /(invalid|incorrect|missing|no) api[ _-]?key|api[ _-]?key not valid/i

interface ErrorParts {
  readonly code: string
  readonly type: string
  readonly param: string
  readonly message: string
}

/** The parts of an error body. Every server has its own idea of one; what is missing is empty. */
export function errorParts(body: string): ErrorParts {
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return { code: "", type: "", param: "", message: body }
  }
  // Gemini puts its error into an array.
  return partsOf(Array.isArray(value) ? value[0] : value, body)
}

function partsOf(value: unknown, body = ""): ErrorParts {
  const error = isObject(value) && value["error"] != null ? value["error"] : value
  if (typeof error === "string") return { code: "", type: "", param: "", message: error }
  if (!isObject(error)) return { code: "", type: "", param: "", message: body }
  const message = error["message"] ?? error["detail"] ?? body
  return {
    code: text(error["code"]),
    type: text(error["type"]),
    param: text(error["param"]),
    message: typeof message === "string" ? message : JSON.stringify(message),
  }
}

const text = (value: unknown): string =>
  typeof value === "string" || typeof value === "number" ? String(value) : ""

/** What an error is about: the service's code first, its words second, the status last. */
function errorKind({ code, type, message }: ErrorParts, status?: number): ProviderErrorKind | undefined {
  const known = CODES[code] ?? CODES[type]
  // Some services answer a spent quota and a wrong model with the code of a rate limit or a bad request.
  if (known !== undefined && known !== "overloaded" && known !== "rate_limit") return known
  if (status === undefined || status === 400 || status === 413 || status === 422 || status >= 500) {
    if (TOO_LONG.test(message) && !OUTPUT_LIMIT.test(message)) return "context_length"
  }
  if (NO_CREDIT.test(message)) return "quota"
  if ((status === 400 || status === 404) && NO_MODEL.test(message)) return "model_not_found"
  if (status === 400 && WRONG_KEY.test(message)) return "auth"
  return known
}

/** What a service with OpenAI's API means by an error status and its body, for a person. */
export function openaiFailure(
  service: ModelService,
  { status, headers, body }: HttpFailure,
  model: string,
): ProviderError {
  const parts = errorParts(body)
  const kind = status === 401 ? "auth" : (errorKind(parts, status) ?? statusKind(status))
  return serviceFailure(service, kind, { status, headers, said: parts.message, model })
}

/** Responses has a code for each thing it will not work on, such as `invalid_image` and `bio_policy`. */
const statedKind = ({ code, type }: ErrorParts): ProviderErrorKind =>
  /^(invalid|image|unsupported|empty|failed_to_download)_|_policy/.test(code || type)
    ? "invalid_request"
    : "protocol"

/** What says in a chunk or event that the answer failed, or undefined. */
export function failedPart(chunk: Readonly<Record<string, unknown>>): unknown {
  const { type, object, error } = chunk
  if (type === "response.failed") return chunk["response"] ?? chunk
  return error != null || object === "error" || type === "error" ? chunk : undefined
}

/** An error object in the place of a chunk. Gateways put the status of the service behind them into `code`. */
export function chunkFailure(service: ModelService, chunk: unknown, model: string): ProviderError {
  const parts = partsOf(chunk, JSON.stringify(chunk))
  const status = /^[45]\d\d$/.test(parts.code) ? Number(parts.code) : undefined
  const kind = errorKind(parts, status) ?? (status === undefined ? statedKind(parts) : statusKind(status))
  return serviceFailure(service, kind, { status, said: parts.message, model })
}
