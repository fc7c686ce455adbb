import type { ModelEvent } from "@orra/core"
import { call, hang, raw, redact, respond, say, think } from "@orra/testing"
import { describe, expect, test } from "vitest"
import { ask, collect, completed, doneOf, item, setupResponses as setup, stream } from "./fixture.ts"
import type { OpenAIOptions } from "./index.ts"

const delta = (type: string, output_index: number, text: string, extra: object = {}) => ({
  type: `response.${type}.delta`,
  output_index,
  delta: text,
  ...extra,
})

describe("answer", () => {
  test("thinking is kept with its seal, in its place", async () => {
    const answer = [
      think("Which city?", "seal-1"),
      say("Let me look."),
      redact("seal-2"),
      call("weather", { city: "Oslo" }, "a"),
    ]
    const { provider } = await setup([answer])
    expect(doneOf(await collect(provider)).message.parts).toEqual([
      { type: "thinking", text: "Which city?", provider: "openai", signature: "seal-1" },
      { type: "text", text: "Let me look." },
      { type: "thinking", text: "", provider: "openai", data: "seal-2" },
      { type: "tool_call", id: "a", name: "weather", arguments: { city: "Oslo" } },
    ])
  })

  test("summaries are set apart, and the thinking of open models is shown", async () => {
    const summary = (index: number, text: string) =>
      delta("reasoning_summary_text", 0, text, { summary_index: index })
    const { provider } = await setup([
      stream(
        item("added", 0, { type: "reasoning" }),
        summary(0, "**One**"),
        summary(0, " step"),
        summary(1, "**Two**"),
        item("done", 0, {
          type: "reasoning",
          summary: [{ text: "**One** step" }, { text: "**Two**" }],
          encrypted_content: "seal",
        }),
        delta("reasoning_text", 1, "Hm", { content_index: 0 }),
        delta("reasoning_text", 1, "m.", { content_index: 0 }),
        item("done", 1, { type: "reasoning", summary: [], content: [{ text: "Hmm." }] }),
        completed(),
      ),
    ])
    const events = await collect(provider)
    const shown = events.map((event) => (event.type === "thinking" ? event.text : ""))
    expect(shown.join("|")).toBe("**One**| step|\n\n**Two**|Hm|m.|")
    expect(doneOf(events).message.parts).toEqual([
      { type: "thinking", text: "**One** step\n\n**Two**", provider: "openai", signature: "seal" },
      { type: "thinking", text: "Hmm.", provider: "openai" },
    ])
  })

  test("thinking that was cut off has no seal", async () => {
    const cutOff = {
      type: "reasoning",
      status: "incomplete",
      summary: [{ text: "Hm" }],
      encrypted_content: "half",
    }
    const response = { status: "incomplete", incomplete_details: { reason: "max_output_tokens" } }
    const { provider } = await setup([
      stream(item("done", 0, cutOff), { type: "response.incomplete", response }),
    ])
    const done = doneOf(await collect(provider))
    expect(done.finishReason).toBe("max_tokens")
    expect(done.message.parts).toEqual([{ type: "thinking", text: "Hm", provider: "openai" }])
  })

  test("calls side by side, their pieces mixed", async () => {
    const calls = ["a", "b"].map((call_id) => ({ type: "function_call", call_id, name: `tool_${call_id}` }))
    const { provider } = await setup([
      stream(
        item("added", 0, calls[0] ?? {}),
        item("added", 1, calls[1] ?? {}),
        delta("function_call_arguments", 1, '{"n"'),
        delta("function_call_arguments", 0, '{"n":1'),
        delta("function_call_arguments", 1, ":2}"),
        delta("function_call_arguments", 0, "}"),
        completed(),
      ),
    ])
    const done = doneOf(await collect(provider))
    expect(done.finishReason).toBe("tool_calls")
    expect(done.message.parts).toEqual([
      { type: "tool_call", id: "a", name: "tool_a", arguments: { n: 1 } },
      { type: "tool_call", id: "b", name: "tool_b", arguments: { n: 2 } },
    ])
  })

  test("what did not come in pieces comes with the item, and what came is not said twice", async () => {
    const text = (value: string) => ({ type: "message", content: [{ type: "output_text", text: value }] })
    const { provider } = await setup([
      stream(
        item("done", 0, text("Whole.")),
        delta("output_text", 1, "Half"),
        item("done", 1, text("Half, and the rest.")),
        item("added", 2, { type: "function_call", call_id: "a", name: "look" }),
        item("done", 2, { type: "function_call", call_id: "a", name: "look", arguments: '{"n":1}' }),
        completed(),
      ),
    ])
    const events = await collect(provider)
    expect(events.slice(0, -1)).toEqual([
      { type: "text", text: "Whole." },
      { type: "text", text: "Half" },
      { type: "text", text: ", and the rest." },
      { type: "tool_call", id: "a", name: "look" },
      { type: "tool_call", id: "a", text: '{"n":1}' },
    ])
    expect(doneOf(events).message.parts).toHaveLength(3)
  })

  test("a server that gives every item the same number", async () => {
    const text = { type: "message", content: [{ type: "output_text", text: "Hi" }] }
    const asked = { type: "function_call", call_id: "a", name: "look", arguments: "{}" }
    const { provider } = await setup([
      stream(
        item("added", 0, { type: "message" }),
        delta("output_text", 0, "Hi"),
        item("done", 0, text),
        item("added", 0, { type: "function_call", call_id: "a", name: "look" }),
        delta("function_call_arguments", 0, "{}"),
        item("done", 0, asked),
        item("done", 0, text),
        completed({ output: [text, asked, text] }),
      ),
    ])
    expect(doneOf(await collect(provider)).message.parts).toEqual([
      { type: "text", text: "Hi" },
      { type: "tool_call", id: "a", name: "look", arguments: {} },
      { type: "text", text: "Hi" },
    ])
  })

  test("what it does not know is passed over", async () => {
    const { provider } = await setup([
      stream(
        { type: "response.created", response: {} },
        { type: "response.web_search_call.searching", output_index: 0 },
        item("added", 0, { type: "web_search_call" }),
        item("done", 0, { type: "web_search_call", status: "completed" }),
        {},
        delta("output_text", 1, "Hi"),
        completed(),
      ),
    ])
    expect(await collect(provider)).toMatchObject([{ text: "Hi" }, { type: "done", finishReason: "stop" }])
  })

  test.each([
    ["in pieces", delta("refusal", 0, "I will not.")],
    ["at once", item("done", 0, { type: "message", content: [{ type: "refusal", refusal: "I will not." }] })],
  ])("a refusal is shown, and is one: %s", async (_name, event) => {
    const { provider } = await setup([stream(event, completed())])
    const events = await collect(provider)
    expect(events[0]).toEqual({ type: "text", text: "I will not." })
    expect(doneOf(events).finishReason).toBe("refusal")
  })

  test("a whole response in place of a stream", async () => {
    const output = [
      { type: "reasoning", summary: [], encrypted_content: "seal" },
      { type: "message", content: [{ type: "output_text", text: "Hi" }] },
      { type: "function_call", call_id: "a", name: "look", arguments: "{}" },
    ]
    const usage = { input_tokens: 7, output_tokens: 3 }
    const body = { object: "response", status: "completed", error: null, output, usage }
    const bodies: unknown[] = []
    const fetch: OpenAIOptions["fetch"] = async (_input, init) => {
      bodies.push(JSON.parse(String(init?.body)))
      return Response.json(body)
    }
    const { provider } = await setup([], { streaming: false, fetch })
    const events = await collect(provider)
    expect(events).toEqual([
      {
        type: "done",
        finishReason: "tool_calls",
        usage: { inputTokens: 7, outputTokens: 3, cacheReadTokens: 0, cacheWriteTokens: 0 },
        message: {
          role: "assistant",
          provider: "openai",
          model: "m",
          parts: [
            { type: "thinking", text: "", provider: "openai", data: "seal" },
            { type: "text", text: "Hi" },
            { type: "tool_call", id: "a", name: "look", arguments: {} },
          ],
        },
      },
    ])
    expect(bodies).toMatchObject([{ stream: false }])
  })

  test("the connection may stay open after the answer", async () => {
    const { provider } = await setup([[raw(`data: ${JSON.stringify(completed())}\n\n`), hang()]])
    expect(doneOf(await collect(provider)).finishReason).toBe("stop")
  })
})

