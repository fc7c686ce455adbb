import { userMessage } from "@orra/core"
import { fakeModelServer, respond } from "@orra/testing"
import { expect, test } from "vitest"
import { effortsOf } from "./effort.ts"
import { claude } from "./index.ts"

const plain = { messages: [userMessage("Hello")], tools: [], maxTokens: 100 }

test.each([
  ["claude-sonnet-5-5", 4],
  ["claude-fable-5", 4],
  ["claude-opus-4-6", 4],
  ["claude-sonnet-4-20250514", 4],
  ["claude-3-7-sonnet-20250219", 4],
  ["eu.anthropic.claude-haiku-4-5-20251001-v1:0", 4],
  ["claude-3-5-haiku-20241022", 0],
  ["claude-instant", 0],
  ["fake-large", 0],
])("%s has %i efforts", (model, count) => {
  expect(effortsOf(model)).toHaveLength(count)
})

test("an effort is told to each model in its own way, with room for the thinking, and to none that has none", async () => {
  await using server = await fakeModelServer([], { otherwise: () => "Hi" })
  const provider = claude({ apiKey: "test", baseURL: server.url, thinking: "adaptive" })
  const asked = [
    { ...plain, model: "claude-opus-4-6", effort: "high" },
    { ...plain, model: "claude-haiku-4-5", effort: "low" },
    { ...plain, model: "claude-opus-4-6", effort: "off" },
    { ...plain, model: "claude-3-5-haiku", effort: "high" },
  ] as const
  for (const request of asked) await Array.fromAsync(provider.stream(request))
  const adaptive = { type: "adaptive", display: "summarized" }
  expect(
    server.requests.map(({ body }) => [body["thinking"], body["output_config"], body["max_tokens"]]),
  ).toEqual([
    [adaptive, { effort: "high" }, 16_484],
    [{ type: "enabled", budget_tokens: 2_048 }, undefined, 2_148],
    [{ type: "disabled" }, undefined, 100],
    [adaptive, undefined, 100],
  ])
  expect(asked.map((request) => provider.outputLimit?.(request))).toEqual([16_484, 2_148, 100, 100])
})

test("what a model refuses of it is left out, and the form of the answer stays", async () => {
  const refuse = (message: string) =>
    respond(400, { body: { type: "error", error: { type: "invalid_request_error", message } } })
  await using server = await fakeModelServer([
    refuse("output_config.effort: this model does not support effort"),
    "Hi",
    refuse("thinking.type: disabled is not supported by this model"),
    "Hi",
  ])
  const provider = claude({ apiKey: "test", baseURL: server.url, retry: { maxAttempts: 1 } })
  const schema = { type: "object", additionalProperties: false, required: [], properties: {} } as const
  const output = { name: "answer", schema }
  for (const effort of ["medium", "off"] as const) {
    const events = await Array.fromAsync(provider.stream({ ...plain, effort, output }))
    expect(events.at(-1)).toMatchObject({ type: "done" })
  }
  const format = { type: "json_schema", schema }
  expect(server.requests.map(({ body }) => [body["thinking"], body["output_config"]])).toEqual([
    [
      { type: "adaptive", display: "summarized" },
      { effort: "medium", format },
    ],
    [undefined, { format }],
    [{ type: "disabled" }, { format }],
    [undefined, { format }],
  ])
})
