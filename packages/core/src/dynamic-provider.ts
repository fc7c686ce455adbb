import {
  type Effort,
  type ModelEvent,
  type ModelInfo,
  type ModelRequest,
  type Provider,
  ProviderError,
} from "./provider.ts"

/**
 * A provider that can be exchanged while the runtime lives. A call in progress ends with the one it began with.
 * Until one is set, calls fail with kind `not_configured`.
 */
export class DynamicProvider implements Provider {
  #current: Provider | undefined

  constructor(provider?: Provider) {
    this.#current = provider
  }

  get id(): string {
    return this.#current?.id ?? "none"
  }

  get model(): string {
    return this.#current?.model ?? ""
  }

  get isConfigured(): boolean {
    return this.#current !== undefined
  }

  /** Sets the provider for all calls from now on; undefined takes it away. */
  swap(provider: Provider | undefined): void {
    this.#current = provider
  }

  stream(request: ModelRequest, options?: { readonly signal?: AbortSignal }): AsyncIterable<ModelEvent> {
    return this.#required().stream(request, options)
  }

  outputLimit(request: ModelRequest): number | undefined {
    return this.#current?.outputLimit?.(request) ?? request.maxTokens
  }

  efforts(model: string): readonly Effort[] {
    return this.#current?.efforts?.(model) ?? []
  }

  async models(options?: { readonly signal?: AbortSignal }): Promise<readonly ModelInfo[]> {
    const provider = this.#required()
    return (await provider.models?.(options)) ?? [{ id: provider.model }]
  }

  #required(): Provider {
    if (this.#current) return this.#current
    throw new ProviderError(
      "not_configured",
      "No model provider is configured yet: add an API key in the settings.",
      {
        provider: "none",
      },
    )
  }
}
