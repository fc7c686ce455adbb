import { respond } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { effortsOf } from "./effort.ts"
import { ask, collect, doneOf, setup, setupResponses } from "./fixture.ts"

test.each([
  ["gpt-5.4-mini", 4],
  ["openai/gpt-6", 4],
  ["gpt-5-mini", 3],
  ["o4-mini", 3],
  ["openai/gpt-oss-120b", 3],
  ["google/gemini-3-flash", 3],
  ["gpt-5.2-chat-latest", 0],
  ["gpt-5.2-pro", 0],
  ["gpt-4.1", 0],
  // As Azure calls 3.5.
  ["gpt-35-turbo", 0],
  ["llama3.2", 0],
])("%s has %i efforts", (model, count) => {
  expect(effortsOf(model)).toHaveLength(count)
})

const WAYS = [
  ["Chat Completions", setup, "reasoning_effort", (effort: string) => effort],
  ["Responses", setupResponses, "reasoning", (effort: string) => ({ effort })],
] as const

describe.each(WAYS)("over %s", (_, open, member, sent) => {
  test("an effort goes to a model that has it, in place of the one that was configured", async () => {
    const { server, provider } = await open([], { reasoning: { effort: "minimal" } })
    for (const [model, effort] of [
      ["gpt-5.4", "high"],
      ["gpt-5.4", "off"],
      ["gpt-5", "off"],
      ["gpt-4.1", "high"],
    ] as const)
      await collect(provider, ask({ model, effort }))
    expect(server.requests.map(({ body }) => body[member])).toEqual(
      ["high", "none", "minimal", "minimal"].map((effort) => sent(effort)),
    )
  })

  test("is left out where a server refuses it, for this model from then on", async () => {
    const param = member === "reasoning" ? "reasoning.effort" : member
    const refusal = respond(400, { body: { error: { message: "Unsupported parameter.", param } } })
    const { server, provider } = await open([refusal, "Hi", "Ho"])
    for (let count = 0; count < 2; count++)
      doneOf(await collect(provider, ask({ model: "gpt-5.4", effort: "low" })))
    expect(server.requests.map(({ body }) => member in body)).toEqual([true, false, false])
  })
})
