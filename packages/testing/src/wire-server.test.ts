import { expect, test } from "vitest"
import { call, fail, hang, say, think } from "./scripted-provider.ts"
import { cut, drop, fakeModelServer, raw, redact, respond } from "./wire-server.ts"

const ask = (extra: object = {}) => ({
  model: "fake-large",
  max_tokens: 100,
  stream: true,
  messages: [{ role: "user", content: "Hello" }],
  ...extra,
})

const post = (url: string, body: object, headers: Record<string, string> = {}, signal?: AbortSignal) =>
  fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  })

const anthropic = (url: string, body: object = ask(), signal?: AbortSignal) =>
  post(`${url}/v1/messages`, body, { "anthropic-version": "2023-06-01" }, signal)

const openai = (url: string, body: object = ask(), signal?: AbortSignal) =>
  post(`${url}/v1/chat/completions`, body, {}, signal)

const responses = (url: string, body: object) => post(`${url}/v1/responses`, body)

const RS = { type: "reasoning", summary: [], encrypted_content: "sealed" }
const CALL = { type: "function_call", call_id: "a", name: "look", arguments: "{}" }
const OUTPUT = { type: "function_call_output", call_id: "a", output: "Snow." }

test("the same answer in each format", async () => {
  const answer = [think("Hmm.", "sig"), say("Hi ", "there"), call("weather", { city: "Paris" }, "id_1")]
  await using server = await fakeModelServer([answer, answer, answer])

  const claude = await (await anthropic(server.url)).text()
  expect(claude).toContain("event: message_start\n")
  expect(claude).toContain('{"type":"signature_delta","signature":"sig"}')
  expect(claude).toContain('"content_block":{"type":"tool_use","id":"id_1","name":"weather","input":{}}')
  expect(claude).toContain('"stop_reason":"tool_use"')
  expect(claude.endsWith('event: message_stop\ndata: {"type":"message_stop"}\n\n')).toBe(true)

  const gpt = await (await openai(server.url, ask({ stream_options: { include_usage: true } }))).text()
  expect(gpt).toContain('"delta":{"reasoning_content":"Hmm."}')
  expect(gpt).toContain('"delta":{"content":"there"}')
  expect(gpt).toContain('"prompt_tokens":')
  expect(gpt.endsWith("data: [DONE]\n\n")).toBe(true)

  const items = await (
    await responses(server.url, { model: "fake-large", input: "Hello", stream: true })
  ).text()
  const [last] = items.trimEnd().split("\n\n").slice(-1)
  expect(last).toMatch(/^event: response\.completed\ndata: /)
  expect(JSON.parse(last?.split("data: ")[1] ?? "")).toMatchObject({
    response: {
      status: "completed",
      output: [
        { type: "reasoning", summary: [{ type: "summary_text", text: "Hmm." }], encrypted_content: "sig" },
        { type: "message", role: "assistant", content: [{ type: "output_text", text: "Hi there" }] },
        { type: "function_call", call_id: "id_1", name: "weather", arguments: '{"city":"Paris"}' },
      ],
      usage: { output_tokens: 22 },
    },
  })
  expect(items).toContain('"delta":"there"')
  expect(server.requests.map((request) => request.service)).toEqual(["anthropic", "openai", "responses"])
})

test("Anthropic: what the application says in the middle is taken, and at the beginning refused", async () => {
  await using server = await fakeModelServer(["Hi."])
  const user = { role: "user", content: "Hello" }
  const system = { role: "system", content: "It is Monday." }
  expect((await anthropic(server.url, ask({ messages: [system, user] }))).status).toBe(400)
  expect((await anthropic(server.url, ask({ messages: [user, system] }))).status).toBe(200)
})

test("an error is a status before the answer and an event within it", async () => {
  await using server = await fakeModelServer([fail("overloaded"), [say("Hi"), fail("overloaded", "busy")]])
  expect((await anthropic(server.url)).status).toBe(529)
  const text = await (await anthropic(server.url)).text()
  expect(text).toContain(
    'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}',
  )
})

test("a broken connection, an unfinished stream, raw bytes, a whole response", async () => {
  await using server = await fakeModelServer([
    [say("Hi"), drop()],
    [say("Hi"), cut()],
    [raw("data: {broken\n\n")],
    respond(503, { headers: { "retry-after": "2" }, body: "<h1>Busy</h1>" }),
    [redact("opaque"), say("Hi")],
  ])
  await expect((await openai(server.url)).text()).rejects.toThrow()
  expect(await (await openai(server.url)).text()).not.toContain("[DONE]")
  expect(await (await openai(server.url)).text()).toContain("data: {broken\n\n")
  const busy = await openai(server.url)
  expect([busy.status, busy.headers.get("retry-after"), await busy.text()]).toEqual([
    503,
    "2",
    "<h1>Busy</h1>",
  ])
  expect(await (await anthropic(server.url)).text()).toContain('{"type":"redacted_thinking","data":"opaque"}')
})

