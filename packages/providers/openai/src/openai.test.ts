import { type AssistantPart, type Message, type ToolStatus, userMessage } from "@orra/core"
import { end, respond, say, think } from "@orra/testing"
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest"
import { ask, collect, setup, stream } from "./fixture.ts"
import { type OpenAIOptions, openai } from "./index.ts"

/** The messages that these become. */
async function sent(messages: readonly Message[], system?: string) {
  const { server, provider } = await setup()
  await collect(provider, ask({ messages, ...(system !== undefined && { system }) }))
  return (await server.request(1)).body["messages"]
}

const delta = (content: object, finish: string | null = null) => ({
  choices: [{ index: 0, delta: content, finish_reason: finish }],
})
const fragment = (...calls: readonly object[]) => delta({ tool_calls: calls })
const STOP = [delta({}, "stop"), "[DONE]"] as const

beforeEach(() => {
  vi.stubEnv("OPENAI_API_KEY", "env-key")
  vi.stubEnv("OPENAI_ORG_ID", "env-org")
  vi.stubEnv("OPENAI_PROJECT_ID", "env-project")
  vi.stubEnv("OPENAI_BASE_URL", "http://127.0.0.1:1")
})
afterEach(() => {
  vi.unstubAllEnvs()
})

describe("tool calls of many servers", () => {
  const callsOf = async (...chunks: readonly object[]) => {
    const { provider } = await setup([stream(...chunks, ...STOP)])
    const done = (await collect(provider)).at(-1)
    if (done?.type !== "done") throw new Error("no done")
    expect(done.finishReason).toBe("tool_calls")
    return done.message.parts
  }
  const f = (name: string | undefined, args: unknown) => ({
    function: { ...(name && { name }), arguments: args },
  })

  test("fragments belong together by index, mixed as they come", async () => {
    const parts = await callsOf(
      fragment({ index: 0, id: "a", ...f("one", "") }, { index: 1, id: "b", ...f("two", '{"n"') }),
      fragment({ index: 1, ...f(undefined, ":2") }, { index: 0, ...f(undefined, '{"n":1') }),
      fragment({ index: 0, id: "", ...f("", "}") }),
      fragment({ index: 1, id: null, ...f(undefined, "}") }),
    )
    expect(parts).toEqual([
      { type: "tool_call", id: "a", name: "one", arguments: { n: 1 } },
      { type: "tool_call", id: "b", name: "two", arguments: { n: 2 } },
    ])
  })

  test("the id repeated in every fragment", async () => {
    const parts = await callsOf(
      fragment({ index: 0, id: "a", ...f("one", '{"n":') }),
      fragment({ index: 0, id: "a", ...f("one", "1}") }),
    )
    expect(parts).toMatchObject([{ id: "a", name: "one", arguments: { n: 1 } }])
  })

  test("every call at index 0, whole", async () => {
    const parts = await callsOf(
      fragment({ index: 0, id: "a", ...f("one", '{"n":1}') }),
      fragment({ index: 0, id: "b", ...f("two", '{"n":2}') }),
    )
    expect(parts).toMatchObject([
      { id: "a", arguments: { n: 1 } },
      { id: "b", arguments: { n: 2 } },
    ])
  })

  test("no index at all", async () => {
    const parts = await callsOf(
      fragment({ id: "a", ...f("one", '{"n":') }),
      fragment(f(undefined, "1}")),
      fragment({ id: "b", ...f("two", '{"n":2}') }),
    )
    expect(parts).toMatchObject([
      { id: "a", arguments: { n: 1 } },
      { id: "b", arguments: { n: 2 } },
    ])
  })

  test("no ids: each call gets one of its own", async () => {
    const parts = await callsOf(
      fragment({ index: 0, ...f("one", "{}") }),
      fragment({ index: 1, ...f("two", "{}") }),
    )
    const ids = parts.map((part) => part.type === "tool_call" && part.id)
    expect(new Set(ids).size).toBe(2)
    expect(ids).toEqual([expect.stringMatching(/^call_\w{32}$/), expect.stringMatching(/^call_\w{32}$/)])
  })

  test("neither index nor id, each call whole in one chunk", async () => {
    const parts = await callsOf(fragment(f("one", "{}"), f("two", "{}")))
    expect(parts).toMatchObject([{ name: "one" }, { name: "two" }])
  })

  test("arguments as an object", async () => {
    const parts = await callsOf(fragment({ index: 0, id: "a", ...f("one", { n: 1 }) }))
    expect(parts).toMatchObject([{ arguments: { n: 1 } }])
  })
})

