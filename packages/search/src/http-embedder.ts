import { InvalidInput, isObject, type RetryOptions, retrying } from "@orra/core"
import {
  connectionFailure,
  findCause,
  HttpFailure,
  type ModelService,
  openaiFailure,
  sender,
  serviceAddress,
  serviceFailure,
  watchdog,
} from "@orra/provider-http"
import { batches } from "./batches.ts"
import type { Embedder, EmbedOptions } from "./embedder.ts"
import { EmbeddingError } from "./errors.ts"

export interface EmbedderOptions {
  /** The base URL, which usually ends in /v1. Default OpenAI's. */
  readonly url?: string
  readonly model: string
  /** What vectors are known by: another id, and all is embedded anew. Default the host, the model and `dimensions`. */
  readonly id?: string
  /** None for servers without keys. */
  readonly apiKey?: string | undefined
  /** How many numbers a vector has: asked of the service, and checked. Default what the model gives. */
  readonly dimensions?: number | undefined
  /** What a model wants before a text to be found, and before a question, such as "passage: " and "query: ". */
  readonly prefix?: { readonly document: string; readonly query: string } | undefined
  /** Most texts in one request. Default 96. */
  readonly batch?: number
  /** How long the service may be silent, in ms. Default 60,000. */
  readonly timeoutMs?: number
  readonly retry?: RetryOptions | undefined
  /** In the place of the platform's. */
  readonly fetch?: typeof fetch | undefined
}

const OPENAI = "https://api.openai.com/v1"
/** Characters in one request: services count tokens, of which there are fewer. */
const MAX_CHARACTERS = 250_000

/**
 * Embeddings of any service with OpenAI's `/embeddings`: OpenAI, Ollama, vLLM, LM Studio, llama.cpp, Mistral.
 *
 * ```ts
 * const local = embedder({ url: "http://localhost:11434/v1", model: "nomic-embed-text" })
 * const [vector] = await local.embed(["The cat sat on the mat."])
 * ```
 *
 * @throws InvalidInput for a `url` that is none. `embed` throws ProviderError (`provider_network`, `provider_auth`, ...)
 *   after what can be tried again was, and EmbeddingError for vectors of another length than `dimensions`.
 */
export function embedder(options: EmbedderOptions): Embedder {
  const { model, prefix, dimensions, batch = 96, timeoutMs = 60_000, retry, apiKey } = options
  if (!Number.isInteger(batch) || batch < 1) throw new InvalidInput("A batch has at least one text.")
  const base = serviceAddress(options.url ?? OPENAI, /\/embeddings$/, OPENAI)
  const { host } = new URL(base)
  const service: ModelService = {
    provider: "embeddings",
    name: `the embedding service at ${host}`,
    host,
    secrets: apiKey === undefined ? [] : [apiKey],
  }
  const send = sender(options.fetch)
  const headers = {
    "content-type": "application/json",
    ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
  }

  async function request(input: readonly string[], caller: AbortSignal | undefined): Promise<unknown> {
    using watch = watchdog(timeoutMs, caller)
    try {
      const body = JSON.stringify({ model, input, ...(dimensions !== undefined && { dimensions }) })
      const response = await send(`${base}/embeddings`, {
        method: "POST",
        headers,
        body,
        signal: watch.signal,
      })
      watch.touch()
      const answer: unknown = JSON.parse(await response.text())
      watch.end()
      return answer
    } catch (error) {
      const refused = findCause(error, HttpFailure)
      if (refused) throw openaiFailure(service, refused, model)
      throw connectionFailure(service, error, watch, caller, timeoutMs)
    }
  }

  async function vectorsOf(
    input: readonly string[],
    signal: AbortSignal | undefined,
    onUsage: EmbedOptions["onUsage"],
  ): Promise<readonly Float32Array[]> {
    let answer: unknown
    // A model call that writes nothing: it is tried again by the same rules.
    const attempts = retrying(
      // biome-ignore lint/correctness/useYield: there is nothing to tell before it is over
      async function* () {
        answer = await request(input, signal)
      },
      { signal, retry },
    )
    for await (const _ of attempts);
    const usage = isObject(answer) ? answer["usage"] : undefined
    const tokens = isObject(usage) ? usage["total_tokens"] : undefined
    if (typeof tokens === "number" && tokens >= 0) onUsage?.(tokens)
    return parsed(answer, input.length, service, dimensions)
  }

  return {
    id: options.id ?? `${host} ${model}${dimensions === undefined ? "" : ` ${dimensions}`}`,
    async embed(texts, { purpose = "document", signal, onUsage }: EmbedOptions = {}) {
      const before = prefix?.[purpose] ?? ""
      const vectors: Float32Array[] = []
      // In requests that are neither too many texts nor too long.
      const whole = texts.map((text) => before + text)
      const limits = { items: batch, size: MAX_CHARACTERS }
      for (const part of batches(whole, (text) => text.length, limits))
        vectors.push(...(await vectorsOf(part, signal, onUsage)))
      return vectors
    },
  }
}

function parsed(
  answer: unknown,
  count: number,
  service: ModelService,
  dimensions: number | undefined,
): readonly Float32Array[] {
  const items = isObject(answer) && Array.isArray(answer["data"]) ? answer["data"] : []
  const byPlace = new Map<unknown, Float32Array>()
  for (const [place, item] of items.entries()) {
    if (!isObject(item) || !isNumbers(item["embedding"])) continue
    const vector = Float32Array.from(item["embedding"])
    if (dimensions !== undefined && vector.length !== dimensions) {
      throw new EmbeddingError(
        "embedding_dimension",
        `${service.name} gave vectors of ${vector.length} numbers, not ${dimensions}: correct "dimensions" or choose another model.`,
        { expected: dimensions, actual: vector.length },
      )
    }
    byPlace.set(item["index"] ?? place, vector)
  }
  const vectors = Array.from({ length: count }, (_, place) => byPlace.get(place) ?? [])
  if (vectors.every((vector) => vector instanceof Float32Array)) return vectors
  throw serviceFailure(service, "protocol", { found: "not one vector for each text" })
}

const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.length > 0 && value.every((number) => typeof number === "number")