test("sees the client leave", async () => {
  await using server = await fakeModelServer([[say("Hi"), hang()]])
  const abort = new AbortController()
  const response = await openai(server.url, ask(), abort.signal)
  const request = await server.request(1)
  abort.abort()
  expect(await request.closed).toBe("aborted")
  await response.body?.cancel().catch(() => {})
})

test("asks for the key, lists models, echoes past the script", async () => {
  await using server = await fakeModelServer([], { apiKey: "secret" })
  expect((await openai(server.url)).status).toBe(401)
  const headers = { authorization: "Bearer secret" }
  const models = await (await fetch(`${server.openaiUrl}/models`, { headers })).json()
  expect(models).toMatchObject({ data: [{ id: "fake-large" }, { id: "fake-small" }] })
  const answer = await (await post(`${server.openaiUrl}/chat/completions`, ask(), headers)).text()
  expect(answer).toContain('"delta":{"content":"You"}')
  expect(answer).toContain('"delta":{"content":" Hello"}')
})

test.each([
  [
    "a call without its result",
    [
      { role: "user", content: "Hi" },
      { role: "assistant", content: null, tool_calls: [{ id: "a", type: "function", function: {} }] },
      { role: "user", content: "So?" },
    ],
  ],
  ["an empty message", [{ role: "user", content: [] }]],
  ["half of a character", [{ role: "user", content: "Hi \ud83c" }]],
])("refuses %s", async (_name, messages) => {
  await using server = await fakeModelServer(["never sent"])
  expect((await openai(server.url, ask({ messages }))).status).toBe(400)
})

test.each([
  ["nothing to answer", [], "Missing required parameter: 'input'"],
  ["an unknown role", [{ role: "tool", content: "Hi" }], "input[0].role"],
  [
    "a part of the wrong side",
    [{ role: "assistant", content: [{ type: "input_text", text: "" }] }],
    "input_text",
  ],
  ["an empty message", [{ role: "user", content: [] }], "is empty"],
  ["an item that is kept nowhere", [{ type: "item_reference", id: "msg_1" }], "item_reference"],
  [
    "the id of something else",
    [{ type: "message", role: "assistant", content: "Hi", id: "x" }],
    "begins with 'msg'",
  ],
  ["thinking that is kept nowhere", [{ type: "reasoning", id: "rs_1", summary: [] }], "'rs_1' not found"],
  ["thinking that led to nothing", [RS, { role: "user", content: "So?" }], "its required following item"],
  ["thinking at the end", [{ role: "user", content: "So?" }, RS], "its required following item"],
  [
    "a call without its output",
    [CALL, { role: "user", content: "So?" }],
    "No tool output found for function call a",
  ],
  ["a call at the end", [CALL], "No tool output found for function call a"],
  [
    "an output without its call",
    [OUTPUT, CALL],
    "No tool call found for function call output with call_id a",
  ],
  ["two outputs of one call", [CALL, OUTPUT, OUTPUT], "Duplicate tool output"],
  ["two calls of one id", [CALL, OUTPUT, CALL, OUTPUT], "Duplicate function call"],
  ["one item twice", [{ ...CALL, id: "fc_1" }, OUTPUT, { ...OUTPUT, id: "fc_1" }], "Duplicate item"],
  ["an id that is too long", [{ ...CALL, call_id: "x".repeat(65) }], "string too long"],
  ["a name no tool has", [{ ...CALL, name: "no such.tool" }, OUTPUT], "does not match pattern"],
  [
    "a picture without an address",
    [{ role: "user", content: [{ type: "input_image", image_url: "x" }] }],
    "valid URL",
  ],
])("Responses: %s is refused", async (_name, input, said) => {
  await using server = await fakeModelServer(["never sent"])
  const response = await responses(server.url, { model: "fake-large", store: false, stream: true, input })
  expect(response.status).toBe(400)
  expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining(said) } })
})

test("Responses: thinking, calls side by side and their outputs are taken", async () => {
  await using server = await fakeModelServer(["Yes."])
  const input = [
    { role: "user", content: [{ type: "input_text", text: "Hi" }] },
    RS,
    { role: "assistant", content: "Let me look." },
    RS,
    CALL,
    { ...CALL, call_id: "b" },
    { ...OUTPUT, call_id: "b" },
    { ...OUTPUT, output: [{ type: "input_image", image_url: "data:image/png;base64,AAAA" }] },
  ]
  const body = { model: "fake-large", store: false, stream: true, input }
  expect((await responses(server.url, body)).status).toBe(200)
})
