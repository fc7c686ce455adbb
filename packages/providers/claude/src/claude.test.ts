import {
  type AssistantPart,
  isObject,
  type Message,
  type ModelEvent,
  type ModelRequest,
  type Provider,
  type ToolDefinition,
  userMessage,
} from "@orra/core"
import { call, end, fakeModelServer, redact, respond, say, think, type WireAnswer } from "@orra/testing"
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest"
import { type ClaudeOptions, claude } from "./index.ts"

const TOOLS: readonly ToolDefinition[] = ["now", "weather"].map((name) => ({
  name,
  description: `The ${name}.`,
  inputSchema: { type: "object", properties: {} },
}))

const ask = (extra: Partial<ModelRequest> = {}): ModelRequest => ({
  messages: [userMessage("Hello")],
  tools: [],
  ...extra,
})

/** A fake service with this script, and Claude pointed at it. */
async function setup(script: readonly WireAnswer[] = [], options: ClaudeOptions = {}) {
  const server = await fakeModelServer(script)
  onTestFinished(() => server.close())
  return { server, provider: claude({ apiKey: "test-key", baseURL: server.url, ...options }) }
}

async function collect(provider: Provider, request = ask()): Promise<readonly ModelEvent[]> {
  const events: ModelEvent[] = []
  for await (const event of provider.stream(request)) events.push(event)
  return events
}

/** The body that this request becomes. */
async function bodyOf(request: ModelRequest, options: ClaudeOptions = {}) {
  const { server, provider } = await setup([], options)
  await collect(provider, request)
  return (await server.request(1)).body
}

const assistant = (...parts: AssistantPart[]): Message => ({ role: "assistant", parts })
const result = (callId: string, text = "ok", status: "ok" | "denied" = "ok"): Message => ({
  role: "tool",
  parts: [{ type: "tool_result", callId, name: "now", status, content: [{ type: "text", text }] }],
})
const now = (id: string): AssistantPart => ({ type: "tool_call", id, name: "now", arguments: {} })

beforeEach(() => {
  vi.stubEnv("ANTHROPIC_API_KEY", "env-key")
  vi.stubEnv("ANTHROPIC_AUTH_TOKEN", "env-token")
  vi.stubEnv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
})
afterEach(() => {
  vi.unstubAllEnvs()
})

