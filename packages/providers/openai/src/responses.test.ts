import { type AssistantPart, type Message, type ModelRequest, type ToolStatus, userMessage } from "@orra/core"
import { call, fakeModelServer, respond, think } from "@orra/testing"
import { describe, expect, onTestFinished, test } from "vitest"
import { ask, collect, completed, doneOf, item, setupResponses as setup, stream } from "./fixture.ts"
import { type OpenAIOptions, openai } from "./index.ts"

const refuse = (message: string, extra: object = {}) =>
  respond(400, {
    body: { error: { message, type: "invalid_request_error", param: null, code: null, ...extra } },
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
