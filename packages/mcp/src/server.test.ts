import { fileURLToPath } from "node:url"
import { type JsonObject, Namespace, PolicyRegistry, tool } from "@orra/core"
import { call, useTool } from "@orra/testing"
import { expect, onTestFinished, test } from "vitest"
import { mcpServers } from "./client.ts"
import { failureOf, person, serve, wipe, wiped } from "./server-fixture.ts"

test.each(["auto", "legacy"] as const)("an agent answers, and its session goes on (%s)", async (era) => {
  const { connect, runtime } = await serve(["One.", "Two."])
  const ann = await connect("ann", undefined, era)
  expect((await ann.listTools()).tools.map(({ name }) => name)).toEqual(["ask", "wipe"])
  const first = await ann.callTool({ name: "ask", arguments: { message: "Hi." } })
  expect(first).toMatchObject({ content: [{ text: "One." }], structuredContent: { outcome: "completed" } })
  const { session } = first.structuredContent as { session: string }
  const second = await ann.callTool({ name: "ask", arguments: { message: "And?", session } })
  expect(second).toMatchObject({ content: [{ text: "Two." }], structuredContent: { session } })
  expect((await runtime.info(Namespace.of("tenant", "ann", session)))?.messages).toBe(4)
})

test("two tenants: neither sees, reads or continues what is the other's, and cannot tell that it is there", async () => {
  const { connect } = await serve(["For Ann.", "For Bob."])
  const ann = await connect("ann")
  const bob = await connect("bob")
  await ann.callTool({ name: "ask", arguments: { message: "A secret.", session: "chat" } })
  const [hers] = (await ann.listResources()).resources
  const uri = hers?.uri ?? ""
  expect((await ann.readResource({ uri })).contents[0]).toMatchObject({
    text: expect.stringContaining("A secret."),
  })
  expect((await bob.listResources()).resources).toEqual([])
  const nothing = uri.replace("chat", "none")
  const refusal = await failureOf(bob.readResource({ uri }))
  expect(refusal.replace(uri, "")).toBe(
    (await failureOf(bob.readResource({ uri: nothing }))).replace(nothing, ""),
  )
  await bob.callTool({ name: "ask", arguments: { message: "Mine.", session: "chat" } })
  const [his] = (await bob.listResources()).resources
  expect(his?.uri).not.toBe(uri)
  expect(JSON.stringify(await bob.readResource({ uri: his?.uri ?? "" }))).not.toContain("secret")
  expect(JSON.stringify(await ann.readResource({ uri }))).not.toContain("Mine")
  for (const session of ["../ann", "a:b", "", "x".repeat(65), 1]) {
    const refused = await bob.callTool({ name: "ask", arguments: { message: "Hi.", session } })
    expect(refused).toMatchObject({ isError: true })
  }
  expect(await failureOf(bob.readResource({ uri: "orra://sessions/%E0%A4%A" }))).toContain("not found")
})

test("a tool goes through the one door: policy decides, the log has it, progress arrives", async () => {
  const policies = new PolicyRegistry({ default: "allow" })
  const rule = { tool: "wipe", arguments: { "/disk": { equals: "a" } }, name: "no disk a" }
  policies.set(Namespace.of("tenant", "bob"), { deny: [rule] })
  const { connect, runtime } = await serve([], { policies })
  const seen: unknown[] = []
  const ann = await connect("ann")
  const bob = await connect("bob")
  const wiping = { name: "wipe", arguments: { disk: "a" } }
  const options = { onprogress: ({ message }: { message?: string | undefined }) => void seen.push(message) }
  expect(await ann.callTool(wiping, options)).toMatchObject({ content: [{ text: "wiped" }] })
  expect(seen).toEqual(["wiping a"])
  const content = [{ type: "text", text: '"wipe" is not allowed here (deny "no disk a").' }]
  expect(await bob.callTool(wiping)).toMatchObject({ isError: true, content })
  expect(await ann.callTool({ name: "wipe", arguments: {} })).toMatchObject({ isError: true })
  expect(wiped).toEqual(["tenant:ann:mcp-tools-1 a"])
  const log = await runtime.store.read(Namespace.of("tenant", "bob", "mcp-tools-1"), {
    types: ["tool_intent", "tool_result"],
  })
  // As what the model asked for is refused and recorded.
  expect(log).toMatchObject([
    { name: "wipe", arguments: { disk: "a" }, decision: "deny", reason: 'tenant:bob: deny "no disk a"' },
    { result: { status: "denied", content } },
  ])
  expect(await failureOf(ann.callTool({ name: "other", arguments: {} }))).toContain("There is no tool")
})

test("many calls of one caller go on at a time, none lost or crossed", async () => {
  const echo = tool<{ n: number }>({
    name: "echo",
    description: "Echoes.",
    input: { type: "object", properties: { n: { type: "number" } } },
    risk: "read",
    execute: ({ n }) => `${n}`,
  })
  const { connect } = await serve([], { tools: [echo] })
  const ann = await connect("ann")
  const numbers = Array.from({ length: 20 }, (_, n) => n)
  const results = await Promise.all(numbers.map((n) => ann.callTool({ name: "echo", arguments: { n } })))
  expect(results.map(({ content }) => content)).toEqual(numbers.map((n) => [{ type: "text", text: `${n}` }]))
})

