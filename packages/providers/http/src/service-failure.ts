import { abortedError, ProviderError, type ProviderErrorKind } from "@orra/core"
import { findCause } from "./checked-fetch.ts"
import type { Incoming } from "./dispatch.ts"
import type { Watchdog } from "./watchdog.ts"
import { UnsupportedPart } from "./wire.ts"

/** What error messages say of a model service. */
export interface ModelService {
  /** The provider's id. */
  readonly provider: string
  /** As a person calls it within a sentence: "Anthropic", "the model service at localhost:11434". */
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
export function retryAfterMs(headers: Incoming["headers"], now: number = Date.now()): number | undefined {
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

/** What a status says by itself: for answers that are not the service's own, such as a proxy's error page. */
export function statusKind(status: number): ProviderErrorKind {
  if (status === 401 || status === 403) return "auth"
  if (status === 402) return "quota"
  if (status === 408) return "timeout"
  if (status === 413) return "context_length"
  if (status === 429) return "rate_limit"
  return status >= 500 ? "overloaded" : "invalid_request"
}

export interface FailureFacts {
  readonly status?: number | undefined
  readonly headers?: Incoming["headers"] | undefined
  /** The service's own words. */
  readonly said?: string | undefined
  /** What we saw, where the service said nothing: "malformed JSON". */
  readonly found?: string | undefined
  readonly model?: string | undefined
  readonly cause?: unknown
}

/** A failure for a person to read: who, what, what to do, and the service's own words without any key. */
export function serviceFailure(
  service: ModelService,
  kind: ProviderErrorKind,
  facts: FailureFacts = {},
): ProviderError {
  const { status, headers, said = "", cause } = facts
  const retryAfter = headers && retryAfterMs(headers)
  const words = shortened(redact(plainText(said), service.secrets))
  const message = capitalised(advice(service, kind, facts, retryAfter))
  return new ProviderError(kind, /\w/.test(words) ? `${message} It said: "${words}"` : message, {
    provider: service.provider,
    status,
    retryAfterMs: retryAfter,
    requestId: headers?.get("request-id") ?? headers?.get("x-request-id") ?? undefined,
    cause,
  })
}

function advice(
  { name, host }: ModelService,
  kind: ProviderErrorKind,
  { status, found, model }: FailureFacts,
  retryAfter: number | undefined,
): string {
  const facts = [status === undefined ? "" : `HTTP ${status}`, found ?? ""].filter(Boolean).join(", ")
  const why = facts && ` (${facts})`
  const later = retryAfter === undefined ? "in a moment" : `in ${Math.ceil(retryAfter / 1_000)} s`
  switch (kind) {
    case "auth":
      return `${name} refused the credentials${why}: check that the API key is right, active and may use this model.`
    case "rate_limit":
      return `${name} has reached its rate limit for this key${why}: try again ${later}.`
    case "overloaded":
      return `${name} is overloaded or has a problem on its side${why}: try again ${later}.`
    case "context_length":
      return `The conversation is longer than the model takes${why}: shorten it or start a new one.`
    case "model_not_found":
      return `${name} has no model "${model ?? ""}" for this key${why}: choose another model.`
    case "quota":
      return `${name} says that the account has no credit left${why}: add credit or use another key.`
    case "invalid_request":
      return status === 404
        ? `${name} has nothing at this address${why}: check the base URL; that of an OpenAI-compatible server usually ends in /v1.`
        : `${name} refused the request as it was written${why}.`
    case "timeout":
      return `${name} did not answer in time${why}: try again, or allow it more time (timeoutMs) when the model is slow to start.`
    case "protocol":
      return `${name} did not keep to its protocol${why}: try again; if it stays so, check the base URL (${host}).`
    case "network":
      return `${name} could not be reached${why}: check the network and the base URL (${host}), then try again.`
    case "aborted":
      return "The model call was stopped."
    case "not_configured":
      return `There is no API key for ${name}: set one up first.`
  }
}

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** No credentials, and a service that takes no call without. Nothing was sent. */
export const missingKey = ({ provider, name }: ModelService, variable: string): ProviderError =>
  new ProviderError("auth", `There is no API key for ${name}: pass apiKey or set ${variable}.`, { provider })

/** What kept a call from its answer, when the service itself did not say. */
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
  const refused = findCause(error, UnsupportedPart)
  if (refused) return new ProviderError("invalid_request", refused.message, { provider: service.provider })
  if (watch.idle) return serviceFailure(service, "timeout", { found: `silent for ${timeoutMs / 1_000} s` })
  const cause = error
  if (findCause(error, SyntaxError))
    return serviceFailure(service, "protocol", { found: "malformed JSON", cause })
  const found = systemCode(error) ?? redact(innermost(error), service.secrets)
  if (/TIMEOUT|TIMEDOUT/.test(found)) return serviceFailure(service, "timeout", { found, cause })
  if (!watch.touched) return serviceFailure(service, "network", { found, cause })
  const message = capitalised(
    `the connection to ${service.name} broke in the middle of the answer (${found}): try again.`,
  )
  return new ProviderError("network", message, { provider: service.provider, cause })
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
