import {
  type AssistantMessage,
  type FinishReason,
  type ModelEvent,
  type ModelRequest,
  type Provider,
  ProviderError,
  type RetryOptions,
  type Usage,
  userMessage,
} from "@orra/core"
import { expect, onTestFinished } from "vitest"
import {
  type FakeModelServer,
  type FakeModelServerOptions,
  fakeModelServer,
  type WireAnswer,
} from "../wire-server.ts"

export interface ProviderSettings {
  readonly apiKey: string
  readonly retry: RetryOptions
  readonly timeoutMs: number
  readonly fetch: typeof fetch
}

/** Makes a provider that talks to the fake service with these settings. */
export type MakeProvider = (server: FakeModelServer, settings: ProviderSettings) => Provider

export const API_KEY = "sk-ant-secret-0123456789"

/** Fails once and for all: most tests are about the first failure. */
export const ONCE: RetryOptions = { maxAttempts: 1 }
export const AT_ONCE: RetryOptions = { baseDelayMs: 1 }

/** A fake service with this script and a provider for it, both gone when the test is over. */
export async function setup(
  make: MakeProvider,
  script: readonly WireAnswer[],
  settings: Partial<ProviderSettings> = {},
  serverOptions: FakeModelServerOptions = {},
): Promise<{ readonly server: FakeModelServer; readonly provider: Provider }> {
  const server = await fakeModelServer(script, serverOptions)
  onTestFinished(() => server.close())
  const all = { apiKey: API_KEY, retry: ONCE, timeoutMs: 60_000, fetch: globalThis.fetch, ...settings }
  return { server, provider: make(server, all) }
}

export const ask = (extra: Partial<ModelRequest> = {}): ModelRequest => ({
  messages: [userMessage("Hello")],
  tools: [],
  ...extra,
})

export interface Outcome {
  readonly events: readonly ModelEvent[]
  readonly text: string
  readonly thinking: string
  readonly done: {
    readonly message: AssistantMessage
    readonly finishReason: FinishReason
    readonly usage: Usage
  }
}

/** The whole answer. Checks what holds for every stream: `done` comes last, exactly once. */
export async function complete(provider: Provider, request = ask()): Promise<Outcome> {
  const events: ModelEvent[] = []
  for await (const event of provider.stream(request)) events.push(event)
  const done = events.at(-1)
  expect(events.filter(({ type }) => type === "done")).toHaveLength(1)
  if (done?.type !== "done") throw new Error("The stream ended without done.")
  const joined = (type: "text" | "thinking") =>
    events.map((event) => (event.type === type ? event.text : "")).join("")
  return { events, done, text: joined("text"), thinking: joined("thinking") }
}

/** The failure of a call, and what was said before it. */
export async function failed(
  provider: Provider,
  request = ask(),
  signal?: AbortSignal,
): Promise<{ readonly error: ProviderError; readonly events: readonly ModelEvent[] }> {
  const events: ModelEvent[] = []
  try {
    for await (const event of provider.stream(request, signal && { signal })) events.push(event)
  } catch (error) {
    expect(error).toBeInstanceOf(ProviderError)
    if (error instanceof ProviderError) return { error, events }
  }
  throw new Error("The call did not fail.")
}

/** A `fetch` whose responses arrive one byte at a time, so that everything is split where it can be. */
export const bytewiseFetch: typeof fetch = async (input, init) => {
  const response = await fetch(input, init)
  const split = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      for (let at = 0; at < chunk.length; at++) controller.enqueue(chunk.subarray(at, at + 1))
    },
  })
  return new Response(response.body?.pipeThrough(split), {
    status: response.status,
    headers: response.headers,
  })
}
