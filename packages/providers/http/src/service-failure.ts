import { abortedError, ProviderError, type ProviderErrorKind } from "@orra/core"
import { findCause } from "./checked-fetch.ts"
import type { Watchdog } from "./watchdog.ts"

/** What error messages say of a model service. */
export interface ModelService {
  /** The provider's id. */
  readonly provider: string
  /** As a person calls it: "Anthropic". */
  readonly name: string
  /** Where requests go, for messages about the network. */
  readonly host: string
  /** Keys in use: they never appear in a message, whatever the service writes. */
  readonly secrets: readonly string[]
}

/**
 * How long a service asks us to wait, from `retry-after-ms`, or `retry-after` in seconds or as a date.
 * Undefined when it does not say, or says nonsense.
 */
export function retryAfterMs(headers: Headers, now: number = Date.now()): number | undefined {
  const ms = headers.get("retry-after-ms")
  if (ms !== null && Number(ms) >= 0) return Math.ceil(Number(ms))
  const value = headers.get("retry-after")?.trim()
  if (!value) return undefined
  if (/^\d+(\.\d+)?$/.test(value)) return Math.ceil(Number(value) * 1_000)
  // Date.parse takes much for a date that is none, such as "-5".
  const date = /[a-z]{3}/i.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}

const KEYS = /\b(?:sk|pk|rk|gsk|xai|ghp|gho|pplx|hf|nvapi|AIza)[-_][\w*…-]{6,}|\bAIza[\w-]{20,}/g
const BEARER = /\b(bearer\s+)[\w.~+/=-]{6,}/gi

/** The text without the given secrets and without anything that looks like a key. */
export function redact(text: string, secrets: readonly string[] = []): string {
  for (const secret of secrets) if (secret.length >= 4) text = text.replaceAll(secret, "[key]")
  return text.replace(KEYS, "[key]").replace(BEARER, "$1[key]")
}

export interface FailureFacts {
  readonly status?: number | undefined
  readonly headers?: Headers | undefined
  /** The service's own words. */
  readonly said?: string | undefined
  readonly model?: string | undefined
  readonly cause?: unknown
}

/** A failure for a person to read: who, what, what to do, and the service's own words without any key. */
export function serviceFailure(
  service: ModelService,
  kind: ProviderErrorKind,
  facts: FailureFacts = {},
): ProviderError {
  const { status, headers, said, model, cause } = facts
  const wait = headers && retryAfterMs(headers)
  const text = advice(service, kind, status, model, wait)
  const own = said === undefined ? "" : shortened(redact(plainText(said), service.secrets))
  return new ProviderError(kind, own ? `${text} It said: "${own}"` : text, {
    provider: service.provider,
    status,
    retryAfterMs: wait,
    requestId: headers?.get("request-id") ?? headers?.get("x-request-id") ?? undefined,
    cause,
  })
}

function advice(
  { name, host }: ModelService,
  kind: ProviderErrorKind,
  status: number | undefined,
  model: string | undefined,
  wait: number | undefined,
): string {
  const code = status === undefined ? "" : ` (HTTP ${status})`
  const later = wait === undefined ? "in a moment" : `in ${Math.ceil(wait / 1_000)} s`
  switch (kind) {
    case "auth":
      return `${name} refused the credentials${code}: check that the API key is right, active and may use this model.`
    case "rate_limit":
      return `The rate limit of ${name} is reached${code}: try again ${later}.`
    case "overloaded":
      return `${name} is overloaded or has a problem on its side${code}: try again ${later}.`
    case "context_length":
      return `The conversation is longer than the model takes${code}: shorten it or start a new one.`
    case "model_not_found":
      return `${name} has no model "${model ?? ""}" for this key${code}: choose another model.`
    case "quota":
      return `The ${name} account has no credit left${code}: add credit or use another key.`
    case "invalid_request":
      return status === 404
        ? `${name} has nothing at this address${code}: check the base URL; that of an OpenAI-compatible server usually ends in /v1.`
        : `${name} refused the request as it was written${code}.`
    case "timeout":
      return `${name} did not answer in time${code}: try again, or allow it more time when the model is slow to start.`
    case "protocol":
      return `${name} answered with something that is not its protocol${code}: try again; if it stays so, check the base URL (${host}).`
    case "network":
      return `${name} could not be reached at ${host}${code}: check the network and the base URL, then try again.`
    case "aborted":
      return "The model call was stopped."
    case "not_configured":
      return `There is no API key for ${name} yet: set one up first.`
  }
}

/** What went wrong between us and the service, when the service itself did not say. */
export function connectionFailure(
  service: ModelService,
  error: unknown,
  watch: Watchdog,
  caller: AbortSignal | undefined,
  timeoutMs: number,
): ProviderError {
  const known = findCause(error, ProviderError)
  if (known) return known
  if (caller?.aborted) return abortedError(service.provider)
  if (watch.idle) {
    return new ProviderError(
      "timeout",
      `${service.name} sent nothing for ${timeoutMs / 1_000} s: try again, or allow it more time (timeoutMs) when the model is slow to start.`,
      { provider: service.provider },
    )
  }
  if (findCause(error, SyntaxError))
    return serviceFailure(service, "protocol", { said: "malformed JSON", cause: error })
  const code = systemCode(error)
  const kind = code !== undefined && /TIMEOUT|TIMEDOUT/.test(code) ? "timeout" : "network"
  return serviceFailure(service, kind, { said: code ?? innermost(error), cause: error })
}

function systemCode(error: unknown): string | undefined {
  for (let depth = 0; depth < 5 && error instanceof Error; depth++) {
    if ("code" in error && typeof error.code === "string") return error.code
    error = error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error.cause
  }
  return undefined
}

function innermost(error: unknown): string {
  let message = String(error)
  for (let depth = 0; depth < 5 && error instanceof Error; depth++) {
    message = error.message || message
    error = error.cause
  }
  return message
}

/** A page of HTML says little; its text says something. */
const plainText = (text: string): string =>
  text
    .replace(/<(style|script)[\s\S]*?<\/\1>|<[^<>]*>/gi, " ")
    .replace(/\s+/g, " ")
    .trim()

const shortened = (text: string): string => {
  const points = [...text]
  return points.length > 500 ? `${points.slice(0, 500).join("")}…` : text
}
