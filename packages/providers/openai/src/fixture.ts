import { type ModelEvent, type ModelRequest, type Provider, userMessage } from "@orra/core"
import { fakeModelServer, respond, type WireAnswer } from "@orra/testing"
import { onTestFinished } from "vitest"
import { type OpenAIOptions, openai } from "./index.ts"

/** A request with one message. */
export const ask = (extra: Partial<ModelRequest> = {}): ModelRequest => ({
  messages: [userMessage("Hello")],
  tools: [],
  ...extra,
})

/** A fake service with this script, and the provider pointed at it. */
export async function setup(script: readonly WireAnswer[] = [], options: OpenAIOptions = {}) {
  const server = await fakeModelServer(script)
  onTestFinished(() => server.close())
  const settings = { model: "m", baseURL: server.openaiUrl, retry: { maxAttempts: 1 }, ...options }
  return { server, provider: openai(settings) }
}

/** The same, which speaks Responses. */
export const setupResponses = (script: readonly WireAnswer[] = [], options: OpenAIOptions = {}) =>
  setup(script, { api: "responses", ...options })

export async function collect(provider: Provider, request = ask()): Promise<readonly ModelEvent[]> {
  const events: ModelEvent[] = []
  for await (const event of provider.stream(request)) events.push(event)
  return events
}

export function doneOf(events: readonly ModelEvent[]) {
  const done = events.at(-1)
  if (done?.type !== "done") throw new Error("The stream ended without done.")
  return done
}

/** A stream of exactly these chunks; an object is written as JSON. */
export const stream = (...chunks: readonly (object | string)[]): WireAnswer =>
  respond(200, {
    headers: { "content-type": "text/event-stream" },
    body: chunks
      .map((chunk) => `data: ${typeof chunk === "string" ? chunk : JSON.stringify(chunk)}\n\n`)
      .join(""),
  })

/** Events of Responses: an item of the answer, and its end. */
export const item = (step: "added" | "done", output_index: number, value: object) => ({
  type: `response.output_item.${step}`,
  output_index,
  item: value,
})
export const completed = (extra: object = {}) => ({
  type: "response.completed",
  response: { object: "response", status: "completed", output: [], ...extra },
})
