import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import {
  type FinishReason,
  isObject,
  type ModelInfo,
  NO_USAGE,
  type ProviderErrorKind,
  type Usage,
} from "@orra/core"
import type { ScriptStep } from "./scripted-provider.ts"
import { FAMILIES, type Family } from "./wire-families.ts"
import type { WireError } from "./wire-format.ts"
import { playAnswer } from "./wire-player.ts"

/** What only a wire can do. Made by `drop`, `cut`, `raw`, `redact` and `respond`. */
export type WireStep =
  | ScriptStep
  | { readonly type: "drop" }
  | { readonly type: "cut" }
  | { readonly type: "raw"; readonly data: string | Uint8Array }
  | { readonly type: "redact"; readonly data: string }
  | {
      readonly type: "respond"
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: unknown
    }

/** An answer: text (sent word by word), a step, several steps, or a function that makes one from the request. */
export type WireAnswer =
  | string
  | WireStep
  | readonly WireStep[]
  | ((request: WireRequest) => WireAnswer | Promise<WireAnswer>)

/** The connection breaks here. */
export const drop = (): WireStep => ({ type: "drop" })

/** The body ends here, in good order but without the end the protocol asks for. */
export const cut = (): WireStep => ({ type: "cut" })

/** These bytes as they are: broken JSON, comments, frames no format writes. */
export const raw = (data: string | Uint8Array): WireStep => ({ type: "raw", data })

/** Thinking that the service does not show (Anthropic only). */
export const redact = (data: string): WireStep => ({ type: "redact", data })

/** A whole response that is not a stream. `body` is sent as JSON unless it is text. */
export const respond = (
  status: number,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown } = {},
): WireStep => ({ type: "respond", status, ...options })

/** A request as it arrived. */
export interface WireRequest {
  /** Which protocol it speaks: Anthropic Messages, OpenAI Chat Completions, OpenAI Responses. */
  readonly service: Family
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** The parsed body. */
  readonly body: Readonly<Record<string, unknown>>
  /** Resolves when the answer is over: `aborted` when the client closed the connection first. */
  readonly closed: Promise<"finished" | "aborted">
}

export interface FakeModelServerOptions {
  /** The answer to every request past the end of the script. Default: an echo of the last message. */
  readonly otherwise?: WireAnswer
  /** Pause after each word or fragment, in ms. Default 0: as fast as the client reads. */
  readonly tokenMs?: number
  /** When set, a request without exactly this key gets the service's 401. */
  readonly apiKey?: string
  readonly models?: readonly ModelInfo[]
  /** Default "\n". Servers exist that send "\r\n". */
  readonly lineEnding?: "\n" | "\r\n"
  /** Default 0: any free port. */
  readonly port?: number
}

