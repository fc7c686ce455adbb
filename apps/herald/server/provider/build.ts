import { type Provider, ProviderError, userMessage } from "@orra/core"
import type { ProviderSettings } from "./resolve.ts"

export interface BuildOptions {
  readonly maxTokens: number
  /** Attempts at a failing call, default the provider's. */
  readonly attempts?: number
}

/** A provider for these settings. The packages are loaded here, so that a start does not wait for them. */
export async function buildProvider(settings: ProviderSettings, options: BuildOptions): Promise<Provider> {
  const { type, model, apiKey, apiUrl, openaiApi } = settings
  const common = {
    model,
    // An empty key keeps the provider from looking for one in the environment by itself.
    apiKey: apiKey ?? "",
    maxTokens: options.maxTokens,
    ...(apiUrl !== undefined && { baseURL: apiUrl }),
    ...(options.attempts !== undefined && { retry: { maxAttempts: options.attempts } }),
  }
  if (type === "openai") return (await import("@orra/openai")).openai({ ...common, api: openaiApi })
  return (await import("@orra/claude")).claude(common)
}

/** How long the service may take to say its first word in a test. */
const TEST_TIMEOUT_MS = 20_000

/**
 * Asks the model for a word and hangs up. What comes back proves address, key and model at once.
 *
 * @throws ProviderError. A service that is merely busy has accepted the key: that counts as success.
 */
export async function testProvider(provider: Provider, signal?: AbortSignal): Promise<void> {
  const stop = new AbortController()
  const timeout = AbortSignal.timeout(TEST_TIMEOUT_MS)
  const any = AbortSignal.any([stop.signal, timeout, ...(signal ? [signal] : [])])
  const request = { messages: [userMessage("Say OK.")], tools: [], maxTokens: 16 }
  try {
    for await (const event of provider.stream(request, { signal: any })) {
      if (event.type !== "retry") break
    }
  } catch (error) {
    if (timeout.aborted) {
      throw new ProviderError("timeout", "The model service did not answer within 20 seconds.", {
        provider: provider.id,
      })
    }
    const isBusy =
      error instanceof ProviderError && (error.kind === "rate_limit" || error.kind === "overloaded")
    if (!isBusy) throw error
  } finally {
    stop.abort()
  }
}

/**
 * A provider on a login that its owner renews elsewhere: when the service refuses the token before anything was
 * written, `renewed` may give a provider with a newer one, and the call is made once more.
 */
export function followingLogin(first: Provider, renewed: () => Promise<Provider | undefined>): Provider {
  let current = first
  return {
    id: first.id,
    model: first.model,
    async *stream(request, options) {
      let hasWritten = false
      try {
        for await (const event of current.stream(request, options)) {
          hasWritten ||= event.type !== "retry"
          yield event
        }
      } catch (error) {
        const isRefused = error instanceof ProviderError && error.kind === "auth" && !hasWritten
        const next = isRefused ? await renewed() : undefined
        if (!next) throw error
        current = next
        yield* next.stream(request, options)
      }
    },
    outputLimit: (request) => current.outputLimit?.(request) ?? request.maxTokens,
    efforts: (model) => current.efforts?.(model) ?? [],
    models: async (options) => (await current.models?.(options)) ?? [{ id: first.model }],
  }
}