describe("failure", () => {
  const status = (code: string, message = "It broke.") => ({
    type: "response.failed",
    response: { object: "response", status: "failed", error: { code, message } },
  })

  test.each([
    ["rate_limit", status("rate_limit_exceeded")],
    ["overloaded", status("server_error")],
    ["context_length", status("context_length_exceeded")],
    [
      "context_length",
      { type: "error", code: null, message: "Your input exceeds the context window of this model." },
    ],
    ["quota", { type: "error", code: "insufficient_quota", message: "No more." }],
    [
      "rate_limit",
      { type: "error", error: { type: "tokens", code: "rate_limit_exceeded", message: "Slowly." } },
    ],
    ["protocol", { type: "response.failed", response: { status: "failed", error: null } }],
    ["invalid_request", status("invalid_prompt")],
    ["invalid_request", status("bio_policy")],
    [
      "invalid_request",
      { type: "error", error: { type: "invalid_request_error", code: null, message: "No." } },
    ],
  ])("in the middle of an answer: %s", async (kind, event) => {
    const { provider } = await setup([stream(delta("output_text", 0, "Hi"), event)])
    const events: ModelEvent[] = []
    const reading = (async () => {
      for await (const said of provider.stream(ask())) events.push(said)
    })()
    await expect(reading).rejects.toMatchObject({ kind })
    expect(events).toEqual([{ type: "text", text: "Hi" }])
  })

  test("a whole response that failed", async () => {
    const error = { code: "server_error", message: "It broke." }
    const { provider } = await setup([
      respond(200, { body: { object: "response", status: "failed", error } }),
    ])
    await expect(collect(provider)).rejects.toMatchObject({ kind: "overloaded" })
  })

  test("one that is not done yet is no answer", async () => {
    const { provider } = await setup([
      respond(200, { body: { object: "response", status: "queued", output: [] } }),
    ])
    await expect(collect(provider)).rejects.toMatchObject({ kind: "protocol" })
  })
})

test("usage: what came from the cache, what went into it, and thinking as output", async () => {
  const usage = {
    input_tokens: 2_000,
    input_tokens_details: { cached_tokens: 1_500, cache_write_tokens: 400 },
    output_tokens: 900,
    output_tokens_details: { reasoning_tokens: 800 },
    total_tokens: 2_900,
  }
  const { provider } = await setup([stream(delta("output_text", 0, "Hi"), completed({ usage }))])
  expect(doneOf(await collect(provider)).usage).toEqual({
    inputTokens: 2_000,
    outputTokens: 900,
    cacheReadTokens: 1_500,
    cacheWriteTokens: 400,
  })
})
