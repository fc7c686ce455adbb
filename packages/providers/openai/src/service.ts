import { abortedError, OrraError } from "@orra/core"
import {
  connectionFailure,
  errorParts,
  findCause,
  HttpFailure,
  openaiFailure,
  type Watchdog,
  watchdog,
} from "@orra/provider-http"
import type OpenAI from "openai"
import { reach } from "./connection.ts"

/** How a service is reached that speaks OpenAI's protocol for something else than chat. */
export interface OpenAIServiceOptions {
  /**
   * Default: `OPENAI_API_KEY`, but only when requests go to api.openai.com. Servers that need no key work without one.
   */
  readonly apiKey?: string | undefined
  /** Default "https://api.openai.com/v1". */
  readonly baseURL?: string | undefined
  /** Who it is in errors. Default "openai". */
  readonly id?: string | undefined
  /** Without a byte for so long a call fails with kind `timeout`. Default 180,000. */
  readonly timeoutMs?: number | undefined
  /** Default: the global one. */
  readonly fetch?: typeof fetch | undefined
}

/** What a call works with. */
export interface ServiceCall {
  readonly sdk: OpenAI
  /** For the SDK's options. */
  readonly signal: AbortSignal
  /** Keeps time: it is to be told of what arrives where that comes piece by piece. */
  readonly watch: Watchdog
}

/** The SDK, set up like that of `openai()`: no retries, no logs, the key for its own host, errors for people. */
export interface OpenAIService {
  /** Who it is in errors, and whether it is OpenAI itself. */
  readonly id: string
  readonly official: boolean
  readonly timeoutMs: number
  /**
   * Does something with the SDK. `refusal` may make an error of a refusal's code; otherwise it is a ProviderError.
   *
   * @throws ProviderError, of kind `aborted` when `signal` fires; any OrraError that `work` throws.
   */
  call<T>(
    model: string,
    signal: AbortSignal | undefined,
    work: (call: ServiceCall) => Promise<T>,
    refusal?: (code: string) => Error | undefined,
  ): Promise<T>
  /** The same for what comes piece by piece. */
  stream<T>(
    model: string,
    signal: AbortSignal | undefined,
    work: (call: ServiceCall) => AsyncIterable<T>,
  ): AsyncGenerator<T, void>
}

/**
 * For those who write a package on another part of OpenAI's interface: images, speech.
 *
 * ```ts
 * const service = openaiService({ baseURL: "http://localhost:8080/v1" })
 * const list = await service.call("", signal, ({ sdk, signal }) => sdk.models.list({ signal }))
 * ```
 *
 * @throws InvalidInput when `baseURL` is not an http(s) address.
 */
export function openaiService(options: OpenAIServiceOptions = {}): OpenAIService {
  const { id = "openai", timeoutMs = 180_000 } = options
  const { service, official, connected } = reach({ ...options, id }, /\/(images|audio)\/[a-z]+$/)
  const sdkFor = async (caller: AbortSignal | undefined): Promise<OpenAI> => {
    const { sdk } = await connected()
    if (caller?.aborted) throw abortedError(id)
    return sdk
  }
  const failure = (
    error: unknown,
    model: string,
    watch: Watchdog,
    caller: AbortSignal | undefined,
  ): Error => {
    if (caller?.aborted) return abortedError(id)
    // What the work itself has found fault with.
    if (error instanceof OrraError) return error
    const http = findCause(error, HttpFailure)
    return http
      ? openaiFailure(service, http, model)
      : connectionFailure(service, error, watch, caller, timeoutMs)
  }
  const callOf = (sdk: OpenAI, watch: Watchdog): ServiceCall => ({ sdk, signal: watch.signal, watch })
  return {
    id,
    official,
    timeoutMs,
    async call(model, caller, work, refusal) {
      const sdk = await sdkFor(caller)
      using watch = watchdog(timeoutMs, caller)
      try {
        const done = await work(callOf(sdk, watch))
        watch.end()
        return done
      } catch (error) {
        const http = findCause(error, HttpFailure)
        const known = http && refusal?.(errorParts(http.body).code)
        throw known ?? failure(error, model, watch, caller)
      }
    },
    async *stream(model, caller, work) {
      const sdk = await sdkFor(caller)
      using watch = watchdog(timeoutMs, caller)
      try {
        for await (const piece of work(callOf(sdk, watch))) {
          // Whoever takes the pieces may take their time.
          watch.hold()
          yield piece
          watch.resume()
          watch.touch()
        }
        watch.end()
      } catch (error) {
        throw failure(error, model, watch, caller)
      }
    },
  }
}
