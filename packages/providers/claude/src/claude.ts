import type Anthropic from "@anthropic-ai/sdk"
import {
  abortedError,
  isObject,
  type ModelEvent,
  type ModelInfo,
  type ModelRequest,
  type Provider,
  ProviderError,
  type RetryOptions,
  retrying,
} from "@orra/core"
import {
  checkedFetch,
  connectionFailure,
  eventBatches,
  findCause,
  HttpFailure,
  LINGER_MS,
  type ModelService,
  missingKey,
  serviceAddress,
  serviceFailure,
  type Watchdog,
  watchdog,
} from "@orra/provider-http"
import { answer } from "./answer.ts"
import { effortsOf } from "./effort.ts"
import { eventFailure, failureOf } from "./errors.ts"
import { PROVIDER_ID } from "./messages.ts"
import {
  type Cache,
  type RequestDefaults,
  type Taken,
  type Thinking,
  takenInstead,
  thinkingTokens,
  toParams,
} from "./request.ts"

export interface ClaudeOptions {
  /**
   * Default: `ANTHROPIC_API_KEY`, but only when requests go to api.anthropic.com: the key is not shown to another
   * host unless it is passed here. A token (`sk-ant-oat…`) is recognised and sent as `authToken` is.
   */
  readonly apiKey?: string | undefined
  /** An OAuth token, sent as Bearer. Wins over `apiKey`. */
  readonly authToken?: string | undefined
  /** For requests that name none. Default "claude-sonnet-5-5". */
  readonly model?: string | undefined
  /** Default "https://api.anthropic.com". `…/v1` and `…/v1/messages` are taken too. */
  readonly baseURL?: string | undefined
  /** Most tokens to write, for requests that do not say. Default 8,192. */
  readonly maxTokens?: number | undefined
  /** Default: what the model does when nothing is said. */
  readonly thinking?: Thinking | undefined
  /** Keep the prompt at the service for the next turn. Default true: five minutes. */
  readonly cache?: Cache | undefined
  readonly retry?: RetryOptions | undefined
  /** Without a byte for so long the call fails with kind `timeout`. Default 60,000; Node's own fetch waits 300,000 at most. */
  readonly timeoutMs?: number | undefined
  /** Default: the global one. */
  readonly fetch?: typeof fetch | undefined
}

const DEFAULT_URL = "https://api.anthropic.com"
const OAUTH_BETA = "oauth-2025-04-20"
/** The SDK's own timeout is out of the way: the watchdog keeps time. */
const NEVER_MS = 2_147_483_647

/**
 * Claude, through the Anthropic Messages API.
 *
 * ```ts
 * const provider = claude({ apiKey: "sk-ant-…", thinking: "adaptive" })
 * for await (const event of provider.stream({ messages: [userMessage("Hello!")], tools: [] })) {
 *   if (event.type === "text") process.stdout.write(event.text)
 * }
 * ```
 *
 * @throws InvalidInput when `baseURL` is not an http(s) address.
 */