describe("thinking", () => {
  test("comes with its signature, hidden thinking with its data", async () => {
    const { provider } = await setup([[think("Hmm.", "signed"), redact("opaque"), say("Hi")]])
    const done = (await collect(provider)).at(-1)
    expect(done).toMatchObject({
      message: {
        parts: [
          { type: "thinking", text: "Hmm.", provider: "anthropic", signature: "signed" },
          { type: "thinking", text: "", provider: "anthropic", data: "opaque" },
          { type: "text", text: "Hi" },
        ],
      },
    })
  })

  test("goes back when it is our own, signed, and this model's", async () => {
    const thought = (extra: object): AssistantPart => ({
      type: "thinking",
      text: "T",
      provider: "anthropic",
      ...extra,
    })
    const messages: Message[] = [
      userMessage("a"),
      assistant(
        thought({ signature: "s" }),
        thought({ data: "d", text: "" }),
        thought({}),
        thought({ provider: "openai", signature: "foreign" }),
        { type: "text", text: "A" },
      ),
      userMessage("b"),
      {
        ...assistant(thought({ signature: "other" }), { type: "text", text: "B" }),
        model: "another-model",
      } as Message,
      userMessage("c"),
    ]
    const body = await bodyOf(ask({ messages }), { cache: false })
    expect(body["messages"]).toEqual([
      { role: "user", content: [{ type: "text", text: "a" }] },
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "T", signature: "s" },
          { type: "redacted_thinking", data: "d" },
          { type: "text", text: "A" },
        ],
      },
      { role: "user", content: [{ type: "text", text: "b" }] },
      { role: "assistant", content: [{ type: "text", text: "B" }] },
      { role: "user", content: [{ type: "text", text: "c" }] },
    ])
  })

  test.each<[ClaudeOptions["thinking"], unknown, number]>([
    [undefined, undefined, 100],
    [false, { type: "disabled" }, 100],
    ["adaptive", { type: "adaptive", display: "summarized" }, 100],
    [{ budgetTokens: 2_000 }, { type: "enabled", budget_tokens: 2_000 }, 2_100],
  ])("%j is sent as %j, its budget on top of the limit", async (thinking, sent, maxTokens) => {
    const body = await bodyOf(ask({ maxTokens: 100 }), { thinking })
    expect([body["thinking"], body["max_tokens"]]).toEqual([sent, maxTokens])
    expect(claude({ thinking }).outputLimit?.(ask({ maxTokens: 100 }))).toBe(maxTokens)
  })

  test.each<[ClaudeOptions["thinking"], number | undefined]>([
    [undefined, 0.5],
    [false, 0.5],
    ["adaptive", undefined],
    [{ budgetTokens: 2_000 }, undefined],
  ])("with %j the temperature is %j", async (thinking, temperature) => {
    expect((await bodyOf(ask({ temperature: 0.5 }), { thinking }))["temperature"]).toBe(temperature)
  })

  test("a budget is left out where another model's calls wait for an answer", async () => {
    const thinking = { budgetTokens: 2_000 }
    const loop = (...parts: AssistantPart[]) =>
      ask({ messages: [userMessage("a"), assistant(...parts), result("1")] })
    const own: AssistantPart = { type: "thinking", text: "T", provider: "anthropic", signature: "s" }
    expect(await bodyOf(loop(now("1")), { thinking })).not.toHaveProperty("thinking")
    expect(await bodyOf(loop(own, now("1")), { thinking })).toHaveProperty("thinking")
  })

  test.each([
    "messages.1.content.0: Invalid `signature` in `thinking` block",
    "messages.1.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified.",
  ])("a session whose thinking is refused goes on without it: %s", async (message) => {
    const error = { type: "invalid_request_error", message }
    const { server, provider } = await setup([respond(400, { body: { type: "error", error } }), "Hi"], {
      thinking: { budgetTokens: 2_000 },
    })
    const thought: AssistantPart = {
      type: "thinking",
      text: "T",
      provider: "anthropic",
      signature: "foreign",
    }
    const now: AssistantPart = { type: "tool_call", id: "1", name: "now", arguments: {} }
    const result = { type: "tool_result", callId: "1", name: "now", status: "ok", content: [] } as const
    const messages: Message[] = [
      userMessage("a"),
      { role: "assistant", parts: [thought, now] },
      { role: "tool", parts: [result] },
    ]
    expect(await collect(provider, ask({ messages }))).toMatchObject([{ text: "Hi" }, {}])
    const [first, second] = server.requests.map(({ body }) => JSON.stringify(body))
    expect(first).toContain("foreign")
    // In the middle of tool calls the service takes none where it would have to see some.
    expect(second).not.toMatch(/foreign|budget_tokens/)
  })

  test("what else the service refuses it refuses once", async () => {
    const error = {
      type: "invalid_request_error",
      message: "thinking.budget_tokens: must be less than max_tokens",
    }
    const { server, provider } = await setup([respond(400, { body: { type: "error", error } })])
    await expect(collect(provider, ask({ temperature: 0.5 }))).rejects.toMatchObject({
      kind: "invalid_request",
    })
    expect(server.requests).toHaveLength(1)
  })

  test("a model that takes no temperature is asked again without it", async () => {
    const error = { type: "invalid_request_error", message: "`temperature` is deprecated for this model." }
    const { server, provider } = await setup([respond(400, { body: { type: "error", error } }), "Hi"])
    await collect(provider, ask({ temperature: 0.5 }))
    expect(server.requests.map(({ body }) => body["temperature"])).toEqual([0.5, undefined])
  })
})

describe("cache", () => {
  const long = ask({
    system: "Be kind.",
    tools: TOOLS,
    messages: [
      userMessage("a"),
      assistant({ type: "text", text: "A" }),
      userMessage("b"),
      assistant(now("1"), now("2")),
      { role: "tool", parts: [...result("1").parts, ...result("2").parts] } as Message,
    ],
  })
  const marks = (value: unknown, path = ""): string[] => {
    if (Array.isArray(value)) return value.flatMap((item, index) => marks(item, `${path}.${index}`))
    if (!isObject(value)) return []
    return Object.entries(value).flatMap(([key, item]) =>
      key === "cache_control" ? [`${path} ${JSON.stringify(item)}`] : marks(item, `${path}.${key}`),
    )
  }

  test("marks system, the last tool, and the ends of this request and the one before", async () => {
    const mark = JSON.stringify({ type: "ephemeral" })
    expect(marks(await bodyOf(long)).sort()).toEqual([
      `.messages.2.content.0 ${mark}`,
      `.messages.4.content.1 ${mark}`,
      `.system.0 ${mark}`,
      `.tools.1 ${mark}`,
    ])
  })

  test("lasts an hour when asked to, and is off when turned off", async () => {
    expect(marks(await bodyOf(long, { cache: "1h" }))[0]).toContain('"ttl":"1h"')
    expect(marks(await bodyOf(long, { cache: false }))).toEqual([])
  })

  test("what comes before the end is the same bytes in the next request", async () => {
    const next = ask({
      ...long,
      messages: [...long.messages, assistant({ type: "text", text: "C" }), userMessage("d")],
    })
    const strip = (body: object) => JSON.stringify(body).replaceAll(/,"cache_control":\{[^}]*\}/g, "")
    const before = strip(await bodyOf(long))
    const after = strip(await bodyOf(next))
    const history = before.slice(before.indexOf('"messages":['), before.lastIndexOf("]}]") + 2)
    expect(after).toContain(history)
  })
})

