import { userMessage } from "@orra/core"
import { fakeModelServer, respond } from "@orra/testing"
import { expect, test } from "vitest"
import { claude } from "./index.ts"

const schema = {
  type: "object",
  additionalProperties: false,
  required: ["a"],
  properties: { a: { type: "string" } },
} as const

test("the form of an answer is sent where a request has one, and left out where a model refuses it", async () => {
  const refusal = respond(400, {
    body: {
      type: "error",
      error: { type: "invalid_request_error", message: "output_config is not supported" },
    },
  })
  await using server = await fakeModelServer(['{"a":"b"}', refusal, '{"a":"b"}', "Hi"])
  const provider = claude({ apiKey: "test", baseURL: server.url, retry: { maxAttempts: 1 } })
  const plain = { messages: [userMessage("Hello")], tools: [] }
  const request = { ...plain, output: { name: "answer", schema } }
  for (const asked of [request, request, plain]) {
    const events = await Array.fromAsync(provider.stream(asked))
    expect(events.at(-1)).toMatchObject({ type: "done", finishReason: "stop" })
  }
  expect(server.requests.map(({ body }) => body["output_config"])).toEqual([
    { format: { type: "json_schema", schema } },
    { format: { type: "json_schema", schema } },
    undefined,
    undefined,
  ])
})
