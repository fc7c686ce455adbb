import {
  type AssistantPart,
  type Message,
  type ModelEvent,
  type ModelRequest,
  type Provider,
  type ToolStatus,
  userMessage,
} from "@orra/core"
import { call, fakeModelServer, hang, raw, redact, respond, say, think, type WireAnswer } from "@orra/testing"
import { describe, expect, onTestFinished, test } from "vitest"
import { type OpenAIOptions, openai } from "./index.ts"

const ask = (extra: Partial<ModelRequest> = {}): ModelRequest => ({
  messages: [userMessage("Hello")],
  tools: [],
  ...extra,
})

/** A fake service with this script, and the provider pointed at it. */
async function setup(script: readonly WireAnswer[] = [], options: OpenAIOptions = {}) {
  const server = await fakeModelServer(script)
  onTestFinished(() => server.close())
  const settings = { model: "m", baseURL: server.openaiUrl, retry: { maxAttempts: 1 } }
  return { server, provider: openai({ ...settings, api: "responses", ...options }) }
}

async function collect(provider: Provider, request = ask()): Promise<readonly ModelEvent[]> {
  const events: ModelEvent[] = []
  for await (const event of provider.stream(request)) events.push(event)
  return events
}

const doneOf = (events: readonly ModelEvent[]) => {
  const done = events.at(-1)
  if (done?.type !== "done") throw new Error("The stream ended without done.")
  return done
}

/** A stream of exactly these events. */
const stream = (...events: readonly object[]): WireAnswer =>
  respond(200, {
    headers: { "content-type": "text/event-stream" },
    body: events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join(""),
  })