describe("credentials", () => {
  const headersOf = async (options: ClaudeOptions) => {
    const { server, provider } = await setup([], { apiKey: undefined, ...options })
    await collect(provider)
    return (await server.request(1)).headers
  }

  test("a key is sent as a key, and nothing from the environment with it", async () => {
    const headers = await headersOf({ apiKey: "test-key" })
    expect(headers["x-api-key"]).toBe("test-key")
    expect(headers).not.toHaveProperty("authorization")
    expect(headers).not.toHaveProperty("anthropic-beta")
  })

  test.each<ClaudeOptions>([{ apiKey: "sk-ant-oat01-x" }, { authToken: "sk-ant-oat01-x", apiKey: "other" }])(
    "a token is sent as Bearer: %j",
    async (options) => {
      const headers = await headersOf(options)
      expect(headers["authorization"]).toBe("Bearer sk-ant-oat01-x")
      expect(headers["anthropic-beta"]).toBe("oauth-2025-04-20")
      expect(headers).not.toHaveProperty("x-api-key")
    },
  )

  test("another host is not shown the key of the environment", async () => {
    const headers = await headersOf({})
    expect(JSON.stringify(headers)).not.toContain("env-")
  })

  test("Anthropic itself is, and hears nothing without one", async () => {
    const seen: Headers[] = []
    const fetch: ClaudeOptions["fetch"] = async (input, init) => {
      seen.push(new Request(input, init).headers)
      return new Response("", { status: 401 })
    }
    await expect(collect(claude({ fetch }))).rejects.toMatchObject({ kind: "auth", status: 401 })
    expect(seen[0]?.get("x-api-key")).toBe("env-key")
    vi.stubEnv("ANTHROPIC_API_KEY", "")
    await expect(collect(claude({ fetch }))).rejects.toMatchObject({ kind: "auth", status: undefined })
    expect(seen).toHaveLength(1)
  })
})

describe("base URL", () => {
  test.each(["", "/", "/v1", "/v1/", "/v1/messages"])("ending in %j", async (ending) => {
    const { server } = await setup()
    await collect(claude({ apiKey: "k", baseURL: server.url + ending }))
    expect(server.requests[0]?.path).toBe("/v1/messages")
  })

  test.each(["nonsense", "ftp://host", "http://user:pass@host"])(
    "%s is refused, and not repeated",
    (baseURL) => {
      expect(() => claude({ baseURL })).toThrow(expect.objectContaining({ code: "invalid_input" }))
      expect(() => claude({ baseURL })).not.toThrow(/pass@/)
    },
  )
})

test("results say when they are errors, and come before text", async () => {
  const messages = [
    userMessage("a"),
    assistant(now("1")),
    result("1", "Not allowed.", "denied"),
    userMessage("b"),
  ]
  const body = await bodyOf(ask({ messages }), { cache: false })
  expect(Array.isArray(body["messages"]) && body["messages"].at(-1)).toEqual({
    role: "user",
    content: [
      {
        type: "tool_result",
        tool_use_id: "1",
        content: [{ type: "text", text: "Not allowed." }],
        is_error: true,
      },
      { type: "text", text: "b" },
    ],
  })
})

describe("usage", () => {
  test.each<[string, object, object, object]>([
    [
      "what is written to the cache and read from it is counted beside the input",
      {
        input_tokens: 21,
        cache_creation_input_tokens: 188_086,
        cache_read_input_tokens: 0,
        output_tokens: 1,
      },
      { output_tokens: 393 },
      { inputTokens: 188_107, outputTokens: 393, cacheReadTokens: 0, cacheWriteTokens: 188_086 },
    ],
    [
      "thinking is part of the output",
      { input_tokens: 100, cache_read_input_tokens: 900, output_tokens: 2 },
      { output_tokens: 1_500, output_tokens_details: { thinking_tokens: 1_400 } },
      { inputTokens: 1_000, outputTokens: 1_500, cacheReadTokens: 900, cacheWriteTokens: 0 },
    ],
    [
      "the input grows with the service's own tools",
      { input_tokens: 2_679, output_tokens: 3 },
      { input_tokens: 10_682, cache_read_input_tokens: null, output_tokens: 510 },
      { inputTokens: 10_682, outputTokens: 510, cacheReadTokens: 0, cacheWriteTokens: 0 },
    ],
    [
      "a service that knows the input only at the start fills in 0 at the end",
      { input_tokens: 50, cache_read_input_tokens: 40, output_tokens: 0 },
      { input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 9 },
      { inputTokens: 90, outputTokens: 9, cacheReadTokens: 40, cacheWriteTokens: 0 },
    ],
    [
      "or only at the end, and fills in 0 at the start",
      { input_tokens: 0, output_tokens: 0 },
      { input_tokens: 50, cache_read_input_tokens: 40, output_tokens: 9 },
      { inputTokens: 90, outputTokens: 9, cacheReadTokens: 40, cacheWriteTokens: 0 },
    ],
  ])("%s", async (_name, start, delta, usage) => {
    const events = [
      { type: "message_start", message: { usage: start } },
      { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: delta },
      { type: "message_stop" },
    ]
    const body = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("")
    const { provider } = await setup([
      respond(200, { headers: { "content-type": "text/event-stream" }, body }),
    ])
    expect((await collect(provider)).at(-1)).toMatchObject({ usage })
  })
})