describe("answers of many servers", () => {
  test.each(["reasoning_content", "reasoning"])("thinking as %s", async (field) => {
    const { provider } = await setup([stream(delta({ [field]: "Hm" }), delta({ content: "Hi" }), ...STOP)])
    const events = await collect(provider)
    expect(events[0]).toEqual({ type: "thinking", text: "Hm" })
    expect(events.at(-1)).toMatchObject({
      message: {
        parts: [
          { type: "thinking", text: "Hm", provider: "openai" },
          { type: "text", text: "Hi" },
        ],
      },
    })
  })

  test("an answer without [DONE] that says why it ends is whole", async () => {
    const { provider } = await setup([stream(delta({ content: "Hi" }, "stop"))])
    expect((await collect(provider)).at(-1)).toMatchObject({ finishReason: "stop" })
  })

  test("[DONE] without a reason is no whole answer", async () => {
    const { provider } = await setup([stream(delta({ content: "Hi" }), "[DONE]")])
    await expect(collect(provider)).rejects.toMatchObject({ kind: "protocol" })
  })

  test("a server that does not stream", async () => {
    const message = { role: "assistant", content: "Hi", tool_calls: null }
    const body = {
      choices: [{ message, finish_reason: "stop" }],
      usage: { prompt_tokens: 3, completion_tokens: 1 },
    }
    const { provider } = await setup([respond(200, { body })])
    expect(await collect(provider)).toMatchObject([
      { type: "text", text: "Hi" },
      { type: "done", usage: { inputTokens: 3, outputTokens: 1 } },
    ])
  })

  test("an error in a good response", async () => {
    const { provider } = await setup([
      respond(200, { body: { error: { message: "No such model: m", code: 404 } } }),
    ])
    await expect(collect(provider)).rejects.toMatchObject({ kind: "model_not_found" })
  })

  test("DeepSeek's cached share, figures with every chunk", async () => {
    const usage = { prompt_tokens: 100, completion_tokens: 5, prompt_cache_hit_tokens: 64 }
    const { provider } = await setup([
      stream(
        { ...delta({ content: "Hi" }), usage: { ...usage, completion_tokens: 1 } },
        { ...delta({}, "stop"), usage },
      ),
    ])
    expect((await collect(provider)).at(-1)).toMatchObject({
      usage: { inputTokens: 100, outputTokens: 5, cacheReadTokens: 64, cacheWriteTokens: 0 },
    })
  })

  test("a refusal is shown, and is one", async () => {
    const { provider } = await setup([stream(delta({ refusal: "I will not." }), ...STOP)])
    const events = await collect(provider)
    expect(events[0]).toEqual({ type: "text", text: "I will not." })
    expect(events.at(-1)).toMatchObject({ finishReason: "refusal" })
  })

  test("chunks without choices, and what it does not know, are passed over", async () => {
    const { provider } = await setup([
      stream(
        { choices: [] },
        {},
        "1",
        "null",
        delta({ audio: "?", content: null }),
        delta({ content: "Hi" }),
        ...STOP,
      ),
    ])
    expect(await collect(provider)).toMatchObject([{ text: "Hi" }, { type: "done" }])
  })
})