const delta = (type: string, output_index: number, text: string, extra: object = {}) => ({
  type: `response.${type}.delta`,
  output_index,
  delta: text,
  ...extra,
})
const item = (step: "added" | "done", output_index: number, value: object) => ({
  type: `response.output_item.${step}`,
  output_index,
  item: value,
})
const completed = (extra: object = {}) => ({
  type: "response.completed",
  response: { object: "response", status: "completed", output: [], ...extra },
})
const refuse = (message: string, extra: object = {}) =>
  respond(400, {
    body: { error: { message, type: "invalid_request_error", param: null, code: null, ...extra } },
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

describe("request", () => {
  const asked = (id: string): AssistantPart => ({
    type: "tool_call",
    id,
    name: "look",
    arguments: { at: "me" },
  })
  const result = (callId: string, status: ToolStatus, ...content: Message["parts"]) =>
    ({ type: "tool_result", callId, name: "look", status, content }) as never
  const thought = (provider: string, signature?: string): AssistantPart => ({
    type: "thinking",
    text: "T",
    provider,
    ...(signature !== undefined && { signature }),
  })
  const reasoning = (sealed: string, text = "T") => ({
    type: "reasoning",
    summary: text === "" ? [] : [{ type: "summary_text", text }],
    encrypted_content: sealed,
  })

  async function sent(
    messages: readonly Message[],
    extra: Partial<ModelRequest> = {},
    options: OpenAIOptions = {},
  ) {
    const { server, provider } = await setup([], options)
    await collect(provider, ask({ messages, ...extra }))
    return (await server.request(1)).body
  }

  test("everything a request can say", async () => {
    const tools = [{ name: "look", description: "Looks.", inputSchema: { type: "object", properties: {} } }]
    const extra = { system: "Be kind.", tools, maxTokens: 50, temperature: 0.5 }
    const options = { reasoning: { effort: "high", summary: "auto" } } as const
    expect(await sent([userMessage("a")], extra, options)).toEqual({
      model: "m",
      instructions: "Be kind.",
      input: [{ role: "user", content: [{ type: "input_text", text: "a" }] }],
      stream: true,
      store: false,
      include: ["reasoning.encrypted_content"],
      reasoning: { effort: "high", summary: "auto" },
      max_output_tokens: 50,
      temperature: 0.5,
      tools: [
        {
          type: "function",
          name: "look",
          description: "Looks.",
          parameters: { type: "object", properties: {} },
          strict: false,
        },
      ],
    })
    expect(await sent([userMessage("a")], { maxTokens: 1 })).toMatchObject({ max_output_tokens: 16 })
  })

  test("calls and their results, with what a tool shows", async () => {
    const image = { type: "image", mediaType: "image/png", data: "AAAA" } as const
    const picture = { type: "input_image", detail: "auto", image_url: "data:image/png;base64,AAAA" }
    const { input } = await sent([
      userMessage("a"),
      {
        role: "assistant",
        parts: [{ type: "text", text: "Let me look." }, ...["1", "2", "3", "4"].map(asked)],
      },
      {
        role: "tool",
        parts: [
          result("1", "ok", { type: "text", text: "You." }, image),
          result("2", "denied", { type: "text", text: "Not allowed." }),
          result("3", "unknown"),
          result("4", "ok", image),
        ],
      },
      userMessage("b"),
    ])
    const calls = ["1", "2", "3", "4"].map((call_id) => ({
      type: "function_call",
      call_id,
      name: "look",
      arguments: '{"at":"me"}',
    }))
    const output = (call_id: string, value: unknown) => ({
      type: "function_call_output",
      call_id,
      output: value,
    })
    expect(input).toEqual([
      { role: "user", content: [{ type: "input_text", text: "a" }] },
      { role: "assistant", content: "Let me look." },
      ...calls,
      output("1", [{ type: "input_text", text: "You." }, picture]),
      output("2", "Error: Not allowed."),
      output("3", "Error: unknown"),
      output("4", [picture]),
      { role: "user", content: [{ type: "input_text", text: "b" }] },
    ])
  })

  test("thinking goes back before what it led to, and only to who thought it", async () => {
    const other = { model: "other" }
    const { input } = await sent([
      userMessage("a"),
      {
        role: "assistant",
        provider: "openai",
        model: "m",
        parts: [
          thought("openai", "one"),
          { type: "text", text: "A" },
          thought("anthropic", "foreign"),
          thought("openai"),
          { type: "thinking", text: "", provider: "openai", data: "two" },
          asked("1"),
          thought("openai", "three: led to nothing"),
        ],
      },
      { role: "tool", parts: [result("1", "ok")] },
      {
        role: "assistant",
        ...other,
        parts: [thought("openai", "another model's"), { type: "text", text: "B" }],
      },
      { role: "assistant", parts: [thought("openai", "four"), { type: "text", text: " " }] },
      userMessage("b"),
    ])
    const [first, ...rest] = input as readonly unknown[]
    expect(first).toMatchObject({ role: "user" })
    expect(rest).toMatchObject([
      reasoning("one"),
      { role: "assistant", content: "A" },
      reasoning("two", ""),
      { type: "function_call", call_id: "1" },
      { type: "function_call_output", call_id: "1" },
      { role: "assistant", content: "B" },
      { role: "user" },
    ])
    // With an id of its own each item would be looked up where nothing is stored.
    expect(JSON.stringify(input)).not.toContain('"id"')
  })

  test("what a model says its text is goes back to it", async () => {
    const said = (phase: string, text: string) => ({
      type: "message",
      phase,
      content: [{ type: "output_text", text }],
    })
    const remark = said("commentary", "Let me look.")
    const { provider, server } = await setup([
      stream(item("done", 0, remark), item("done", 1, said("final_answer", "It snows.")), completed()),
      stream(item("done", 0, said("something new", "Yes.")), completed()),
    ])
    const { message } = doneOf(await collect(provider))
    expect(message.parts).toEqual([
      { type: "text", text: "Let me look.", phase: "commentary" },
      { type: "text", text: "It snows.", phase: "final_answer" },
    ])
    const messages = [userMessage("a"), message, { ...message, model: "another" }, userMessage("b")]
    expect(doneOf(await collect(provider, ask({ messages }))).message.parts).toEqual([
      { type: "text", text: "Yes." },
    ])
    expect((await server.request(2)).body["input"]).toEqual([
      expect.anything(),
      { role: "assistant", content: "Let me look.", phase: "commentary" },
      { role: "assistant", content: "It snows.", phase: "final_answer" },
      { role: "assistant", content: "Let me look." },
      { role: "assistant", content: "It snows." },
      expect.anything(),
    ])
  })

  test("an invalid call goes back as what the model wrote", async () => {
    const invalid: AssistantPart = {
      type: "tool_call",
      id: "1",
      name: "look",
      arguments: {},
      invalid: "{oops",
    }
    const { input } = await sent([
      userMessage("a"),
      { role: "assistant", parts: [invalid] },
      { role: "tool", parts: [result("1", "error", { type: "text", text: "Not JSON." })] },
    ])
    expect(input).toMatchObject([{}, { arguments: '{"invalid":"{oops"}' }, { output: "Error: Not JSON." }])
  })

  test("what was sent once is sent again, byte for byte, with what is new behind it", async () => {
    const { provider, server } = await setup([
      [think("Hm.", "seal"), call("look", { at: "me" }, "same")],
      [think("So.", "seal"), call("look", { at: "you" }, "same")],
      "Fine.",
    ])
    const messages: Message[] = [userMessage("a")]
    for (let turn = 0; turn < 3; turn++) {
      const { message } = doneOf(
        await collect(provider, ask({ messages: [...messages], system: "Be kind." })),
      )
      messages.push(message)
      const calls = message.parts.filter((part) => part.type === "tool_call")
      if (calls.length > 0) messages.push({ role: "tool", parts: calls.map(({ id }) => result(id, "ok")) })
    }
    const [first, second, third] = server.requests.map(({ body }) =>
      JSON.stringify(body["input"]).slice(0, -1),
    )
    expect(second?.startsWith(first ?? "-")).toBe(true)
    expect(third?.startsWith(second ?? "-")).toBe(true)
    expect(third).toContain('"call_id":"same_2"')
    const rest = server.requests.map(({ body: { input, ...others } }) => JSON.stringify(others))
    expect(new Set(rest).size).toBe(1)
  })

  test("the full address is taken", async () => {
    const server = await fakeModelServer(["Hi"])
    onTestFinished(() => server.close())
    const provider = openai({ api: "responses", baseURL: `${server.openaiUrl}/responses/` })
    expect(await collect(provider)).toMatchObject([{ text: "Hi" }, {}])
  })
})

describe("refusals that are mended", () => {
  test("what a model does not take is left out, and this is remembered", async () => {
    const { server, provider } = await setup(
      [
        refuse("Encrypted content is not supported with this model.", { param: "include" }),
        refuse("Your organization must be verified to generate reasoning summaries.", {
          param: "reasoning.summary",
        }),
        refuse("Unsupported parameter: 'temperature' is not supported with this model.", {
          param: "temperature",
        }),
        "Hi",
        "Hi again",
      ],
      { reasoning: { effort: "low", summary: "auto" } },
    )
    const request = ask({ temperature: 0.5 })
    await collect(provider, request)
    await collect(provider, request)
    expect(server.requests).toHaveLength(5)
    for (const { body } of server.requests.slice(3)) {
      expect(body).not.toHaveProperty("include")
      expect(body).not.toHaveProperty("temperature")
      expect(body["reasoning"]).toEqual({ effort: "low" })
    }
  })

  const messages: readonly Message[] = [
    userMessage("a"),
    {
      role: "assistant",
      provider: "openai",
      model: "m",
      parts: [
        { type: "thinking", text: "T", provider: "openai", signature: "of another account" },
        { type: "text", text: "A" },
      ],
    },
    userMessage("b"),
  ]

  test.each([
    ["The encrypted content gAAA...Rg== could not be verified.", "invalid_encrypted_content"],
    ["Item 'rs_1' of type 'reasoning' was provided without its required following item.", null],
    ['[{"loc":["body","input",1,"ResponseReasoningItem","id"],"msg":"Field required"}]', null],
  ])("a session whose thinking does not open goes on without it: %s", async (message, code) => {
    const { server, provider } = await setup([refuse(message, { code }), "Hi", "Hi again"])
    expect(await collect(provider, ask({ messages }))).toMatchObject([{ text: "Hi" }, {}])
    expect(JSON.stringify(server.requests[0]?.body)).toContain("of another account")
    expect(server.requests[1]?.body["input"]).toMatchObject([
      { role: "user" },
      { role: "assistant", content: "A" },
      { role: "user" },
    ])
    // Another session's thinking may open.
    await collect(provider, ask({ messages }))
    expect(JSON.stringify(server.requests[2]?.body)).toContain("of another account")
  })

  test("what it is asked for and cannot do is said", async () => {
    const said = "Unsupported value: 'max' is not supported with this model."
    const { server, provider } = await setup([refuse(said, { param: "reasoning.effort" })], {
      reasoning: { effort: "max", summary: "auto" },
    })
    await expect(collect(provider)).rejects.toMatchObject({
      kind: "invalid_request",
      message: expect.stringContaining("'max' is not supported"),
    })
    expect(server.requests).toHaveLength(1)
  })

  test.each(["Your messages include too much.", "Reasoning is not possible with this tool."])(
    "words change nothing by themselves: %s",
    async (message) => {
      const { server, provider } = await setup([refuse(message)])
      await expect(collect(provider)).rejects.toMatchObject({ kind: "invalid_request" })
      expect(server.requests).toHaveLength(1)
    },
  )
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
