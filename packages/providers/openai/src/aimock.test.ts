// A fake service written by others must understand us as well as our own does.

import { LLMock } from "@copilotkit/aimock"
import { type Message, userMessage } from "@orra/core"
import { expect, onTestFinished, test } from "vitest"
import { openai } from "./index.ts"

test.each(["chat", "responses"] as const)("thinking, a call, its result, the answer: %s", async (api) => {
  const mock = new LLMock({ port: 0, chunkSize: 3 })
  onTestFinished(() => mock.stop())
  mock.onMessage("coat?", {
    reasoning: "I need the weather.",
    toolCalls: [{ id: "call_1", name: "weather", arguments: '{"city":"Kraków"}' }],
  })
  mock.prependFixture({ match: { toolCallId: "call_1" }, response: { content: "Weź płaszcz 🧥" } })
  await mock.start()
  const provider = openai({ api, apiKey: "test", baseURL: `${mock.url}/v1` })

  const answerTo = async (messages: readonly Message[]) => {
    for await (const event of provider.stream({ messages, tools: [] })) {
      if (event.type === "done") return event.message
    }
    throw new Error("The stream ended without done.")
  }

  const question = userMessage("coat?")
  const asked = await answerTo([question])
  expect(asked.parts).toMatchObject([
    { type: "thinking", text: "I need the weather." },
    { type: "tool_call", id: "call_1", name: "weather", arguments: { city: "Kraków" } },
  ])
  // The sealed form is asked for, and then it is there.
  expect(JSON.stringify(asked.parts).includes("signature")).toBe(api === "responses")
  const content = [{ type: "text", text: "Snow" }] as const
  const result = { type: "tool_result", callId: "call_1", name: "weather", status: "ok", content } as const
  const answer = await answerTo([question, asked, { role: "tool", parts: [result] }])
  expect(answer.parts.at(-1)).toEqual({ type: "text", text: "Weź płaszcz 🧥" })
})