test("cached input is part of the input", async () => {
  const usage = { inputTokens: 100, outputTokens: 20, cacheReadTokens: 60, cacheWriteTokens: 30 }
  const { provider } = await setup([[say("Hi"), end({ usage })]])
  expect((await collect(provider)).at(-1)).toMatchObject({ usage })
})

test.each([
  ["billing_error", "Pay.", 402, "quota"],
  ["permission_error", "No.", 403, "auth"],
  ["request_too_large", "Request exceeds the maximum size", 413, "context_length"],
  [
    "invalid_request_error",
    "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
    400,
    "context_length",
  ],
  [
    "invalid_request_error",
    "max_tokens: 99999 > 64000, which is the maximum for this context",
    400,
    "invalid_request",
  ],
  ["not_found_error", "model: nope", 404, "model_not_found"],
  ["not_found_error", "Not found", 404, "invalid_request"],
  ["timeout_error", "Too slow", 504, "timeout"],
  ["api_error", "Internal", 500, "overloaded"],
] as const)("%s: %s (%i) is %s", async (type, message, status, kind) => {
  const { provider } = await setup([respond(status, { body: { type: "error", error: { type, message } } })], {
    retry: { maxAttempts: 1 },
  })
  await expect(collect(provider)).rejects.toMatchObject({ kind, status })
})

test("an error event without its name", async () => {
  const headers = { "content-type": "text/event-stream" }
  const body = 'data: {"type":"error","error":{"type":"rate_limit_error","message":"Slow down."}}\n\n'
  const { provider } = await setup([respond(200, { headers, body })], { retry: { maxAttempts: 1 } })
  await expect(collect(provider)).rejects.toMatchObject({ kind: "rate_limit" })
})

test("blocks and events it does not know are passed over", async () => {
  const frame = (event: object & { type: string }) =>
    `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
  const body = [
    { type: "message_start", message: { usage: { input_tokens: 3, output_tokens: 1 } } },
    {
      type: "content_block_start",
      index: 0,
      content_block: { type: "server_tool_use", id: "s", name: "search" },
    },
    { type: "content_block_delta", index: 0, delta: { type: "input_json_delta", partial_json: "{}" } },
    {
      type: "content_block_start",
      index: 1,
      content_block: { type: "tool_use", id: "t", name: "now", input: { a: 1 } },
    },
    { type: "content_block_delta", index: 7, delta: { type: "text_delta", text: "lost" } },
    { type: "content_block_delta", index: 1, delta: { type: "poetry_delta", verse: 1 } },
    { type: "solar_flare" },
    {
      type: "message_delta",
      delta: { stop_reason: "bored" },
      usage: { output_tokens: 9, input_tokens: null },
    },
    { type: "message_stop" },
  ]
  const headers = { "content-type": "text/event-stream" }
  const { provider } = await setup([respond(200, { headers, body: body.map(frame).join("") })])
  expect((await collect(provider)).at(-1)).toMatchObject({
    message: { parts: [{ type: "tool_call", id: "t", name: "now", arguments: { a: 1 } }] },
    finishReason: "other",
    usage: { inputTokens: 3, outputTokens: 9 },
  })
})

test("the SDK is loaded when it is first needed, and logs nothing", async () => {
  const log = vi.spyOn(console, "warn").mockImplementation(() => {})
  const error = vi.spyOn(console, "error").mockImplementation(() => {})
  const { provider } = await setup([[call("now")], "Hi"], { model: "claude-sonnet-4-5" })
  await collect(provider)
  await collect(provider)
  expect(log).not.toHaveBeenCalled()
  expect(error).not.toHaveBeenCalled()
})
