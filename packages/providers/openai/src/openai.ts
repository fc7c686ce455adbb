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
  chunkFailure,
  connectionFailure,
  eventBatches,
  failedPart,
  findCause,
  HttpFailure,
  type Incoming,
  LINGER_MS,
  openaiFailure,
  serviceFailure,
  type Watchdog,
  watchdog,
} from "@orra/provider-http"
import { type Answer, answer } from "./answer.ts"
import { type Connection, reach } from "./connection.ts"
import { effortsOf } from "./effort.ts"
import { type Dialect, otherDialect, toParams } from "./request.ts"
import { responsesOpener } from "./responses.ts"
import { responsesAnswer } from "./responses-answer.ts"
import type { Reasoning } from "./responses-request.ts"

export interface OpenAIOptions {
  /**
   * Default: `OPENAI_API_KEY`, but only when requests go to api.openai.com: the key is not shown to another host
   * unless it is passed here. Servers that need no key work without one.
   */
  readonly apiKey?: string | undefined
  /** For requests that name none. Default "gpt-5.4-mini". */
  readonly model?: string | undefined
  /**
   * Default "https://api.openai.com/v1". A trailing slash and the full `…/chat/completions` or `…/responses` are taken
   * too.
   */
  readonly baseURL?: string | undefined
  /**
   * Which of OpenAI's protocols is spoken. Default "chat": Chat Completions, which every compatible server knows.
   * "responses": what the model thought goes back to it, sealed, and tools can show pictures. Nothing is stored there.
   */
  readonly api?: "chat" | "responses" | undefined
  /**
   * Such as `{ effort: "high", summary: "auto" }`; Chat Completions knows no summary. Default: what the model does when
   * nothing is said.
   */
  readonly reasoning?: Reasoning | undefined
  /** Who is answering, if it is not OpenAI: stored with every message. Default "openai". */
  readonly id?: string | undefined
  /** Most tokens to write, for requests that do not say. Default: the service's own limit. */
  readonly maxTokens?: number | undefined
  readonly retry?: RetryOptions | undefined
  /** Without a byte for so long the call fails with kind `timeout`. Default 60,000. A fetch of Node's that is passed waits 300,000 at most. */
  readonly timeoutMs?: number | undefined
  /**
   * Default true. False asks for the whole answer at once, for half the work on both sides: right where nobody watches
   * it being written, and for servers that cannot stream. The silence that `timeoutMs` bounds is then the whole answer.
   */
  readonly streaming?: boolean | undefined
  /**
   * Default: the global one. In Node requests then go past it, to the dispatcher that it uses itself, which costs a fifth;
   * not so when the global fetch was replaced.
   */
  readonly fetch?: typeof fetch | undefined
}

/** A server may dislike this many things about a request before it is given up. */
const MAX_DIALECTS = 5
/** What cannot chat, among the models OpenAI lists. */
const NO_CHAT =
  /audio|realtime|transcribe|tts|whisper|image|dall-e|sora|embedding|moderation|instruct|davinci|babbage/

/**
 * OpenAI, and every server that speaks Chat Completions or Responses: Ollama, vLLM, llama.cpp, LM Studio, Groq,
 * Mistral, DeepSeek, OpenRouter and others.
 *
 * ```ts
 * const provider = openai({ baseURL: "http://localhost:11434/v1", model: "llama3.2" })
 * for await (const event of provider.stream({ messages: [userMessage("Hello!")], tools: [] })) {
 *   if (event.type === "text") process.stdout.write(event.text)
 * }
 * ```
 *
 * @throws InvalidInput when `baseURL` is not an http(s) address.
 */
