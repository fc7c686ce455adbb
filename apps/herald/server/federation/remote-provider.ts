import {
  isObject,
  type Message,
  type ModelEvent,
  type ModelRequest,
  type Provider,
  ProviderError,
  parseJson,
} from "@orra/core"
import { answerOf, type Reachable, reasonIn, requestPeer, unknownTo } from "./peer-request.ts"

/** Longer than any piece of an answer, in characters. */
const MAX_LINE = 8_000_000
/** The other side says something every 15 s. */
const SILENCE_MS = 60_000
const ABOUT = "herald"

/**
 * An agent of another Herald as if it were a model: what is said goes there, what it answers comes back. It works there
 * with what that Herald lets it do; with tools that are lent to it here, its calls come back as a model's do, and what
 * may be done is decided here.
 */
export function remoteProvider(peer: Reachable, agent: string): Provider {
  const failed = (kind: ConstructorParameters<typeof ProviderError>[0], message: string, cause?: unknown) =>
    new ProviderError(kind, message, { provider: ABOUT, cause })

  async function send(request: ModelRequest, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const { messages, tools, maxTokens } = request
    const body = { agent, messages: sent(messages), tools, ...(maxTokens !== undefined && { maxTokens }) }
    const response = await requestPeer(peer, "/api/federation/relay", { body, signal })
    if (response.ok && response.body) return response.body
    const reason = reasonIn(await answerOf(response))
    const why = reason === undefined ? "" : ` It says: ${reason}`
    const { status } = response
    if (status === 401 || status === 403) throw failed("auth", `${unknownTo(peer)}${why}`)
    if (status === 404)
      throw failed("model_not_found", `${peer.name} has no agent "${agent}" for others.${why}`)
    throw failed(
      status >= 500 || status === 429 ? "overloaded" : "invalid_request",
      `${peer.name} refused (${status}).${why}`,
    )
  }

  async function* stream(
    request: ModelRequest,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<ModelEvent, void> {
    const silence = new AbortController()
    let timer = setTimeout(() => silence.abort(), SILENCE_MS)
    const heard = (): void => {
      clearTimeout(timer)
      timer = setTimeout(() => silence.abort(), SILENCE_MS)
    }
    try {
      const until = AbortSignal.any([silence.signal, ...(signal ? [signal] : [])])
      for await (const line of lines(await send(request, until), heard)) {
        const event: unknown = parseJson(line)
        if (!isObject(event)) throw failed("protocol", `${peer.name} answered something that is no answer.`)
        if (event["type"] === "error")
          throw failed("invalid_request", `${peer.name}: ${String(event["error"])}`)
        // What the runtime takes from a provider it looks at itself.
        yield event as unknown as ModelEvent
        if (event["type"] === "done") return
      }
      throw failed("network", `The connection to ${peer.name} broke: try again.`)
    } catch (error) {
      if (error instanceof ProviderError) throw error
      if (signal?.aborted) throw failed("aborted", "The call was stopped.", error)
      if (silence.signal.aborted)
        throw failed("timeout", `${peer.name} has not said anything for a minute.`, error)
      throw failed("network", `${peer.name} cannot be reached at ${peer.url}: is it running?`, error)
    } finally {
      clearTimeout(timer)
    }
  }

  return { id: ABOUT, model: `${ABOUT}:${peer.name}:${agent}`, stream }
}

/** Thoughts are the model's own, and are for nobody else. */
const sent = (messages: readonly Message[]): readonly Message[] =>
  messages
    .map((message) =>
      message.role === "assistant"
        ? { role: message.role, parts: message.parts.filter(({ type }) => type !== "thinking") }
        : message,
    )
    .filter((message) => message.role !== "assistant" || message.parts.length > 0)

async function* lines(body: ReadableStream<Uint8Array>, heard: () => void): AsyncGenerator<string, void> {
  const decoder = new TextDecoder()
  let rest = ""
  for await (const bytes of body) {
    heard()
    rest += decoder.decode(bytes, { stream: true })
    const whole = rest.split("\n")
    rest = whole.pop() ?? ""
    if (rest.length > MAX_LINE) throw new Error("A line is too long.")
    yield* whole.filter((line) => line !== "")
  }
}
