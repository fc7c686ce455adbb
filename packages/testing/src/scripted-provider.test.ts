import { type ModelEvent, type ModelRequest, type Provider, ProviderError, userMessage } from "@orra/core"
import { expect, test } from "vitest"
import { call, end, fail, hang, retry, say, scriptedProvider, think, wait } from "./scripted-provider.ts"

const request: ModelRequest = { messages: [userMessage("Hello")], tools: [] }

async function answer(provider: Provider, asked = request, signal?: AbortSignal): Promise<ModelEvent[]> {
  const events: ModelEvent[] = []
  for await (const event of provider.stream(asked, signal && { signal })) events.push(event)
  return events
}

test("answers in the order of the script, text and steps", async () => {
  const provider = scriptedProvider(["One.", [think("hm"), say("T", "wo"), call("add", { a: 1 })]])
  expect(await answer(provider)).toEqual([
    { type: "text", text: "One." },
    {
      type: "done",
      message: {
        role: "assistant",
        parts: [{ type: "text", text: "One." }],
        provider: "scripted",
        model: "scripted-1",
      },
      finishReason: "stop",
      usage: { inputTokens: 10, outputTokens: 5, cacheReadTokens: 0, cacheWriteTokens: 0 },
    },
  ])
  const second = await answer(provider)
  expect(second.map((event) => event.type)).toEqual([
    "thinking",
    "text",
    "text",
    "tool_call",
    "tool_call",
    "done",
  ])
  expect(second.at(-1)).toMatchObject({
    finishReason: "tool_calls",
    message: {
      parts: [
        { type: "thinking", text: "hm", provider: "scripted", signature: "scripted" },
        { type: "text", text: "Two" },
        { type: "tool_call", id: "call_1", name: "add", arguments: { a: 1 } },
      ],
    },
  })
  expect(provider.requests).toEqual([request, request])
})

test("arguments that are not a JSON object make an invalid call", async () => {
  const events = await answer(scriptedProvider([[call("add", '{"a":', "x")]]))
  expect(events.at(-1)).toMatchObject({
    message: { parts: [{ type: "tool_call", id: "x", arguments: {}, invalid: '{"a":' }] },
  })
})

test("fails by kind, or with exactly the error given", async () => {
  const own = new Error("own")
  const provider = scriptedProvider([fail("overloaded"), [say("a"), fail(own)]])
  await expect(answer(provider)).rejects.toMatchObject({ code: "provider_overloaded", retryable: true })
  await expect(answer(provider)).rejects.toBe(own)
})

test("tells of a retry and ends as told", async () => {
  const events = await answer(
    scriptedProvider([
      [retry("rate_limit", 5), end({ finishReason: "max_tokens", usage: { outputTokens: 7 } })],
    ]),
  )
  expect(events).toMatchObject([
    { type: "retry", attempt: 1, delayMs: 5, error: { kind: "rate_limit" } },
    { type: "done", finishReason: "max_tokens", usage: { inputTokens: 10, outputTokens: 7 } },
  ])
})

test("waits for a promise", async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const provider = scriptedProvider([[wait(promise), say("now")]])
  const events = answer(provider)
  await provider.request(1)
  resolve()
  expect((await events)[0]).toEqual({ type: "text", text: "now" })
})

test("an abort ends a hanging answer with kind aborted", async () => {
  const provider = scriptedProvider([[say("a"), hang()]])
  const stop = new AbortController()
  const events = answer(provider, request, stop.signal)
  await provider.request(1)
  stop.abort()
  await expect(events).rejects.toSatisfy(
    (error) => error instanceof ProviderError && error.kind === "aborted",
  )
  expect(provider.aborted).toBe(1)
})

test("an aborted signal stops it before anything is said", async () => {
  await expect(answer(scriptedProvider(["a"]), request, AbortSignal.abort())).rejects.toMatchObject({
    kind: "aborted",
  })
})

test("a function answers from the request; `otherwise` and `push` answer past the end", async () => {
  const provider = scriptedProvider([({ messages }) => `${messages.length}`], { otherwise: "else" })
  provider.push("pushed")
  const texts = []
  for (let n = 0; n < 4; n++) texts.push((await answer(provider))[0])
  expect(texts).toEqual(["1", "pushed", "else", "else"].map((text) => ({ type: "text", text })))
})

test("past the end of the script a request fails clearly", async () => {
  const provider = scriptedProvider(["a"])
  await answer(provider)
  await expect(answer(provider)).rejects.toThrow("The script has 1 answers and this is request 2.")
})

test("refuses what a real service would refuse", async () => {
  const asks = {
    role: "assistant",
    parts: [{ type: "tool_call", id: "1", name: "a", arguments: {} }],
  } as const
  const answers = {
    role: "tool",
    parts: [{ type: "tool_result", callId: "1", name: "a", status: "ok", content: [] }],
  } as const
  const hello = userMessage("Hello")
  const provider = scriptedProvider([], { otherwise: "fine" })
  const refused = [
    [],
    [answers],
    [hello, asks],
    [hello, asks, hello],
    [hello, answers],
    [hello, asks, answers, answers],
    [hello, { role: "assistant", parts: [] } as const, hello],
    [userMessage("")],
  ]
  for (const messages of refused) {
    await expect(answer(provider, { messages, tools: [] })).rejects.toMatchObject({ kind: "invalid_request" })
  }
  expect(await answer(provider, { messages: [hello, asks, answers], tools: [] })).toHaveLength(2)
})
