import { type ModelEvent, type ModelRequest, type Provider, userMessage } from "@orra/core"
import { call, end, fakeModelServer, redact, say, think } from "@orra/testing"
import { expect, onTestFinished, test } from "vitest"
import { type ClaudeOptions, claude } from "./index.ts"

const ask = (extra: Partial<ModelRequest> = {}): ModelRequest => ({
  messages: [userMessage("Hello")],
  tools: [],
  ...extra,
})

/** A fake service with this script, and Claude pointed at it. */
async function setup(
  script: Parameters<typeof fakeModelServer>[0],
  options: ClaudeOptions = {},
  serverOptions: Parameters<typeof fakeModelServer>[1] = {},
) {
  const server = await fakeModelServer(script, serverOptions)
  onTestFinished(() => server.close())
  return { server, provider: claude({ apiKey: "sk-ant-test-key", baseURL: server.url, ...options }) }
}

async function collect(provider: Provider, request = ask(), signal?: AbortSignal): Promise<ModelEvent[]> {
  const events: ModelEvent[] = []
  for await (const event of provider.stream(request, signal && { signal })) events.push(event)
  return events
}

const textOf = (events: readonly ModelEvent[]) =>
  events.map((event) => (event.type === "text" ? event.text : "")).join("")

test("text, thinking with its signature, parallel calls, usage", async () => {
  const { provider } = await setup([
    [
      think("Two cities.", "signed"),
      redact("opaque"),
      say("Let me ", "look."),
      call("weather", { city: "Paris" }, "toolu_1"),
      call("weather", { city: "Kraków" }, "toolu_2"),
      end({ usage: { inputTokens: 100, outputTokens: 20, cacheReadTokens: 60, cacheWriteTokens: 30 } }),
    ],
  ])
  const events = await collect(provider)
  expect(textOf(events)).toBe("Let me look.")
  expect(events.filter(({ type }) => type === "tool_call").slice(0, 2)).toEqual([
    { type: "tool_call", id: "toolu_1", name: "weather" },
    { type: "tool_call", id: "toolu_1", text: '{"city":"Par' },
  ])
  expect(events.at(-1)).toEqual({
    type: "done",
    message: {
      role: "assistant",
      provider: "anthropic",
      model: "claude-sonnet-5-5",
      parts: [
        { type: "thinking", text: "Two cities.", provider: "anthropic", signature: "signed" },
        { type: "thinking", text: "", provider: "anthropic", data: "opaque" },
        { type: "text", text: "Let me look." },
        { type: "tool_call", id: "toolu_1", name: "weather", arguments: { city: "Paris" } },
        { type: "tool_call", id: "toolu_2", name: "weather", arguments: { city: "Kraków" } },
      ],
    },
    finishReason: "tool_calls",
    usage: { inputTokens: 100, outputTokens: 20, cacheReadTokens: 60, cacheWriteTokens: 30 },
  })
})