test("a tool that is not offered is not there", async () => {
  const { connect } = await serve([], { tools: [wipe], ...{ agents: [] } })
  const ann = await connect("ann")
  expect((await ann.listTools()).tools.map(({ name }) => name)).toEqual(["wipe"])
  expect(await failureOf(ann.callTool({ name: "ask", arguments: { message: "Hi." } }))).toContain(
    "There is no tool",
  )
})

test("what is cancelled is stopped", async () => {
  const { promise: began, resolve: begin } = Promise.withResolvers<void>()
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const hold = tool({
    name: "hold",
    description: "Holds.",
    input: { type: "object" },
    risk: "read",
    execute: (_, { signal }) =>
      new Promise((_, reject) => {
        begin()
        signal.addEventListener("abort", () => {
          end()
          reject(signal.reason)
        })
      }),
  })
  const { connect } = await serve([call("hold", {})], { tools: [hold] })
  const ann = await connect("ann")
  const stop = new AbortController()
  const asked = ann.callTool({ name: "ask", arguments: { message: "Hold." } }, { signal: stop.signal })
  await began
  stop.abort()
  await expect(asked).rejects.toThrow()
  await ended
})

test.each([
  ["accept", "ann", "auto", ["tenant:ann:chat a"], "Done."],
  ["accept", "ann", "legacy", ["tenant:ann:chat a"], "Done."],
  ["decline", "ann", "auto", [], "Done."],
  ["decline", "ann", "legacy", [], "Done."],
  ["cancel", "ann", "auto", [], "waits for a decision elsewhere"],
  ["accept", "bob", "auto", [], "waits for a decision elsewhere"],
  ["accept", "bob", "legacy", [], "waits for a decision elsewhere"],
] as const)("what policy asks about: %s by %s (%s)", async (action, who, era, expected, said) => {
  const policies = new PolicyRegistry({ default: "allow" })
  policies.set(Namespace.of("tenant"), { ask: ["wipe"] })
  const { connect } = await serve([call("wipe", { disk: "a" }), "Done."], { policies })
  const client = await connect(who, action, era)
  const asked = { name: "ask", arguments: { message: "Wipe it.", session: "chat" } }
  const { content } = await client.callTool(asked)
  expect(JSON.stringify(content)).toContain(said)
  expect(wiped).toEqual(expected)
})

test("what a client carries between the parts of a call is of no use to another", async () => {
  const policies = new PolicyRegistry({ default: "allow" })
  policies.set(Namespace.of("tenant"), { ask: ["wipe"] })
  const { connect, sent, url } = await serve([call("wipe", { disk: "a" }), "Done."], {
    policies,
    authenticate: ({ headers }) =>
      person(headers.get("authorization") === "Bearer ann" ? "ann" : "bob", { mayApprove: true }),
  })
  const ann = await connect("ann", "cancel")
  await ann.callTool({ name: "ask", arguments: { message: "Wipe it." } })
  const second = sent.find(({ body }) => String(body).includes('"requestState"'))
  const again = async (who: string): Promise<string> => {
    const headers = new Headers(second?.headers)
    headers.set("authorization", `Bearer ${who}`)
    return await (await fetch(url, { ...second, headers, signal: null })).text()
  }
  expect(await again("bob")).toContain("Invalid or expired requestState")
  expect(await again("ann")).toContain("waits for a decision elsewhere")
})

test("who is not known, and what comes by another name, gets nothing", async () => {
  const { url } = await serve()
  const post = (headers: Record<string, string>): Promise<Response> =>
    fetch(url, { method: "POST", body: "{}", headers: { "content-type": "application/json", ...headers } })
  expect((await post({})).status).toBe(401)
  expect((await post({ authorization: "Bearer eve" })).status).toBe(401)
  expect((await post({ authorization: "Bearer ann", origin: "https://evil.example" })).status).toBe(403)
})

test("a client learns where people sign in from the refusal", async () => {
  const issuer = "https://login.example.com"
  const { url } = await serve([], {
    oauth: {
      resourceServerUrl: new URL("https://house.example.com/mcp"),
      oauthMetadata: {
        issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        response_types_supported: ["code"],
      },
    },
  })
  const refused = await fetch(url, { method: "POST", body: "{}" })
  expect(refused.status).toBe(401)
  const [, told = ""] =
    /resource_metadata="([^"]+)"/.exec(refused.headers.get("www-authenticate") ?? "") ?? []
  expect(told).toBe("https://house.example.com/.well-known/oauth-protected-resource/mcp")
  const described = await fetch(new URL(new URL(told).pathname, url))
  expect(await described.json()).toMatchObject({ authorization_servers: [issuer] })
})

test("over standard input and output, for our own client", async () => {
  const script = fileURLToPath(new URL("./stdio-server.child.ts", import.meta.url))
  const args = ["--conditions=@orra/source", script]
  const servers = await mcpServers({ house: { command: process.execPath, args, trusted: true } })
  onTestFinished(() => servers.close())
  const use = (name: string, input: JsonObject) => useTool(servers.tools.list(), name, input)
  expect(await use("house__greet", { message: "Hi." })).toMatchObject({ content: [{ text: "Good day." }] })
  expect(await use("house__add", { a: 2, b: 3 })).toMatchObject({ content: [{ text: "5" }] })
  expect(servers.tools.get("house__add")).toMatchObject({ idempotent: true })
  expect(await use("house__list_resources", {})).toMatchObject({
    content: [{ text: expect.stringContaining("orra://sessions/local%3A") }],
  })
})