export function openai(options: OpenAIOptions = {}): Provider {
  const { id = "openai", retry, timeoutMs = 60_000, streaming = true } = options
  const ending = /\/(chat\/completions|responses)$/
  const { service, hostname, official, connected } = reach({ ...options, id }, ending)
  const defaults = {
    model: options.model ?? "gpt-5.4-mini",
    maxTokens: options.maxTokens,
    streaming,
    reasoning: options.reasoning,
  }
  const dialects = new Map<string, Dialect>()
  const firstDialect: Dialect = {
    maxTokens: official || hostname.endsWith(".openai.azure.com") ? "max_completion_tokens" : "max_tokens",
    streamOptions: true,
    temperature: true,
    output: true,
    effort: true,
  }
  const responses = options.api === "responses"
  const send = responses ? responsesOpener(id, defaults) : open

  async function* attempt(
    request: ModelRequest,
    caller: AbortSignal | undefined,
  ): AsyncGenerator<readonly ModelEvent[]> {
    const model = request.model ?? defaults.model
    // Loading the SDK is not the service's silence.
    const way = await connected()
    if (caller?.aborted) throw abortedError(id)
    using watch = watchdog(timeoutMs, caller)
    try {
      const response = await send(way, request, model, watch.signal)
      yield* read(response, model, watch)
    } catch (error) {
      throw failure(error, model, watch, caller)
    }
  }

  /** Sends the request, again in another dialect when the server names a parameter it does not take. */
  async function open(
    { post }: Connection,
    request: ModelRequest,
    model: string,
    signal: AbortSignal,
  ): Promise<Incoming> {
    let dialect = dialects.get(model) ?? firstDialect
    for (let tries = 0; ; tries++) {
      try {
        const response = await post("/chat/completions", toParams(request, defaults, dialect), signal)
        dialects.set(model, dialect)
        return response
      } catch (error) {
        const http = findCause(error, HttpFailure)
        const other = http && tries < MAX_DIALECTS ? otherDialect(dialect, request, http) : undefined
        if (!other) throw error
        dialect = other
      }
    }
  }

  /** The events of each network chunk together: a generator costs more than what it hands on here. */
  async function* read(
    response: Incoming,
    model: string,
    watch: Watchdog,
  ): AsyncGenerator<readonly ModelEvent[]> {
    watch.touch()
    const current = (responses ? responsesAnswer : answer)(id, model)
    const type = response.headers.get("content-type") ?? ""
    if (!response.body || type.includes("html")) {
      throw serviceFailure(service, "protocol", { found: `a response of type "${type}" instead of a stream` })
    }
    if (!type.includes("json")) yield* readEvents(current, response.body, model, watch)
    else {
      const events = take(current, await response.text(), model)
      // Who asked for it whole gets it whole.
      if (streaming) yield events
    }
    watch.end()
    if (!current.finished)
      throw serviceFailure(service, "protocol", { found: "the stream ended before the answer did" })
    yield [current.done()]
  }

  async function* readEvents(
    current: Answer,
    body: AsyncIterable<Uint8Array>,
    model: string,
    watch: Watchdog,
  ): AsyncGenerator<readonly ModelEvent[]> {
    let marked = false
    try {
      for await (const batch of eventBatches(body, watch)) {
        const events: ModelEvent[] = []
        try {
          for (const { data } of batch) {
            if (data === "[DONE]") marked = true
            else events.push(...take(current, data, model))
            if (current.whole) marked = true
          }
        } finally {
          // Also of a chunk that goes wrong in its middle: what came before is part of the answer.
          yield events
        }
        if (marked) watch.touch(LINGER_MS)
      }
    } catch (error) {
      if (!marked || error instanceof ProviderError) throw error
    }
  }

  function take(current: Answer, data: string, model: string): readonly ModelEvent[] {
    const chunk: unknown = JSON.parse(data)
    if (!isObject(chunk)) return []
    const failed = failedPart(chunk)
    if (failed !== undefined) throw chunkFailure(service, failed, model)
    return current.take(chunk)
  }

  const failure = (error: unknown, model: string, watch: Watchdog, caller: AbortSignal | undefined) => {
    const http = findCause(error, HttpFailure)
    return http && !caller?.aborted
      ? openaiFailure(service, http, model)
      : connectionFailure(service, error, watch, caller, timeoutMs)
  }

  return {
    id,
    model: defaults.model,
    stream: (request, { signal } = {}) => retrying((caller) => attempt(request, caller), { signal, retry }),
    outputLimit: ({ maxTokens }) => maxTokens ?? defaults.maxTokens,
    efforts: effortsOf,
    async models({ signal } = {}): Promise<readonly ModelInfo[]> {
      using watch = watchdog(timeoutMs, signal)
      try {
        const { sdk } = await connected()
        const { data } = await sdk.models.list({ signal: watch.signal })
        const ids = data.map((model) => model.id)
        return ids.filter((name) => !official || !NO_CHAT.test(name)).map((name) => ({ id: name }))
      } catch (error) {
        throw failure(error, defaults.model, watch, signal)
      }
    },
  }
}