describe("messages", () => {
  const call = (id: string): AssistantPart => ({
    type: "tool_call",
    id,
    name: "look",
    arguments: { at: "me" },
  })
  const result = (callId: string, status: ToolStatus, ...content: Message["parts"]) =>
    ({ type: "tool_result", callId, name: "look", status, content }) as never
  const image = { type: "image", mediaType: "image/png", data: "AAAA" } as const

  test("system first, results as text, failures marked, pictures after the results", async () => {
    const messages: Message[] = [
      userMessage("a"),
      { role: "assistant", parts: [{ type: "text", text: "Let me look." }, call("1"), call("2"), call("3")] },
      {
        role: "tool",
        parts: [
          result("1", "ok", { type: "text", text: "You." }, image),
          result("2", "denied", { type: "text", text: "Not allowed." }),
          result("3", "unknown"),
        ],
      },
      userMessage("b"),
    ]
    const tool_calls = ["1", "2", "3"].map((id) => ({
      id,
      type: "function",
      function: { name: "look", arguments: '{"at":"me"}' },
    }))
    expect(await sent(messages, "Be kind.")).toEqual([
      { role: "system", content: "Be kind." },
      { role: "user", content: "a" },
      { role: "assistant", content: "Let me look.", tool_calls },
      { role: "tool", tool_call_id: "1", content: "You.\n[image: see below]" },
      { role: "tool", tool_call_id: "2", content: "Error: Not allowed." },
      { role: "tool", tool_call_id: "3", content: "Error: unknown" },
      {
        role: "user",
        content: [
          { type: "text", text: "Output of the tool look:" },
          { type: "image_url", image_url: { url: "data:image/png;base64,AAAA" } },
          { type: "text", text: "b" },
        ],
      },
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
    const messages: Message[] = [
      userMessage("a"),
      { role: "assistant", parts: [invalid] },
      { role: "tool", parts: [result("1", "error", { type: "text", text: "Not JSON." })] },
    ]
    expect(await sent(messages)).toMatchObject([
      {},
      { content: null, tool_calls: [{ function: { arguments: '{"invalid":"{oops"}' } }] },
      { content: "Error: Not JSON." },
    ])
  })

  test("thinking stays here", async () => {
    const thought: AssistantPart = { type: "thinking", text: "T", provider: "openai", signature: "s" }
    const messages: Message[] = [
      userMessage("a"),
      { role: "assistant", parts: [thought, { type: "text", text: "A" }] },
      userMessage("b"),
    ]
    expect(JSON.stringify(await sent(messages))).not.toContain('"T"')
  })
})

describe("dialects", () => {
  const refuse = (message: string, param: string | null = null) =>
    respond(400, { body: { error: { message, param, type: "invalid_request_error", code: null } } })
  const request = ask({ maxTokens: 50, temperature: 0.5 })

  test("OpenAI is asked in its own, others in the older one", async () => {
    const bodies: unknown[] = []
    const fetch: OpenAIOptions["fetch"] = async (_input, init) => {
      bodies.push(JSON.parse(String(init?.body)))
      return new Response("", { status: 418 })
    }
    const options = { apiKey: "k", fetch, retry: { maxAttempts: 1 } }
    await collect(openai(options), request).catch(() => {})
    await collect(openai({ ...options, baseURL: "https://other.test/v1" }), request).catch(() => {})
    expect(bodies).toMatchObject([{ max_completion_tokens: 50 }, { max_tokens: 50 }])
    expect(bodies[0]).not.toHaveProperty("max_tokens")
    const limits = [request, ask()].map((one) => openai({ ...options, maxTokens: 7 }).outputLimit?.(one))
    expect(limits).toEqual([50, 7])
  })

  test("how much it thinks is asked for where it was said", async () => {
    const { server, provider } = await setup([], { reasoning: { effort: "low", summary: "auto" } })
    await collect(provider)
    expect((await server.request(1)).body).toMatchObject({ reasoning_effort: "low" })
    const { server: other, provider: silent } = await setup()
    await collect(silent)
    expect((await other.request(1)).body).not.toHaveProperty("reasoning_effort")
  })

  test("a complaint changes it once, and it is remembered", async () => {
    const { server, provider } = await setup([
      refuse(
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
        "max_tokens",
      ),
      refuse("Unsupported value: 'temperature' does not support 0.5 with this model.", "temperature"),
      refuse("Unrecognized request argument supplied: stream_options"),
      "Hi",
      "Hi again",
    ])
    await collect(provider, request)
    await collect(provider, request)
    expect(server.requests).toHaveLength(5)
    const body = server.requests[4]?.body ?? {}
    expect(body).toMatchObject({ max_completion_tokens: 50 })
    for (const key of ["max_tokens", "temperature", "stream_options"]) expect(body).not.toHaveProperty(key)
  })

  test("another model of the same server is asked as before", async () => {
    const { server, provider } = await setup([
      refuse("Use 'max_completion_tokens' instead.", "max_tokens"),
      "Hi",
      "Hi",
    ])
    await collect(provider, request)
    await collect(provider, { ...request, model: "older" })
    expect(server.requests[2]?.body).toMatchObject({ max_tokens: 50 })
  })

  test("a limit that is too high is no matter of dialect", async () => {
    const { server, provider } = await setup([
      refuse("max_tokens is too large: 50. This model supports at most 10 completion tokens.", "max_tokens"),
    ])
    await expect(collect(provider, request)).rejects.toMatchObject({ kind: "invalid_request" })
    expect(server.requests).toHaveLength(1)
  })
})

describe("credentials", () => {
  const headersOf = async (options: OpenAIOptions) => {
    const { server, provider } = await setup([], options)
    await collect(provider)
    return (await server.request(1)).headers
  }

  test("a key is sent as Bearer", async () => {
    expect((await headersOf({ apiKey: "test-key" }))["authorization"]).toBe("Bearer test-key")
  })

  test.each<OpenAIOptions>([{}, { apiKey: "" }])(
    "a server without a key hears of none: %j",
    async (options) => {
      const headers = await headersOf(options)
      expect(headers).not.toHaveProperty("authorization")
      expect(JSON.stringify(headers)).not.toContain("env-")
    },
  )

  test("OpenAI is sent the key of the environment, and hears nothing without one", async () => {
    const seen: Headers[] = []
    const fetch: OpenAIOptions["fetch"] = async (input, init) => {
      seen.push(new Request(input, init).headers)
      return new Response("", { status: 401 })
    }
    await expect(collect(openai({ fetch }))).rejects.toMatchObject({ kind: "auth", status: 401 })
    expect(seen[0]?.get("authorization")).toBe("Bearer env-key")
    expect(seen[0]?.get("openai-organization")).toBe("env-org")
    vi.stubEnv("OPENAI_API_KEY", "")
    await expect(collect(openai({ fetch }))).rejects.toMatchObject({ kind: "auth", status: undefined })
    expect(seen).toHaveLength(1)
  })
})

describe("base URL", () => {
  test.each(["", "/", "/chat/completions", "/chat/completions/"])("F15: ending in %j", async (ending) => {
    const { server } = await setup()
    await collect(openai({ baseURL: server.openaiUrl + ending }))
    expect(server.requests[0]?.path).toBe("/v1/chat/completions")
  })

  test.each(["nonsense", "ftp://host", "http://user:pass@host"])(
    "%s is refused, and not repeated",
    (baseURL) => {
      expect(() => openai({ baseURL })).toThrow(expect.objectContaining({ code: "invalid_input" }))
      expect(() => openai({ baseURL })).not.toThrow(/pass@/)
    },
  )

  test("one that lacks its /v1 is told so", async () => {
    const { server, provider } = await setup()
    const wrong = openai({ baseURL: server.url, retry: { maxAttempts: 1 } })
    await expect(collect(wrong)).rejects.toMatchObject({
      kind: "invalid_request",
      status: 404,
      message: expect.stringContaining("/v1"),
    })
    expect(provider.id).toBe("openai")
  })
})

describe("errors of many servers", () => {
  test.each<[string, number, unknown, string]>([
    [
      "vLLM",
      400,
      {
        object: "error",
        message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
        code: 400,
      },
      "context_length",
    ],
    [
      "vLLM, its output limit",
      400,
      { message: "'max_tokens' is too large: 5000. This model's maximum context length is 4096 tokens." },
      "invalid_request",
    ],
    [
      "llama.cpp",
      400,
      {
        error: {
          code: 400,
          type: "exceed_context_size_error",
          message: "the request exceeds the available context size",
        },
      },
      "context_length",
    ],
    [
      "Mistral",
      400,
      {
        object: "error",
        message: "Prompt contains 40000 tokens, too large for model with 32768 maximum context length",
      },
      "context_length",
    ],
    [
      "Gemini",
      400,
      [
        {
          error: {
            code: 400,
            message:
              "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).",
            status: "INVALID_ARGUMENT",
          },
        },
      ],
      "context_length",
    ],
    [
      "Gemini, its key",
      400,
      [
        {
          error: {
            code: 400,
            message: "API key not valid. Please pass a valid API key.",
            status: "INVALID_ARGUMENT",
          },
        },
      ],
      "auth",
    ],
    ["Ollama", 404, { error: 'model "nope" not found, try pulling it first' }, "model_not_found"],
    ["DeepSeek", 402, { error: { message: "Insufficient Balance", type: "unknown_error" } }, "quota"],
    [
      "OpenAI, spent",
      429,
      {
        error: {
          message: "You exceeded your current quota",
          type: "insufficient_quota",
          code: "insufficient_quota",
        },
      },
      "quota",
    ],
    [
      "OpenAI, busy",
      429,
      {
        error: {
          message: "Rate limit reached for gpt in tokens per min",
          type: "tokens",
          code: "rate_limit_exceeded",
        },
      },
      "rate_limit",
    ],
    [
      "OpenAI, a country",
      403,
      { error: { message: "Country not supported", code: "unsupported_country_region_territory" } },
      "auth",
    ],
    ["FastAPI", 422, { detail: [{ loc: ["body", "messages"], msg: "field required" }] }, "invalid_request"],
    [
      "a parameter named token",
      400,
      { error: { message: "Invalid token in context parameter" } },
      "invalid_request",
    ],
  ])("%s (%i)", async (_name, status, body, kind) => {
    const { provider } = await setup([respond(status, { body })])
    await expect(collect(provider)).rejects.toMatchObject({ kind, status })
  })

  test.each<[unknown, string]>([
    [{ error: { message: "Overloaded", code: 503 } }, "overloaded"],
    [{ error: { message: "Slow down", code: "rate_limit_exceeded" } }, "rate_limit"],
    [{ error: "something odd" }, "protocol"],
    [{ object: "error", message: "boom", code: 500 }, "overloaded"],
  ])("within the stream: %j", async (chunk, kind) => {
    const { provider } = await setup([stream(delta({ content: "Hi" }), JSON.stringify(chunk))])
    await expect(collect(provider)).rejects.toMatchObject({ kind })
  })

  test("what a server says in a body of its own is passed on", async () => {
    const { provider } = await setup([respond(422, { body: { detail: "messages: field required" } })])
    await expect(collect(provider)).rejects.toThrow("messages: field required")
  })
})

test("usage comes with its cached share, and is asked for", async () => {
  const usage = { inputTokens: 100, outputTokens: 20, cacheReadTokens: 60, cacheWriteTokens: 0 }
  const { server, provider } = await setup([[think("Hm."), say("Hi"), end({ usage })]])
  expect((await collect(provider)).at(-1)).toMatchObject({ usage })
  expect(server.requests[0]?.body).toMatchObject({ stream_options: { include_usage: true } })
})

test("only what can chat is listed of OpenAI's models", async () => {
  const ids = ["gpt-5.4-mini", "o4-mini", "text-embedding-3-small", "whisper-1", "gpt-audio-mini", "tts-1"]
  const fetch: OpenAIOptions["fetch"] = async () =>
    Response.json({ object: "list", data: ids.map((id) => ({ id })) })
  expect(await openai({ apiKey: "k", fetch }).models?.()).toEqual([{ id: "gpt-5.4-mini" }, { id: "o4-mini" }])
})

test("asks for the whole answer where nobody watches it being written", async () => {
  const message = {
    role: "assistant",
    content: "Hello",
    tool_calls: [{ id: "c1", type: "function", function: { name: "look", arguments: '{"at":1}' } }],
  }
  const body = {
    choices: [{ index: 0, message, finish_reason: "tool_calls" }],
    usage: { prompt_tokens: 3, completion_tokens: 2 },
  }
  let sent: unknown
  const fetch: OpenAIOptions["fetch"] = async (_url, init) => {
    sent = JSON.parse(String(init?.body))
    return Response.json(body)
  }
  const events = await collect(openai({ apiKey: "k", streaming: false, fetch }))
  expect(events).toMatchObject([
    {
      type: "done",
      message: {
        parts: [
          { type: "text", text: "Hello" },
          { type: "tool_call", id: "c1", name: "look", arguments: { at: 1 } },
        ],
      },
      finishReason: "tool_calls",
      usage: { inputTokens: 3, outputTokens: 2 },
    },
  ])
  expect(sent).toMatchObject({ stream: false })
  expect(sent).not.toHaveProperty("stream_options")
})
