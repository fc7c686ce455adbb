import { type ModelEvent, type ModelRequest, type Provider, userMessage } from "@orra/core"
import { call, end, fakeModelServer, say, think } from "@orra/testing"
import { expect, onTestFinished, test } from "vitest"
import { type OpenAIOptions, openai } from "./index.ts"

const ask = (extra: Partial<ModelRequest> = {}): ModelRequest => ({
  messages: [userMessage("Hello")],
  tools: [],
  ...extra,
})

/** A fake service with this script, and the provider pointed at it. */
async function setup(
  script: Parameters<typeof fakeModelServer>[0],
  options: OpenAIOptions = {},
  serverOptions: Parameters<typeof fakeModelServer>[1] = {},
) {
  const server = await fakeModelServer(script, serverOptions)
  onTestFinished(() => server.close())
  return {
    server,
    provider: openai({ apiKey: "sk-test-key", model: "m", baseURL: server.openaiUrl, ...options }),
  }
}

async function collect(provider: Provider, request = ask()): Promise<ModelEvent[]> {
  const events: ModelEvent[] = []
  for await (const event of provider.stream(request)) events.push(event)
  return events
}

test("text, thinking, parallel calls, usage", async () => {
  const { provider } = await setup([
    [
      think("Two cities."),
      say("Let me ", "look."),
      call("weather", { city: "Paris" }, "call_1"),
      call("weather", { city: "Kraków" }, "call_2"),
      end({ usage: { inputTokens: 100, outputTokens: 20, cacheReadTokens: 60 } }),
    ],
  ])
  const events = await collect(provider)
  expect(events.at(-1)).toEqual({
    type: "done",
    message: {
      role: "assistant",
      provider: "openai",
      model: "m",
      parts: [
        { type: "thinking", text: "Two cities.", provider: "openai" },
        { type: "text", text: "Let me look." },
        { type: "tool_call", id: "call_1", name: "weather", arguments: { city: "Paris" } },
        { type: "tool_call", id: "call_2", name: "weather", arguments: { city: "Kraków" } },
      ],
    },
    finishReason: "tool_calls",
    usage: { inputTokens: 100, outputTokens: 20, cacheReadTokens: 60, cacheWriteTokens: 0 },
  })
})