export function claude(options: ClaudeOptions = {}): Provider {
  const { retry, timeoutMs = 60_000 } = options
  const baseURL = serviceAddress(options.baseURL ?? DEFAULT_URL, /(\/v1)?(\/messages)?$/, DEFAULT_URL)
  const official = baseURL === DEFAULT_URL
  const credentials = credentialsOf(options, official)
  const host = new URL(baseURL).host
  const service: ModelService = {
    provider: PROVIDER_ID,
    name: official ? "Anthropic" : `the model service at ${host}`,
    host,
    secrets: credentials ? [credentials.value] : [],
  }
  const defaults: RequestDefaults = {
    model: options.model ?? "claude-sonnet-5-5",
    maxTokens: options.maxTokens ?? 8_192,
    thinking: options.thinking,
    cache: options.cache ?? true,
  }

  let sdk: Promise<Anthropic> | undefined
  const client = (): Promise<Anthropic> => {
    if (!credentials && official) throw missingKey(service, "ANTHROPIC_API_KEY")
    sdk ??= load(baseURL, credentials, options.fetch)
    return sdk
  }

  async function* attempt(
    request: ModelRequest,
    caller: AbortSignal | undefined,
  ): AsyncGenerator<ModelEvent> {
    const model = request.model ?? defaults.model
    // Loading the SDK is not the service's silence.
    const api = await client()
    if (caller?.aborted) throw abortedError(PROVIDER_ID)
    using watch = watchdog(timeoutMs, caller)
    try {
      const response = await open(api, request, defaults, watch.signal)
      yield* read(response, model, watch)
    } catch (error) {
      throw failure(error, model, watch, caller)
    }
  }

  async function* read(response: Response, model: string, watch: Watchdog): AsyncGenerator<ModelEvent> {
    watch.touch()
    const type = response.headers.get("content-type") ?? ""
    if (!response.body || /html|json/.test(type)) {
      throw serviceFailure(service, "protocol", { found: `a response of type "${type}" instead of a stream` })
    }
    const current = answer(model)
    try {
      for await (const batch of eventBatches(response.body, watch)) {
        for (const { event: name, data } of batch) {
          const event: unknown = JSON.parse(data)
          if (!isObject(event)) continue
          if (name === "error" || event["type"] === "error") throw eventFailure(service, event, model)
          const said = current.take(event)
          if (said) yield said
        }
        if (current.finished) watch.touch(LINGER_MS)
      }
    } catch (error) {
      if (!current.finished || error instanceof ProviderError) throw error
    }
    watch.end()
    if (!current.finished)
      throw serviceFailure(service, "protocol", { found: "the stream ended before the answer did" })
    yield current.done()
  }

  const failure = (error: unknown, model: string, watch: Watchdog, caller: AbortSignal | undefined) => {
    const http = findCause(error, HttpFailure)
    return http && !caller?.aborted
      ? failureOf(service, http, model)
      : connectionFailure(service, error, watch, caller, timeoutMs)
  }

  return {
    id: PROVIDER_ID,
    model: defaults.model,
    stream: (request, { signal } = {}) => retrying((caller) => attempt(request, caller), { signal, retry }),
    outputLimit: (request) => (request.maxTokens ?? defaults.maxTokens) + thinkingTokens(request, defaults),
    efforts: effortsOf,
    async models({ signal } = {}): Promise<readonly ModelInfo[]> {
      using watch = watchdog(timeoutMs, signal)
      try {
        const page = await (await client()).models.list({ limit: 1_000 }, { signal: watch.signal })
        return page.data.map(({ id, display_name }) => ({ id, ...(display_name && { name: display_name }) }))
      } catch (error) {
        throw failure(error, defaults.model, watch, signal)
      }
    },
  }
}

/**
 * Sends the request, again without what the service refused of it.
 * (`messages.create` would do the same as `post`, and write a warning to the console for each call of an old model.)
 */
async function open(
  sdk: Anthropic,
  request: ModelRequest,
  defaults: RequestDefaults,
  signal: AbortSignal,
): Promise<Response> {
  let taken: Taken = {
    temperature: true,
    thinking: true,
    output: true,
    effort: request.effort !== undefined,
  }
  for (;;) {
    const body = toParams(request, defaults, taken)
    try {
      return await sdk.post("/v1/messages", { body, signal, stream: true }).asResponse()
    } catch (error) {
      const http = findCause(error, HttpFailure)
      // Each time there is less to refuse, so this ends.
      const other = http && takenInstead(taken, body, http)
      if (!other) throw error
      taken = other
    }
  }
}

type Credentials = { readonly type: "apiKey" | "authToken"; readonly value: string }

function credentialsOf({ apiKey, authToken }: ClaudeOptions, official: boolean): Credentials | undefined {
  if (authToken) return { type: "authToken", value: authToken }
  const key = apiKey ?? (official ? globalThis.process?.env["ANTHROPIC_API_KEY"] : undefined)
  if (!key) return undefined
  return { type: key.startsWith("sk-ant-oat") ? "authToken" : "apiKey", value: key }
}

/** The SDK, loaded when first needed: it weighs 20 MB. What it would do by itself is turned off. */
async function load(
  baseURL: string,
  credentials: Credentials | undefined,
  inner: typeof fetch | undefined,
): Promise<Anthropic> {
  const { default: Sdk } = await import("@anthropic-ai/sdk")
  return new Sdk({
    baseURL,
    ...authentication(credentials),
    maxRetries: 0,
    timeout: NEVER_MS,
    logLevel: "off",
    openTelemetry: false,
    fetch: checkedFetch(inner),
  })
}

/**
 * A credential is always passed, because without one the SDK searches the machine for one. It would send a key as
 * Bearer, which Anthropic takes but not every service that copies it: the header for keys is the older `x-api-key`.
 */
function authentication(credentials: Credentials | undefined) {
  if (credentials?.type === "authToken") {
    return { authToken: credentials.value, defaultHeaders: { "anthropic-beta": OAUTH_BETA } }
  }
  const key = credentials && { "x-api-key": credentials.value }
  return { apiKey: credentials?.value ?? "none", defaultHeaders: { ...key, authorization: null } }
}