/** A server that speaks Anthropic Messages, OpenAI Chat Completions and OpenAI Responses, on loopback. */
export interface FakeModelServer {
  /** What a Claude client takes as base URL: `http://127.0.0.1:<port>`. */
  readonly url: string
  /** What an OpenAI client takes as base URL: `url` with `/v1`. */
  readonly openaiUrl: string
  /** Model requests so far, in the order they arrived; requests for the model list are not among them. */
  readonly requests: readonly WireRequest[]
  /** Resolves with request number `n` (from 1) as soon as it has arrived. */
  request(n: number): Promise<WireRequest>
  /** Adds answers to the end of the script. */
  push(...answers: readonly WireAnswer[]): void
  /** Closes every connection. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * A model service whose answers are written down, for tests through real SDKs and sockets, and for load: it paces
 * hundreds of streams on one core. Each request takes the next answer of the script, whichever of the three formats
 * it speaks. A request the real service would refuse (a tool call without its result, an empty message) gets the
 * service's own 400.
 *
 * ```ts
 * await using server = await fakeModelServer([
 *   [think("I need the weather."), call("weather", { city: "Paris" })],
 *   "Sunny in Paris.",
 *   fail("rate_limit"),
 *   [say("Let me "), drop()],
 * ])
 * const provider = claude({ apiKey: "test", baseURL: server.url })
 * ```
 */
export async function fakeModelServer(
  script: readonly WireAnswer[] = [],
  options: FakeModelServerOptions = {},
): Promise<FakeModelServer> {
  const { otherwise = echo, tokenMs = 0, apiKey, models = MODELS, lineEnding = "\n", port = 0 } = options
  const answers = [...script]
  const requests: WireRequest[] = []
  const watchers: { readonly n: number; readonly resolve: (request: WireRequest) => void }[] = []

  async function handle(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const path = new URL(req.url ?? "/", "http://localhost").pathname
    const family: Family =
      req.headers["anthropic-version"] !== undefined
        ? "anthropic"
        : path === FAMILIES.responses.path
          ? "responses"
          : "openai"
    const wire = FAMILIES[family]
    const refuse = (kind: ProviderErrorKind, message?: string) => sendError(res, wire.error(kind, message))
    if (apiKey !== undefined && !hasKey(req, apiKey)) return refuse("auth")
    if (req.method === "GET" && path === "/v1/models") return sendModels(res, models, family === "anthropic")
    if (req.method !== "POST" || path !== wire.path) {
      return sendJson(res, 404, { error: { type: "not_found_error", message: `Not found: ${path}` } })
    }
    const body: unknown = JSON.parse(await readBody(req))
    if (!isObject(body)) return refuse("invalid_request", "The body must be a JSON object.")
    const abort = new AbortController()
    const request: WireRequest = {
      service: family,
      path,
      headers: Object.fromEntries(Object.entries(req.headers).map(([key, value]) => [key, String(value)])),
      body,
      closed: new Promise((resolve) => {
        res.once("close", () => {
          resolve(res.writableFinished ? "finished" : "aborted")
          abort.abort()
        })
      }),
    }
    const n = requests.push(request)
    for (const watcher of watchers) if (watcher.n === n) watcher.resolve(request)
    const problem = wire.problem(withoutNotes(body, request.headers["anthropic-beta"] ?? ""))
    if (problem) return refuse("invalid_request", problem)
    if (body["stream"] !== true)
      return refuse("invalid_request", "This fake only streams: set stream to true.")

    const steps = await stepsOf(answers[n - 1] ?? otherwise, request)
    const streamOptions = body["stream_options"]
    const usage = usageOf(steps, body)
    const context = {
      id: `${wire.answerPrefix}${n}`,
      model: String(body["model"]),
      usage,
      includeUsage: isObject(streamOptions) && streamOptions["include_usage"] === true,
    }
    await playAnswer(res, steps, {
      format: wire.format(context),
      error: wire.error,
      callPrefix: `${wire.callPrefix}${n}_`,
      finishReason: finishReasonOf(steps),
      usage,
      tokenMs,
      lineEnding,
      signal: abort.signal,
    })
  }

  const server = createServer((req, res) => {
    handle(req, res).catch((error: unknown) => {
      if (res.headersSent) res.destroy()
      else sendJson(res, 500, { error: { type: "api_error", message: `The fake failed: ${error}` } })
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject)
    server.listen(port, "127.0.0.1", 4096, resolve)
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })

  return {
    url,
    openaiUrl: `${url}/v1`,
    requests,
    request(n) {
      const known = requests[n - 1]
      if (known) return Promise.resolve(known)
      const { promise, resolve } = Promise.withResolvers<WireRequest>()
      watchers.push({ n, resolve })
      return promise
    },
    push(...more) {
      answers.push(...more)
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

const MODELS: readonly ModelInfo[] = [
  { id: "fake-large", name: "Fake Large" },
  { id: "fake-small", name: "Fake Small" },
]

const echo = (request: WireRequest): WireAnswer => `You said: ${lastText(request)}`

/** The text of the last user or tool message, whatever its form. */
export function lastText({ body }: WireRequest): string {
  const list = body["messages"] ?? body["input"]
  const messages: readonly unknown[] = Array.isArray(list) ? list : [{ content: list }]
  const last = messages.findLast((each) => !isObject(each) || each["role"] !== "system")
  return textOf(isObject(last) ? (last["content"] ?? last["output"]) : undefined)
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content
  if (Array.isArray(content)) return content.map(textOf).join("")
  if (!isObject(content)) return ""
  return typeof content["text"] === "string" ? content["text"] : textOf(content["content"])
}

async function stepsOf(answer: WireAnswer, request: WireRequest): Promise<readonly WireStep[]> {
  if (typeof answer === "function") return stepsOf(await answer(request), request)
  if (typeof answer === "string")
    return [{ type: "say", pieces: answer.match(/\s*\S+\s*$|\s*\S+/gu) ?? [answer] }]
  return "type" in answer ? [answer] : answer
}

/** What the script says, or about four characters of the request to a token and one token to a fragment. */
function usageOf(steps: readonly WireStep[], body: Readonly<Record<string, unknown>>): Usage {
  let usage: Usage = {
    ...NO_USAGE,
    inputTokens: Math.ceil(JSON.stringify(body["messages"] ?? body["input"]).length / 4),
  }
  let outputTokens = 0
  for (const step of steps) {
    if (step.type === "say") outputTokens += step.pieces.length
    else if (step.type === "think" || step.type === "call") outputTokens += 10
    else if (step.type === "end") usage = { ...usage, ...step.usage }
  }
  return { ...usage, outputTokens: usage.outputTokens || outputTokens }
}

function finishReasonOf(steps: readonly WireStep[]): FinishReason {
  const end = steps.findLast((step) => step.type === "end")
  return end?.finishReason ?? (steps.some((step) => step.type === "call") ? "tool_calls" : "stop")
}

/** The body without the notes of the system that stand between the messages, where the client may write some. */
const withoutNotes = (body: Record<string, unknown>, betas: string): Record<string, unknown> =>
  betas.includes("mid-conversation-system") && Array.isArray(body["messages"])
    ? { ...body, messages: body["messages"].filter((each) => !isObject(each) || each["role"] !== "system") }
    : body

const hasKey = (req: IncomingMessage, key: string): boolean =>
  req.headers["x-api-key"] === key || req.headers.authorization === `Bearer ${key}`

async function readBody(req: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of req) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString("utf8")
}

function sendJson(res: ServerResponse, status: number, body: unknown): void {
  res.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
}

const sendError = (res: ServerResponse, { status, body }: WireError): void => sendJson(res, status, body)

function sendModels(res: ServerResponse, models: readonly ModelInfo[], anthropic: boolean): void {
  if (!anthropic) {
    const data = models.map(({ id }) => ({ id, object: "model", created: 1_700_000_000, owned_by: "fake" }))
    sendJson(res, 200, { object: "list", data })
    return
  }
  const data = models.map(({ id, name }) => ({
    type: "model",
    id,
    display_name: name ?? id,
    created_at: "2026-01-01T00:00:00Z",
  }))
  sendJson(res, 200, { data, has_more: false, first_id: models[0]?.id, last_id: models.at(-1)?.id })
}
